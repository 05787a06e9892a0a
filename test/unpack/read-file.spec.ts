// The content of one file, handed out no faster than it is taken.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { blob, ociTypes, sha256 } from '../../fixtures/documents.ts'
import { openImage } from '../../src/image/index.ts'
import { type ContentChunk, readFileContent, readImageTree, type ReadTreeOptions } from '../../src/unpack/index.ts'
import { dockerFiles, makeImage, writeFiles } from '../image/make-image.ts'
import { makeTar, type TarCaseEntry } from '../support/make-tar.ts'

let directory: string
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'ovl-read-file-'))
})
after(() => rmSync(directory, { recursive: true, force: true }))

describe('readFileContent()', () => {
  it('waits for the receiver before it reads on, and its bytes stay as they are so long', async () => {
    const content = Array.from({ length: 150_000 }, (_, i) => `line ${i}\n`).join('')
    let running = 0
    let received = ''
    await readOnly({ type: 'file', name: 'text', content }, async chunk => {
      expect(++running).to.equal(1)
      await nextTurn()
      received += Buffer.from(chunk).toString()
      running--
    })
    expect(received === content).to.equal(true)
  })

  it('gives holes as zeros, at the start, inside and at the end', async () => {
    const pieces: Uint8Array[] = []
    await readOnly(sparse({ map: '70000,4,140000,5', content: 'abcdefghi', sizeBytes: 200_001 }), chunk => {
      pieces.push(Uint8Array.from(chunk))
    })
    const expected = Buffer.alloc(200_001)
    expected.write('abcd', 70_000)
    expected.write('efghi', 140_000)
    expect(Buffer.concat(pieces).equals(expected)).to.equal(true)
  })

  it('can be stopped in a hole that never ends', async () => {
    const stop = new AbortController()
    let zeros = 0
    setImmediate(() => stop.abort(new Error('enough')))
    const reading = readOnly(
      sparse({ map: '0,1', content: 'x', sizeBytes: Number.MAX_SAFE_INTEGER }),
      chunk => void (zeros += chunk.length),
      { signal: stop.signal },
    )
    const failure = await reading.then(
      () => null,
      (error: unknown) => error,
    )
    expect(failure).to.be.an('error')
    expect(zeros).to.be.lessThan(2 ** 40)
  })

  it('ends with the error of the receiver', async () => {
    const failure = await readOnly({ type: 'file', name: 'text', content: 'x' }, () =>
      Promise.reject(new Error('nobody reads')),
    ).then(
      () => null,
      (error: unknown) => error,
    )
    expect(failure).to.be.an('error').with.property('message', 'nobody reads')
  })
})

/** Reads the only file of an image with one compressed layer. */
async function readOnly(entry: TarCaseEntry, onChunk: ContentChunk, options: ReadTreeOptions = {}): Promise<void> {
  const tar = makeTar([entry])
  const layer = { blob: blob(ociTypes.gzip, gzipSync(tar)), diffHex: sha256(tar), tar }
  const image = await openImage(
    writeFiles(
      mkdtempSync(join(directory, 'image-')),
      dockerFiles([{ image: makeImage({ layers: [layer] }), tags: [] }]),
    ),
  )
  try {
    const tree = await readImageTree(image)
    const [file] = tree.root.children.values()
    if (file?.kind !== 'file') throw new Error('the layer holds no file')
    await readFileContent(image, { file, onChunk }, options)
  } finally {
    image.close()
  }
}

function sparse(file: { readonly map: string; readonly content: string; readonly sizeBytes: number }): TarCaseEntry {
  const pax = {
    'GNU.sparse.major': '0',
    'GNU.sparse.minor': '1',
    'GNU.sparse.size': String(file.sizeBytes),
    'GNU.sparse.numblocks': String(file.map.split(',').length / 2),
    'GNU.sparse.map': file.map,
  }
  return { type: 'file', name: 'sparse', content: file.content, pax }
}
