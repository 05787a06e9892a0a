// Sparse files that ovl writes (PAX format 1.0), read by ovl, GNU tar, bsdtar and Python's tarfile: the same bytes, and
// the holes where a reader makes any.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { encodeName } from '../../src/path/index.ts'
import { encodeTarHeader, endOfArchive, type SparseSegment, tarPadding, tarType } from '../../src/tar/index.ts'
import { hasTool, skipUnless } from '../support/probe.ts'
import { concat } from './building.ts'
import { codeOf, contentsOf, readTar } from './reading.ts'

type Sparse = { readonly name: string; readonly segments: readonly SparseSegment[]; readonly size: number }

const names = ['f', 'd/f', `d/${'l'.repeat(99)}`, `${'d'.repeat(140)}/${'l'.repeat(60)}`, 'é', 'd/\udcff']

/** Holes and data in turn, in blocks; the last segment may end anywhere. */
const sparse: fc.Arbitrary<Sparse> = fc
  .record({
    name: fc.constantFrom(...names),
    runs: fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 3 })), { maxLength: 90 }),
    shorter: fc.integer({ min: 0, max: 511 }),
    tail: fc.constantFrom(0, 0, 1, 4096, 9999),
    hasHead: fc.boolean(),
  })
  .map(({ name, runs, shorter, tail, hasHead }) => {
    let end = 0
    const segments = runs.map(([hole, data], index) => {
      const offset = end + (index === 0 && hasHead ? 0 : hole * 512)
      const length = data * 512 - (index === runs.length - 1 ? shorter : 0)
      end = offset + length
      return { offset, length }
    })
    return { name, segments, size: end + tail }
  })

function bytesOf({ segments, size }: Sparse): Buffer {
  const bytes = Buffer.alloc(size)
  for (const { offset, length } of segments) bytes.fill(`${offset} data `, offset, offset + length)
  return bytes
}

function archiveOf(files: readonly Sparse[]): Uint8Array {
  const parts = files.map(file => {
    const { name, segments, size } = file
    const bytes = bytesOf(file)
    const data = concat(...segments.map(({ offset, length }) => bytes.subarray(offset, offset + length)))
    const entry = { name, type: tarType.file, mode: 0o640, uid: 0, gid: 0, mtimeSec: 5, size, sparse: segments }
    return concat(encodeTarHeader(entry), data, tarPadding(data.length))
  })
  return concat(...parts, endOfArchive)
}

const pairOfSegments = [
  { offset: 512, length: 512 },
  { offset: 4096, length: 10 },
]

describe('a sparse file that is written', () => {
  it('is read as it was', () => {
    fc.assert(
      fc.property(fc.array(sparse, { minLength: 1, maxLength: 3 }), files => {
        const result = readTar(archiveOf(files))
        expect(codeOf(result)).to.equal(null)
        for (const [index, file] of files.entries()) {
          const entry = result.entries[index]
          expect(entry?.header).to.include({ name: file.name, size: file.size, mode: 0o640 })
          expect(entry?.header.sparse?.filter(({ length }) => length > 0)).to.deep.equal(file.segments)
          expect(Buffer.from(entry === undefined ? [] : contentsOf(entry)).equals(bytesOf(file))).to.equal(true)
        }
      }),
      { numRuns: 200 },
    )
  })

  for (const [what, segments, size] of [
    [
      'segments in disorder',
      [
        { offset: 512, length: 512 },
        { offset: 0, length: 512 },
      ],
      5000,
    ],
    ['a segment that is not at a block', [{ offset: 100, length: 512 }], 5000],
    [
      'a segment in the middle that is no whole block',
      [
        { offset: 0, length: 9 },
        { offset: 512, length: 9 },
      ],
      5000,
    ],
    ['an empty segment', [{ offset: 0, length: 0 }], 5000],
    ['a segment behind the end', [{ offset: 512, length: 512 }], 1000],
  ] as const) {
    it(`is refused with ${what}`, () => {
      const entry = { name: 'f', type: tarType.file, mode: 0, uid: 0, gid: 0, size, sparse: segments }
      expect(() => encodeTarHeader(entry))
        .to.throw('its sparse map does not fit')
        .with.property('code', 'BAD_ENTRY')
    })
  }

  it('is a file alone', () => {
    const entry = { name: 'f', type: tarType.symlink, mode: 0, uid: 0, gid: 0, size: 5000, sparse: pairOfSegments }
    expect(() => encodeTarHeader(entry)).to.throw('its sparse map does not fit')
  })
})

describe('sparse files, read by others', () => {
  let arena = ''

  before(() => {
    arena = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-sparse-'))
  })
  after(() => fs.rmSync(arena, { recursive: true, force: true }))

  const script = 'import sys, tarfile; tarfile.open(fileobj=sys.stdin.buffer, mode="r|").extractall(".")'
  for (const [tool, args] of [
    ['tar', ['xf', '-']],
    ['bsdtar', ['xf', '-']],
    ['python3', ['-c', script]],
  ] as const) {
    it(tool, function () {
      skipUnless(this, hasTool(tool), `no ${tool}`)
      for (const [number, file] of fc.sample(sparse, { numRuns: 12, seed: 7 }).entries()) {
        const cwd = path.join(arena, `${tool}${number}`)
        fs.mkdirSync(cwd)
        const env = { ...process.env, LC_ALL: 'C.UTF-8' }
        const { stderr } = spawnSync(tool, args, { cwd, env, input: archiveOf([file]) })
        // bsdtar finds fault with names that are no UTF-8, and takes them all the same.
        if (!stderr.includes("can't be converted from UTF-8")) expect(stderr.toString()).to.equal('')
        const read = fs.readFileSync(Buffer.from(encodeName(`${cwd}/${file.name}`)))
        expect(read.equals(bytesOf(file)), `${file.name} ${JSON.stringify(file.segments)}`).to.equal(true)
      }
    })
  }
})
