// A layer read back by others: GNU tar, bsdtar and tar-stream see the entries that were written.

import { spawnSync } from 'node:child_process'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import { extract } from 'tar-stream'
import { makeDevice, MemoryFs, S_IFBLK, S_IFIFO, type Tree, writeTree } from '../../../src/fs/index.ts'
import { diffUpper, encodeLayerBytes, type EncodeOptions, layerEntries } from '../../../src/layer/index.ts'
import { hasTool, skipUnless } from '../../support/probe.ts'

const long = `${'a-long-name-of-a-directory/'.repeat(5)}file`

const tree: Tree = {
  'd/é': { content: 'text', mode: '4750', uid: 3_000_000, gid: 5, mtime: '1600000000.123456789' },
  'd/old': { content: '', mtime: '-1.5' },
  'd/s': { target: 'é', mtime: '1600000000' },
  [long]: { content: 'x', mtime: '1600000000', xattrs: { 'user.a': 'v' } },
  z: { link: 'd/é' },
  gone: { type: 'whiteout' },
  o: { type: 'dir', opaque: true, mtime: '1600000000' },
}

/** What each reader must find: type and name, with the target of links. */
const want = [
  'directory a-long-name-of-a-directory/',
  ...[2, 3, 4, 5].map(count => `directory ${'a-long-name-of-a-directory/'.repeat(count)}`),
  `file ${long}`,
  'block b',
  'directory d/',
  'file d/old',
  'symlink d/s -> é',
  'file d/é',
  'file .wh.gone',
  'directory o/',
  'file o/.wh..wh..opq',
  'fifo p',
  'link z -> d/é',
]

describe('a layer of ours', () => {
  it('is what GNU tar reads', function () {
    skipUnless(this, hasTool('tar'), 'no tar')
    const rows = listed('tar', ['tvf', '-', '--full-time', '--utc', '--numeric-owner', '--quoting-style=literal'])
    expect(rows.map(shortRow)).to.deep.equal(want)
    expect(rows.find(row => row.endsWith('d/é') && row.startsWith('-'))).to.match(
      /^-rwsr-x--- 3000000\/5 +4 2020-09-13 12:26:40\.123456789 d\/é$/,
    )
  })

  it('is what bsdtar reads', function () {
    skipUnless(this, hasTool('bsdtar'), 'no bsdtar')
    const rows = listed('bsdtar', ['tf', '-'])
    expect(rows).to.deep.equal(want.map(row => row.replace(/^\S+ /, '').replace(/ -> .*$/, '')))
  })

  it('is what tar-stream reads', async () => {
    const found: string[] = []
    const contents = new Map<string, string>()
    const reading = extract()
    reading.on('entry', (header, stream, next) => {
      const { type, name, linkname } = header
      const shown = type === 'block-device' ? 'block' : type
      found.push(`${shown} ${name}${linkname === null || linkname === undefined ? '' : ` -> ${linkname}`}`)
      const parts: Buffer[] = []
      stream.on('data', part => void parts.push(part as Buffer))
      stream.on('end', () => {
        contents.set(name, Buffer.concat(parts).toString())
        next()
      })
    })
    await new Promise<void>((resolve, reject) => {
      reading.on('finish', () => resolve())
      reading.on('error', reject)
      Readable.from([layer()]).pipe(reading)
    })
    expect(found).to.deep.equal(want)
    expect([contents.get('d/é'), contents.get(long)]).to.deep.equal(['text', 'x'])
  })

  it('has plain headers only, where names and times need no more', () => {
    const memory = fileSystemOf({ d: { type: 'dir', mtime: '5' }, 'd/f': { content: 'x', mtime: '5' } })
    const bytes = encodeLayerBytes(layerEntries(diffUpper(memory), { warn: fail }))
    expect(bytes.length).to.equal(3 * 512 + 1024)
  })
})

function layer(options: EncodeOptions = {}): Buffer {
  const memory = fileSystemOf(tree)
  memory.mknod('/b', S_IFBLK | 0o600, makeDevice(8, 1))
  memory.mknod('/p', S_IFIFO | 0o600)
  return Buffer.from(encodeLayerBytes(layerEntries(diffUpper(memory), { warn: fail }), options))
}

function listed(tool: string, args: readonly string[]): string[] {
  const { stdout, stderr, status } = spawnSync(tool, args, {
    input: layer(),
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  })
  if (status !== 0) throw new Error(`${tool}: ${stderr.toString()}`)
  return stdout.toString().trimEnd().split('\n')
}

const types: Readonly<Record<string, string>> = {
  '-': 'file',
  d: 'directory',
  l: 'symlink',
  h: 'link',
  p: 'fifo',
  b: 'block',
}

function shortRow(row: string): string {
  const name = row.replace(/^(?:\S+ +){5}/, '').replace(' link to ', ' -> ')
  return `${types[row[0] ?? ''] ?? row[0]} ${name}`
}

function fileSystemOf(of: Tree): MemoryFs {
  const memory = new MemoryFs({ now: () => 1_700_000_000_000_000_000n })
  writeTree(memory, '/', of)
  return memory
}

function fail(warning: { readonly message: string }): never {
  throw new Error(`unexpected warning: ${warning.message}`)
}
