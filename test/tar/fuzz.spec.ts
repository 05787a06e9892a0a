// Mutated archives: whatever the bytes are, reading them ends in a list of entries or an OvlError that says where, and
// the same one however the bytes are cut into chunks. OVL_FUZZ_SEED repeats a run, OVL_FUZZ_ROUNDS lengthens it.

import { expect } from 'chai'
import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { OvlError } from '../../src/errors/index.ts'
import { encodeName } from '../../src/path/index.ts'
import { endOfArchive, TarReader, tarType } from '../../src/tar/index.ts'
import { corpus, corpusPath } from '../support/corpus.ts'
import { arbitraryMembers } from './arbitrary.ts'
import { concat, extendedHeader, latin1, octal, packTar, padded, pax, rawFile, rawHeader } from './building.ts'
import { generator, mutate, pick } from './mutation.ts'
import { md5, type ReadResult, readTar } from './reading.ts'

const seed = Number(process.env['OVL_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const rounds = Number(process.env['OVL_FUZZ_ROUNDS'] ?? 4000)

describe(`TarReader on mutated archives (OVL_FUZZ_SEED=${seed})`, () => {
  const random = generator(seed)
  const seeds = [...ownSeeds(), ...corpusSeeds()]

  it('ends in entries or an OvlError with a place', () => {
    for (let round = 0; round < rounds; round++) {
      const archive = mutate(pick(seeds, random), random)
      const context = `round ${round} of seed ${seed}`
      const result = readTar(archive)
      expectSane(result, archive, context)
      const chunks = Array.from({ length: 13 }, () => 1 + Math.floor(random() * 1500))
      const again = readTar(archive, { chunks: index => chunks[index % 13] ?? 1 })
      expect(fingerprint(again), `cut into pieces, ${context}`).to.deep.equal(fingerprint(result))
    }
  })

  it('does so for noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), noise => expectSane(readTar(noise), noise, 'noise')),
      { numRuns: 200, seed },
    )
  })
})

describe('TarReader on archives that ask for memory', () => {
  it('keeps no more than the extended headers of one entry', () => {
    const header = extendedHeader('L', 'n'.repeat(1 << 20))
    const other = extendedHeader('x', paxOfSize(1 << 20))
    const before = usedBytes()
    let most = 0
    const reader = new TarReader({ entry: () => {}, data: () => {}, end: () => {} })
    for (let i = 0; i < 150; i++) {
      reader.push(i % 2 === 0 ? header : other)
      most = Math.max(most, usedBytes() - before)
    }
    reader.finish()
    expect(most).to.be.lessThan(100 << 20)
  })

  it('does not count in the size that a header claims', () => {
    const before = usedBytes()
    const claims = [rawHeader({ type: 'x', size: octal(2 ** 30) }), rawHeader({ size: octal(2 ** 32) })]
    for (const claim of claims) expect(readTar(claim).error).to.be.instanceOf(OvlError)
    expect(usedBytes() - before).to.be.lessThan(50 << 20)
  })
})

/** One archive of each notation that the reader knows, and random ones. */
function ownSeeds(): Uint8Array[] {
  const random = fc.sample(arbitraryMembers(), { numRuns: 12, seed }).map(members => packTar(members))
  const gnu = rawHeader({
    name: 's',
    magic: 'ustar  \0',
    type: 'S',
    size: octal(7),
    gnuSparse: octal(2) + octal(4),
    gnuIsExtended: '\x01',
    gnuRealSize: octal(20),
  })
  const extension = new Uint8Array(512)
  extension.set(latin1(octal(10) + octal(3)))
  const sparse = [
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', 's'],
    ['GNU.sparse.realsize', '20'],
  ] as const
  const map = [
    ['GNU.sparse.size', '20'],
    ['GNU.sparse.numblocks', '2'],
    ['GNU.sparse.map', '2,4,10,3'],
  ] as const
  return [
    ...random,
    concat(gnu, extension, padded('AAAABBB'), rawFile({}, 'x'), endOfArchive),
    concat(pax('x', sparse), rawFile({}, concat(padded('2\n2\n4\n10\n3\n'), latin1('AAAABBB'))), endOfArchive),
    concat(pax('x', map), rawFile({}, 'AAAABBB'), endOfArchive),
    concat(extendedHeader('L', 'n'.repeat(600)), extendedHeader('K', 'l'), rawFile({ type: '2' }), endOfArchive),
    concat(pax('g', [['mtime', '1.5']]), rawFile({}, 'x'), pax('x', [['size', '3']]), rawFile({}, 'xyz')),
    concat(rawHeader({ uid: '\x80\0\0\0\0\0\x10\0', mtime: '\xff'.repeat(12) }), rawFile({ starTrailer: 'tar\0' })),
  ]
}

function corpusSeeds(): Uint8Array[] {
  if (corpus === null) return []
  const names = readdirSync(corpusPath('tars')).filter(name => name.endsWith('.tar'))
  return names.map(name => new Uint8Array(readFileSync(corpusPath('tars', name)))).filter(tar => tar.length < 20_000)
}

function expectSane(result: ReadResult, archive: Uint8Array, context: string): void {
  const { error, entries, position } = result
  if (error === null) expect(position, context).to.equal(archive.length)
  else {
    if (!(error instanceof OvlError)) throw new Error(`${error.stack}, ${context}`)
    expect(error.code, context).to.be.oneOf(['BAD_TAR', 'TRUNCATED', 'LIMIT_EXCEEDED'])
    expect(error.data['offset'], context).to.be.within(0, archive.length)
  }
  expect(entries.length, context).to.be.at.most(archive.length / 512)
  for (const { header, runs, ended } of entries) {
    const length = runs.reduce((sum, run) => sum + run.bytes.length, 0)
    if (ended) expect(length, context).to.equal(header.storedSize)
    else expect(length, context).to.be.at.most(header.storedSize)
    for (const run of runs) expect(run.offset + run.bytes.length, context).to.be.at.most(header.size)
    if (header.type >= tarType.hardLink && header.type <= tarType.fifo) expect(length, context).to.equal(0)
    expect(header.mtimeNsec, context).to.be.within(0, 999_999_999)
    for (const name of [header.name, header.linkName]) expect(encodeName(name).length, context).to.be.at.most(1 << 20)
  }
}

/** Everything that a reading reported, as text. */
function fingerprint(result: ReadResult): string[] {
  const reports = [...result.entries, ...result.globals].map(report => JSON.stringify(report, jsonBytes))
  return [...reports, `${result.error?.message}`, `${result.ended}`]
}

function jsonBytes(_key: string, value: unknown): unknown {
  if (value instanceof Map) return [...value]
  return value instanceof Uint8Array ? `${value.length} bytes ${md5(value)}` : value
}

/** Contents of a PAX header of that many bytes: one long record. */
function paxOfSize(sizeBytes: number): string {
  const start = `${sizeBytes} comment=`
  return `${start}${'c'.repeat(sizeBytes - start.length - 1)}\n`
}

function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
