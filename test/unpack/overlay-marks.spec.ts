// What stands in the directories of layers: public test tables of per-layer unpackers, and the marks of every form.

import { expect } from 'chai'
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadSystem, removeTree } from '../../src/host/index.ts'
import { HostPaths } from '../../src/unpack/host-paths.ts'
import { unpackLayers } from '../../src/unpack/index.ts'
import { MarkWriter } from '../../src/unpack/mark-writer.ts'
import { corpus, needsCorpus } from '../support/corpus.ts'
import { readUpstreamCases, type UpstreamCase } from '../support/layer-cases.ts'
import { makeTar, type TarCaseEntry } from '../support/make-tar.ts'
import { memoryImage } from '../support/memory-image.ts'
import { isRoot, skipUnless } from '../support/probe.ts'

type DiskRow = {
  readonly path: string
  readonly type?: string
  readonly dev?: string
  readonly opaque?: boolean
  readonly xattrs?: Readonly<Record<string, string>>
}

/** The tables convert one layer without looking at those below; ovl marks only what hides something (rule 9). */
const below: Readonly<Record<string, readonly string[]>> = {
  'cstorage/overlay/NestedWhiteouts': ['foo/a'],
  'umoci/overlay/Whiteout': ['file'],
  'umoci/overlay/OpaqueWhiteout': ['dir/a'],
  'umoci/overlay/Nested': ['opaque-innerplain/x', 'opaque-nested/a/b/c/d/x'],
}

/** Where a rule of docs/layers.md contradicts a row, by path: why, and what is there instead. */
const exceptions: Readonly<Record<string, { readonly why: string; readonly instead: 'file' | 'nothing' }>> = {
  file: { why: 'rule 8: an entry wins over a whiteout of its own layer', instead: 'file' },
  'opaque-nested/a/b': { why: 'rule 9: nothing is left to hide in an opaque directory', instead: 'nothing' },
  'opaque-nested/a/b/c/d': { why: 'rule 9: nothing is left to hide in an opaque directory', instead: 'nothing' },
}

describe('layer directories', () => {
  let arena = ''
  beforeEach(() => {
    arena = fs.mkdtempSync(join(tmpdir(), 'ovl-marks-'))
  })
  afterEach(async () => {
    await removeTree(arena)
  })

  describe('of upstream cases', () => {
    before(needsCorpus)
    before(function () {
      skipUnless(this, isRoot(), 'owners and trusted attributes need root', { optional: true })
    })
    const all = corpus === null ? [] : readUpstreamCases(corpus).filter(({ expect: want }) => want.ondisk !== undefined)
    for (const testCase of all)
      for (const userxattr of namespaces(testCase))
        it(`${testCase.id}, ${userxattr ? 'user' : 'trusted'}: ${testCase.title}`, async () => {
          const base = makeTar((below[testCase.id] ?? []).map((name): TarCaseEntry => ({ type: 'file', name })))
          const tars = [base, ...testCase.layers.map(entries => makeTar(entries))]
          await unpackLayers(memoryImage(tars), join(arena, 'bundle'), { userxattr })
          const top = join(arena, 'bundle/lower', String(tars.length))
          const rows = testCase.expect.ondisk as readonly DiskRow[]
          for (const row of rows) checkRow(top, row, { userxattr })
          const absent = (testCase.expect as { ondisk_absent?: readonly string[] }).ondisk_absent ?? []
          expect(absent.filter(path => fs.existsSync(join(top, path)))).to.deep.equal([])
        })
  })
})

describe('marks that are files', () => {
  let arena = ''
  before(function () {
    skipUnless(this, isRoot() && loadSystem() !== null, 'overlays are mounted as root', { optional: true })
    arena = fs.mkdtempSync(join(tmpdir(), 'ovl-marks-'))
  })
  after(async () => {
    await removeTree(arena)
  })

  for (const xattrs of ['trusted', 'user'] as const)
    it(`hide what is below from the kernel, with ${xattrs}.overlay.*`, function () {
      const system = loadSystem()
      const root = join(arena, xattrs)
      for (const path of ['1/d/gone', '1/d/kept', '1/o/gone', '2/d', '2/o', 'm'])
        fs.mkdirSync(join(root, path), { recursive: true })
      if (system === null) throw new Error('no system calls')
      const marks = new MarkWriter(new HostPaths(`${root}/2/`), { system, form: { xattrs, whiteouts: 'xattr' } })
      marks.whiteout('d/gone')
      marks.opaque('o')
      marks.finish()
      expect(fs.statSync(join(root, '2/d/gone')).size).to.equal(0)
      const options = `lowerdir=2:1${xattrs === 'user' ? ',userxattr' : ''}`
      const script = 'mount -t overlay overlay -o "$1" m; ls m/d m/o; test ! -e m/d/gone; umount --lazy m'
      const { stdout, stderr, status } = spawnSync('unshare', ['--mount', 'sh', '-ec', script, 'sh', options], {
        cwd: root,
        encoding: 'utf8',
      })
      skipUnless(this, !stderr.includes('mount'), 'overlays cannot be mounted here', { optional: true })
      expect({ status, stdout }).to.deep.equal({ status: 0, stdout: 'm/d:\nkept\n\nm/o:\n' })
    })
})

/** Cases about one namespace say so. */
function namespaces({ applies_to: text = '' }: UpstreamCase): readonly boolean[] {
  if (text.includes('(userxattr)')) return [true]
  return text.includes('(trusted)') ? [false] : [false, true]
}

function checkRow(top: string, row: DiskRow, { userxattr }: { readonly userxattr: boolean }): void {
  const full = join(top, row.path)
  const exception = exceptions[row.path]
  const stat = fs.lstatSync(full, { throwIfNoEntry: exception?.instead !== 'nothing' })
  if (exception !== undefined)
    return void expect(stat?.isFile(), exception.why).to.equal(exception.instead === 'file' ? true : undefined)
  if (stat === undefined) throw new Error(`${row.path} is missing`)
  if (row.type === 'char') {
    expect(stat.isCharacterDevice(), `${row.path} is a device`).to.equal(true)
    expect(stat.rdev, row.path).to.equal(0)
  } else if (row.type !== undefined) expect(stat.isDirectory(), row.path).to.equal(row.type === 'dir')
  if (row.opaque === true)
    expect(xattr(full, `${userxattr ? 'user' : 'trusted'}.overlay.opaque`), `${row.path} is opaque`).to.equal('y')
  for (const [name, value] of Object.entries(row.xattrs ?? {})) expect(xattr(full, name), row.path).to.equal(value)
}

function xattr(path: string, name: string): string {
  const system = loadSystem()
  return system?.llistxattr(path).includes(name) === true
    ? Buffer.from(system.lgetxattr(path, name)).toString('latin1')
    : 'none'
}
