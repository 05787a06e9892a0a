// Upperdirs of real workloads on kernel mounts: our layer over the lower directory is what the mount showed, by ovl and
// by umoci; and entry by entry it is what Docker, buildah and containerd agree on.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { openStack } from '../../src/commands/diff/lower-stack.ts'
import { openHostView } from '../../src/host/index.ts'
import { diffTrees, diffUpper, encodeLayerBytes, layerEntries, type LayerEntryOptions } from '../../src/layer/index.ts'
import { corpusPath, needsCorpus } from '../support/corpus.ts'
import { applyToDirectory } from '../support/disk-tree.ts'
import { type Listing, type ListingColumn, listingDifferences, listTree, parseListing } from '../support/listing.ts'
import { hasTool, isRoot, skipUnless } from '../support/probe.ts'

/** Each with what is special about it. */
const uppers: readonly { readonly name: string; readonly userxattr?: boolean; readonly indexed?: boolean }[] = [
  { name: 'git' },
  { name: 'npm' },
  { name: 'opaque' },
  { name: 'links' },
  { name: 'rename-on' }, // redirect_dir=on
  { name: 'rename-off' },
  { name: 'meta-on' }, // metacopy=on
  { name: 'links-nfs' }, // nfs_export=on, index=on
  { name: 'userxattr', userxattr: true },
  { name: 'fuse-overlayfs' },
]
/** Those that the other tools made layers of. */
const compared = ['git', 'npm', 'opaque', 'links'] as const

describe('upperdirs of real workloads', function () {
  this.timeout(240_000)
  let arena = ''
  let lower = ''
  let base: Uint8Array
  const layers = new Map<string, Uint8Array>()

  before(needsCorpus)
  before(function () {
    skipUnless(this, isRoot(), 'needs root for owners, devices and trusted attributes')
    skipUnless(this, hasTool('zstd'), 'no zstd')
    arena = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-uppers-'))
    lower = extract('lower-small')
    const [empty, view] = [openHostView(makeDirectory('empty')), openHostView(lower)]
    base = encodeLayerBytes(layerEntries(diffTrees(empty, view), { warn: fail }))
    for (const each of [empty, view]) each.close()
  })
  after(() => fs.rmSync(arena, { recursive: true, force: true }))

  for (const { name, userxattr = false } of uppers) {
    it(`${name}: our layer over the lower directory is the merged tree`, () => {
      layers.set(name, layerOf(name, { userxattr }))
      expect(applied(name, layers.get(name))).to.deep.equal([])
    })
  }

  it('opaque: explicit whiteouts give the same tree', () => {
    expect(applied('opaque', layerOf('opaque', { opaque: 'explicit' }))).to.deep.equal([])
  })

  for (const name of compared) {
    it(`${name}: umoci makes the same tree of our layer`, function () {
      skipUnless(this, hasTool('umoci'), 'no umoci')
      const layer = layers.get(name)
      skipUnless(this, layer !== undefined, 'the layer could not be made')
      const rootfs = unpackWithUmoci(name, [base, layer as Uint8Array])
      expect(differences(merged(name), listTree(rootfs), name)).to.deep.equal([])
    })

    it(`${name}: our entries are those that Docker, buildah and containerd agree on`, () => {
      const ours = entriesOf(layers.get(name) as Uint8Array, path.join(makeDirectory('entries'), 'layer.tar'))
      const others = ['docker', 'buildah', 'ctr'].map(tool => agreedRows(`${name}.${tool}-layer.tsv`))
      const [docker = new Map()] = others
      const common = [...docker].filter(([key, row]) => others.every(rows => rows.get(key) === row))
      expect(common.filter(([key, row]) => ours.get(key) !== row)).to.deep.equal([])
      const known = new Set(others.flatMap(rows => [...rows.keys()]))
      // Objects of git are named after contents with the time in them.
      expect([...ours.keys()].filter(key => !known.has(key) && !key.includes('/.git/objects/'))).to.deep.equal([])
    })
  }

  function makeDirectory(name: string): string {
    return fs.mkdtempSync(path.join(arena, `${name}-`))
  }

  function extract(name: string): string {
    const directory = makeDirectory(name)
    const archive = corpusPath(
      'uppers',
      fs.existsSync(corpusPath('uppers', `${name}.tar.zst`)) ? `${name}.tar.zst` : `${name}.upper.tar.zst`,
    )
    const args = ['--xattrs', '--xattrs-include=*', '--same-owner', '-xpf', archive, '-C', directory]
    const { status, stderr } = spawnSync('tar', args)
    if (status !== 0) throw new Error(`Cannot extract ${archive}: ${stderr.toString()}`)
    // GNU tar keeps no hard links of FIFOs.
    if (name === 'links') {
      const script = 'touch -r t "$1" && ln -f t/fifo t/fifo2 && touch -r "$1" t'
      spawnSync('sh', ['-ec', script, 'sh', path.join(arena, 'time')], { cwd: directory })
    }
    return directory
  }

  function layerOf(
    name: string,
    { userxattr = false, ...options }: Partial<LayerEntryOptions> & { readonly userxattr?: boolean },
  ): Uint8Array {
    const closers: (() => void)[] = []
    const upper = openHostView(extract(name))
    const below = openStack({ directories: [lower], userxattr }, closers)
    const changeset = diffUpper(upper, { lower: below, userxattr })
    const layer = encodeLayerBytes(layerEntries(changeset, { ...options, warn: fail }))
    upper.close()
    for (const close of closers.toReversed()) close()
    return layer
  }

  /** What differs between the mounted tree and what ovl makes of the lower directory and a layer. */
  function applied(name: string, layer: Uint8Array | undefined): readonly string[] {
    const root = makeDirectory(`${name}-applied`)
    applyToDirectory(root, layer === undefined ? [base] : [base, layer])
    const found = differences(merged(name), listTree(root), name)
    fs.rmSync(root, { recursive: true })
    return found
  }

  function unpackWithUmoci(name: string, tars: readonly Uint8Array[]): string {
    const directory = makeDirectory(`${name}-umoci`)
    const run = (...args: readonly string[]): void => {
      const { status, stderr } = spawnSync('umoci', args, { cwd: directory })
      if (status !== 0) throw new Error(`umoci ${args.join(' ')}: ${stderr.toString()}`)
    }
    run('init', '--layout', 'image')
    run('new', '--image', 'image:a')
    for (const [index, tar] of tars.entries()) {
      fs.writeFileSync(path.join(directory, `${index}.tar`), tar)
      run('raw', 'add-layer', '--image', 'image:a', `${index}.tar`)
    }
    run('unpack', '--image', 'image:a', 'bundle')
    return path.join(directory, 'bundle/rootfs')
  }
})

function merged(name: string): Listing {
  return parseListing(fs.readFileSync(corpusPath('uppers', `${name}.merged.tsv`), 'utf8'))
}

function differences(want: Listing, got: Listing, upper: string): readonly string[] {
  return listingDifferences(want, got, (name, column) => isExcepted(upper, name, column))
}

/** What a mount shows and a copy cannot have. */
function isExcepted(upper: string, name: string, column: ListingColumn): boolean {
  // The root's time is that of making it, and its marks are the kernel's.
  if (name === '.') return column === 'mtime_s' || column === 'mtime_ns' || column === 'xattrs'
  // It was listed in a user namespace, which knows root alone.
  if (upper === 'userxattr') return column === 'uid' || column === 'gid'
  // fuse-overlayfs showed times that it remembered, not those on the disk.
  return upper === 'fuse-overlayfs' && column === 'mtime_ns'
}

/**
 * What a layer says, in a form that does not depend on which of its names a tool makes the file of a hard link, nor on
 * times and contents that the tools' own runs of the workload made.
 */
function agreedRows(file: string): Map<string, string> {
  const rows = new Map<string, string>()
  for (const line of fs.readFileSync(corpusPath('uppers', file), 'utf8').trimEnd().split('\n')) {
    const [name = '', type = '', mode = '', uid = '', gid = '', , , link = '', , rdev = '', xattrs = ''] =
      line.split('\t')
    rows.set(name, rowOf(name, { type, mode, uid, gid, link, rdev, xattrs }))
  }
  return rows
}

function rowOf(
  name: string,
  row: { type: string; mode: string; uid: string; gid: string; link: string; rdev: string; xattrs: string },
): string {
  if (path.basename(name).startsWith('.wh.')) return 'marker'
  const { type, mode, uid, gid, link, rdev, xattrs } = row
  // Which name of a file is the link is a matter of order.
  const isName = type === 'h' || type === 'f' || type === 'p' || type === 'l'
  return isName ? [mode, uid, gid, xattrs].join(' ') : [type, mode, uid, gid, rdev, xattrs, link].join(' ')
}

function entriesOf(layer: Uint8Array, file: string): Map<string, string> {
  fs.writeFileSync(file, layer)
  const script = `
import tarfile, sys
def esc(s): return ''.join(chr(c) if 0x21 <= c <= 0x7e and c != 0x5c else '\\\\x%02x' % c for c in s.encode('utf-8', 'surrogateescape'))
for m in tarfile.open(sys.argv[1], encoding='utf-8', errors='surrogateescape'):
    t = 'd' if m.isdir() else 'h' if m.islnk() else 'l' if m.issym() else 'p' if m.isfifo() else 'c' if m.ischr() else 'b' if m.isblk() else 'f'
    x = ','.join(sorted(k[13:] + '=' + v.encode('utf-8', 'surrogateescape').hex() for k, v in m.pax_headers.items() if k.startswith('SCHILY.xattr.'))) or '-'
    rdev = '%d:%d' % (m.devmajor, m.devminor) if t in 'cb' else '-'
    print('\\t'.join([esc(m.name), t, '%04o' % m.mode, str(m.uid), str(m.gid), esc(m.linkname) or '-', rdev, x]))
`
  const { stdout, stderr, status } = spawnSync('python3', ['-c', script, file], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(stderr)
  const rows = new Map<string, string>()
  for (const line of stdout.trimEnd().split('\n')) {
    const [name = '', type = '', mode = '', uid = '', gid = '', link = '', rdev = '', xattrs = ''] = line.split('\t')
    // Links have no metadata of their own; other tools repeat that of the file.
    const row = type === 'h' ? rows.get(link) : rowOf(name, { type, mode, uid, gid, link, rdev, xattrs })
    rows.set(name, row ?? 'a link to nothing')
  }
  return rows
}

function fail(warning: { readonly message: string }): never {
  throw new Error(`unexpected warning: ${warning.message}`)
}
