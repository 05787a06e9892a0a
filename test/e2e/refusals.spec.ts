// What `ovl unpack` refuses: the error code, its exit status, a message that says what and where,
// and an empty directory afterwards. Each archive is sound but for one thing.

import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { type ErrorCode, errorCodes } from '../../src/errors/index.ts'
import { ovl } from '../support/cli.ts'
import { makeTar, type TarCaseEntry } from '../support/make-tar.ts'
import { isRoot } from '../support/probe.ts'

type Refusal = {
  readonly code: ErrorCode
  readonly name: string
  readonly layer?: readonly TarCaseEntry[] | Buffer
  readonly config?: object
  readonly manifest?: (entry: object) => unknown
  readonly flags?: readonly string[]
  readonly says: RegExp
}

const file = (name: string): TarCaseEntry => ({ type: 'file', name, content: 'x' })
const link = (name: string, linkname: string): TarCaseEntry => ({ type: 'hardlink', name, linkname })

const refusals: readonly Refusal[] = [
  {
    code: 'BAD_HARD_LINK',
    name: 'a hard link to nothing',
    layer: [link('a', 'gone')],
    says: /"a" to "gone" in layer 1/,
  },
  {
    code: 'BAD_HARD_LINK',
    name: 'a hard link to a directory',
    layer: [{ type: 'dir', name: 'd/' }, link('a', 'd')],
    says: /"a" to "d"/,
  },
  { code: 'BAD_HARD_LINK', name: 'a hard link to itself', layer: [link('a', 'a')], says: /"a"/ },
  { code: 'BAD_WHITEOUT', name: 'a whiteout of the parent', layer: [file('d/.wh...')], says: /\.wh\.\.\./ },
  { code: 'UNSAFE_PATH', name: '".." with --strict', layer: [file('../a')], flags: ['--strict'], says: /"\.\.\/a"/ },
  { code: 'BAD_ENTRY', name: 'a root that is a file', layer: [file('.')], says: /"\.".*root/ },
  { code: 'BAD_ENTRY', name: 'a type that nobody knows', layer: [{ type: 'unknown', name: 'u' }], says: /"u"/ },
  { code: 'BAD_TAR', name: 'a layer that is no tar', layer: Buffer.alloc(1024, 'no tar, '), says: /at byte 0/ },
  {
    code: 'TRUNCATED',
    name: 'a layer that ends in a file',
    layer: cut(makeTar([file('a')]), 512),
    says: /at byte 512/,
  },
  {
    code: 'DIFF_ID_MISMATCH',
    name: 'another diff ID',
    config: { rootfs: { type: 'layers', diff_ids: [`sha256:${'0'.repeat(64)}`] } },
    says: /layer 1/,
  },
  {
    code: 'LAYER_COUNT_MISMATCH',
    name: 'more diff IDs than layers',
    config: { rootfs: { type: 'layers', diff_ids: [0, 1].map(() => `sha256:${'0'.repeat(64)}`) } },
    says: /2.*1|1.*2/,
  },
  { code: 'BAD_USER', name: 'a user that the image lacks', config: { config: { User: 'nemo' } }, says: /"nemo"/ },
  {
    code: 'IMAGE_AMBIGUOUS',
    name: 'two images and none named',
    manifest: entry => [
      { ...entry, RepoTags: ['one:1'] },
      { ...entry, RepoTags: ['two:2'], Config: 'other.json' },
    ],
    says: /one:1.*two:2/,
  },
  { code: 'BLOB_MISSING', name: 'a layer that is not there', manifest: gone, says: /gone\.tar/ },
]

describe('ovl unpack refuses', () => {
  let directory = ''
  before(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-refuse-'))
  })
  after(() => fs.rmSync(directory, { recursive: true, force: true }))
  afterEach(() => {
    fs.rmSync(path.join(directory, 'bundle'), { recursive: true, force: true })
  })

  for (const refusal of refusals) {
    const { code, name, flags = [], says } = refusal
    it(`${name}: ${code}`, async () => {
      const image = path.join(directory, 'image.tar')
      fs.writeFileSync(image, archive(refusal))
      const mode = isRoot() ? [] : ['--rootless']
      const bundle = path.join(directory, 'bundle')
      const { stdout, stderr, status } = await ovl(['unpack', '--flat', ...mode, ...flags, image, bundle])
      expect(stderr).to.contain(`[${code}]`).and.match(says)
      expect([stdout, status]).to.deep.equal(['', errorCodes[code].exit])
      expect(fs.readdirSync(directory)).to.deep.equal(['image.tar'])
    })
  }
})

/** A docker-archive of one image with one layer, and a second config for a second image. */
function archive({ layer = [file('a')], config = {}, manifest = entry => [entry] }: Refusal): Buffer {
  const tar = Buffer.isBuffer(layer) ? layer : makeTar(layer)
  const diffID = `sha256:${createHash('sha256').update(tar).digest('hex')}`
  const document = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [diffID] }, ...config }
  const entry = { Config: 'config.json', RepoTags: ['it:latest'], Layers: ['layer.tar'] }
  return makeTar([
    member('layer.tar', tar),
    member('config.json', JSON.stringify(document)),
    member('other.json', JSON.stringify({ ...document, author: 'other' })),
    member('manifest.json', JSON.stringify(manifest(entry))),
  ])
}

function member(name: string, content: Buffer | string): TarCaseEntry {
  return { type: 'file', name, content_b64: Buffer.from(content).toString('base64') }
}

function gone(entry: object): unknown {
  return [{ ...entry, Layers: ['gone.tar'] }]
}

/** The first blocks of an archive. */
function cut(tar: Buffer, bytes: number): Buffer {
  return tar.subarray(0, bytes)
}
