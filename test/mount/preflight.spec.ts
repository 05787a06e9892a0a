// Every rule of the preflight, put to the kernel as well: both refuse, with the same errno, or both accept.

import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { OvlError } from '../../src/errors/index.ts'
import { readMounts } from '../../src/host/index.ts'
import { checkFilesystems } from '../../src/mount/check-filesystems.ts'
import { type OpenLayer, openLayers } from '../../src/mount/layers.ts'
import { preflight, readOptions } from '../../src/mount/index.ts'
import { skipUnless } from '../support/probe.ts'
import { needsOverlayMounts, Stage } from '../support/overlay-stage.ts'

type Row = {
  readonly name: string
  /** `$name` is a path of the stage. */
  readonly options: string
  /** Code of the refusal; none where the kernel mounts. */
  readonly code?: string
  /** A note that is given. */
  readonly note?: RegExp
  /** What the stage needs; false when this machine cannot have it. */
  readonly prepare?: (stage: Stage) => boolean | void
}

const layers = 'lowerdir=$l1,upperdir=$u,workdir=$w'

const rows: readonly Row[] = [
  { name: 'the plain case', options: layers, note: /^index=off: hard links break/ },
  { name: 'redirect_dir on', options: `${layers},redirect_dir=on,metacopy=on` },
  { name: '21: upperdir without workdir', options: 'lowerdir=$l1,upperdir=$u', code: 'OVL_NO_WORKDIR' },
  { name: '22: no lowerdir', options: 'upperdir=$u,workdir=$w', code: 'OVL_NO_LOWERDIR' },
  { name: '22: an empty lowerdir', options: 'lowerdir=,upperdir=$u,workdir=$w', code: 'OVL_NO_LOWERDIR' },
  { name: '22: nothing at all', options: '', code: 'OVL_NO_LOWERDIR' },
  { name: '23: one lower layer alone', options: 'lowerdir=$l1', code: 'OVL_TOO_FEW_LAYERS' },
  { name: '22: one data-only layer alone', options: 'datadir+=$l1', code: 'OVL_NO_LOWERDIR' },
  { name: 'one lower and one data-only layer', options: 'lowerdir=$l1::$l2' },
  { name: '22: data-only layers alone', options: 'datadir+=$l1,datadir+=$l2', code: 'OVL_NO_LOWERDIR' },
  {
    name: '22: data-only layers and an upperdir',
    options: 'datadir+=$l1,upperdir=$u,workdir=$w',
    code: 'OVL_NO_LOWERDIR',
  },
  { name: '24: two lower layers', options: 'lowerdir=$l1:$l2', note: /read-only/ },
  { name: '17: workdir without upperdir', options: 'lowerdir=$l1:$l2,workdir=$w' },
  {
    name: '17: a missing workdir without upperdir',
    options: 'lowerdir=$l1:$l2,workdir=$none',
    code: 'OVL_WORKDIR_NOT_FOUND',
  },
  { name: '25: workdir = upperdir', options: 'lowerdir=$l1,upperdir=$u,workdir=$u', code: 'OVL_WORKDIR_IS_UPPERDIR' },
  {
    name: '25: workdir in upperdir',
    options: 'lowerdir=$l1,upperdir=$u,workdir=$u/w',
    code: 'OVL_WORKDIR_NESTED',
    prepare: stage => void stage.make('u/w'),
  },
  {
    name: '25: upperdir in workdir',
    options: 'lowerdir=$l1,upperdir=$w/u,workdir=$w',
    code: 'OVL_WORKDIR_NESTED',
    prepare: stage => void stage.make('w/u'),
  },
  {
    name: 'workdir beside a longer name',
    options: 'lowerdir=$l1,upperdir=$w/up,workdir=$w/u',
    prepare: stage => void (stage.make('w/up'), stage.make('w/u')),
  },
  {
    name: '26: workdir on another file system',
    options: layers,
    code: 'OVL_WORKDIR_OTHER_FS',
    prepare: stage => stage.mount('-t', 'tmpfs', 'tmpfs', 'w'),
  },
  {
    name: '26: workdir on another mount',
    options: layers,
    code: 'OVL_WORKDIR_OTHER_MOUNT',
    prepare: stage => stage.mount('--bind', stage.at('u'), 'u'),
  },
  {
    name: 'both through one bind mount',
    options: 'lowerdir=$l1,upperdir=$m2/u,workdir=$m2/w',
    prepare: stage => (stage.make('x/u'), stage.make('x/w'), stage.mount('--bind', stage.at('x'), 'm2')),
  },
  {
    name: '25: nested, seen through a bind mount',
    options: 'lowerdir=$l1,upperdir=$m2,workdir=$m2/w',
    code: 'OVL_WORKDIR_NESTED',
    prepare: stage => (stage.make('x/w'), stage.mount('--bind', stage.at('x'), 'm2')),
  },
  {
    name: '27: a file as lower layer',
    options: 'lowerdir=$file,upperdir=$u,workdir=$w',
    code: 'OVL_NOT_A_DIRECTORY',
    prepare: stage => fs.writeFileSync(stage.at('file'), ''),
  },
  {
    name: '27: a file as upperdir',
    options: 'lowerdir=$l1,upperdir=$file,workdir=$w',
    code: 'OVL_NOT_A_DIRECTORY',
    prepare: stage => fs.writeFileSync(stage.at('file'), ''),
  },
  {
    name: '27: a FIFO as workdir',
    options: 'lowerdir=$l1,upperdir=$u,workdir=$fifo',
    code: 'OVL_NOT_A_DIRECTORY',
    prepare: stage => void execFileSync('mkfifo', [stage.at('fifo')]),
  },
  {
    name: '28: a missing lower layer',
    options: 'lowerdir=$l1:$none,upperdir=$u,workdir=$w',
    code: 'OVL_LOWER_NOT_FOUND',
  },
  {
    name: '48: a colon without its backslash',
    options: 'lowerdir=$a:b,upperdir=$u,workdir=$w',
    code: 'OVL_UNESCAPED_COLON',
    prepare: stage => void stage.make('a:b'),
  },
  {
    name: '48: a second colon without its backslash',
    options: 'lowerdir=$l1:$a:b:c',
    code: 'OVL_UNESCAPED_COLON',
    prepare: stage => void stage.make('a:b:c'),
  },
  {
    name: '49: a comma without its backslash',
    options: 'lowerdir=$l1:$a,b=c,upperdir=$u,workdir=$w',
    code: 'OVL_UNESCAPED_COMMA',
    prepare: stage => void stage.make('a,b=c'),
  },
  {
    name: '50: a comma in upperdir without its backslash',
    options: 'lowerdir=$l1,upperdir=$a,b,workdir=$w',
    code: 'OVL_UNESCAPED_COMMA',
    prepare: stage => void stage.make('a,b'),
  },
  { name: 'an unknown option', options: `${layers},bogus`, code: 'OVL_UNKNOWN_OPTION' },
  {
    name: 'a label without a security module',
    options: `${layers},context=x`,
    code: 'OVL_UNKNOWN_OPTION',
    prepare: () => !fs.existsSync('/sys/fs/selinux'),
  },
  { name: '28: a missing data-only layer', options: 'lowerdir=$l1::$none', code: 'OVL_LOWER_NOT_FOUND' },
  { name: '28: a missing upperdir', options: 'lowerdir=$l1,upperdir=$none,workdir=$w', code: 'OVL_UPPER_NOT_FOUND' },
  { name: '28: a missing workdir', options: 'lowerdir=$l1,upperdir=$u,workdir=$none', code: 'OVL_WORKDIR_NOT_FOUND' },
  {
    name: '28: a file in the path',
    options: 'lowerdir=$file/x,upperdir=$u,workdir=$w',
    code: 'OVL_LOWER_NOT_FOUND',
    prepare: stage => fs.writeFileSync(stage.at('file'), ''),
  },
  {
    name: '28: a symlink to nothing',
    options: 'lowerdir=$dangling,upperdir=$u,workdir=$w',
    code: 'OVL_LOWER_NOT_FOUND',
    prepare: stage => fs.symlinkSync('nothing', stage.at('dangling')),
  },
  {
    name: '28: symlinks in a circle',
    options: 'lowerdir=$loop,upperdir=$u,workdir=$w',
    code: 'OVL_LAYER_UNREACHABLE',
    prepare: stage => fs.symlinkSync('loop', stage.at('loop')),
  },
  {
    name: '28: a name longer than names can be',
    options: `lowerdir=$${'n'.repeat(256)},upperdir=$u,workdir=$w`,
    code: 'OVL_LAYER_UNREACHABLE',
  },
  { name: 'a layer without a name', options: 'lowerdir=$l1:\\', code: 'OVL_BAD_VALUE' },
  {
    name: '66: symlinks to directories',
    options: 'lowerdir=$link,upperdir=$u,workdir=$w',
    prepare: stage => fs.symlinkSync('l1', stage.at('link')),
  },
  {
    name: '29: upperdir and workdir on a read-only mount',
    options: 'lowerdir=$l1,upperdir=$m2/u,workdir=$m2/w',
    code: 'OVL_UPPER_READ_ONLY',
    prepare: stage => (stage.mount('--bind', stage.directory, 'm2'), stage.mount('-o', 'remount,bind,ro', 'm2')),
  },
  {
    name: '29: on a read-only file system',
    options: 'lowerdir=$l1,upperdir=$m2/u,workdir=$m2/w',
    code: 'OVL_UPPER_READ_ONLY',
    prepare: stage => (
      stage.mount('-t', 'tmpfs', 'tmpfs', 'm2'),
      stage.make('m2/u'),
      stage.make('m2/w'),
      stage.mount('-o', 'remount,ro', 'm2')
    ),
  },
  {
    name: 'lower layers on a read-only mount',
    options: 'lowerdir=$m2/l1,upperdir=$u,workdir=$w',
    prepare: stage => (stage.mount('--bind', stage.directory, 'm2'), stage.mount('-o', 'remount,bind,ro', 'm2')),
  },
  {
    name: '30: upperdir and workdir on an overlay',
    options: 'lowerdir=$l3,upperdir=$m2/u,workdir=$m2/w',
    code: 'OVL_UPPER_ON_OVERLAY',
    prepare: stage => (stage.make('l1/u'), stage.make('l1/w'), mountOverlay(stage, layers, 'm2')),
  },
  { name: '31: a lower layer twice', options: 'lowerdir=$l1:$l2:$l1,upperdir=$u,workdir=$w', code: 'OVL_LAYER_TWICE' },
  {
    name: '31: twice, once through a symlink',
    options: 'lowerdir=$l1:$link',
    code: 'OVL_LAYER_TWICE',
    prepare: stage => fs.symlinkSync('l1', stage.at('link')),
  },
  {
    name: '31: twice, once through a bind mount',
    options: 'lowerdir=$l1:$m2',
    code: 'OVL_LAYER_TWICE',
    prepare: stage => stage.mount('--bind', stage.at('l1'), 'm2'),
  },
  { name: '31: as lower and as data-only layer', options: 'lowerdir=$l1:$l2::$l1', code: 'OVL_LAYER_TWICE' },
  { name: '31: lower = upper', options: 'lowerdir=$u,upperdir=$u,workdir=$w', code: 'OVL_LAYER_TWICE' },
  { name: '31: lower = work', options: 'lowerdir=$w,upperdir=$u,workdir=$w', code: 'OVL_LAYER_TWICE' },
  {
    name: '32: a lower layer in a lower layer',
    options: 'lowerdir=$l1:$l1/sub',
    code: 'OVL_LAYERS_NESTED',
    prepare: stage => void stage.make('l1/sub'),
  },
  {
    name: '32: the other way round',
    options: 'lowerdir=$l1/sub:$l1',
    code: 'OVL_LAYERS_NESTED',
    prepare: stage => void stage.make('l1/sub'),
  },
  {
    name: '32: a lower layer in upperdir',
    options: 'lowerdir=$u/sub,upperdir=$u,workdir=$w',
    code: 'OVL_LAYERS_NESTED',
    prepare: stage => void stage.make('u/sub'),
  },
  {
    name: '32: a lower layer in workdir',
    options: 'lowerdir=$w/sub,upperdir=$u,workdir=$w',
    code: 'OVL_LAYERS_NESTED',
    prepare: stage => void stage.make('w/sub'),
  },
  {
    name: '32: a data-only layer in a lower layer',
    options: 'lowerdir=$l1::$l1/sub',
    code: 'OVL_LAYERS_NESTED',
    prepare: stage => void stage.make('l1/sub'),
  },
  {
    name: '32: nested, seen through a bind mount',
    options: 'lowerdir=$l1:$m2',
    code: 'OVL_LAYERS_NESTED',
    prepare: stage => (stage.make('l1/sub'), stage.mount('--bind', stage.at('l1/sub'), 'm2')),
  },
  {
    name: 'another file system inside a lower layer',
    options: 'lowerdir=$l1:$l1/sub',
    prepare: stage => (stage.make('l1/sub'), stage.mount('-t', 'tmpfs', 'tmpfs', 'l1/sub')),
  },
  {
    name: 'a bind mount of elsewhere inside a lower layer',
    options: 'lowerdir=$l1:$l1/sub',
    prepare: stage => (stage.make('l1/sub'), stage.mount('--bind', stage.at('l2'), 'l1/sub')),
  },
  {
    name: '33: upperdir and workdir in a lower layer',
    options: 'lowerdir=$l1,upperdir=$l1/u,workdir=$l1/w',
    note: /^upperdir .*gives ELOOP/,
    prepare: stage => void (stage.make('l1/u'), stage.make('l1/w')),
  },
  {
    name: '34: upperdir in use, index=off',
    options: 'lowerdir=$l3,upperdir=$u,workdir=$w2',
    note: /upperdir .* is in use as upperdir of the overlay on .*m2/,
    prepare: stage => (stage.make('w2'), mountOverlay(stage, layers, 'm2')),
  },
  {
    name: '34: upperdir in use, index=on',
    options: 'lowerdir=$l1,upperdir=$u,workdir=$w2,index=on',
    code: 'OVL_IN_USE',
    prepare: stage => (stage.make('w2'), mountOverlay(stage, layers, 'm2')),
  },
  {
    name: '34: workdir in use, index=on',
    options: 'lowerdir=$l1,upperdir=$u2,workdir=$w,index=on',
    code: 'OVL_IN_USE',
    prepare: stage => (stage.make('u2'), mountOverlay(stage, layers, 'm2')),
  },
  {
    name: '34: upperdir in use as lower layer, index=on',
    options: 'lowerdir=$u,upperdir=$u2,workdir=$w2,index=on',
    code: 'OVL_IN_USE',
    prepare: stage => (stage.make('u2'), stage.make('w2'), mountOverlay(stage, layers, 'm2')),
  },
  {
    name: '34: a lower layer inside an upperdir in use, index=on',
    options: 'lowerdir=$u/d,upperdir=$u2,workdir=$w2,index=on',
    code: 'OVL_IN_USE',
    prepare: stage => (stage.make('u2'), stage.make('u/d'), stage.make('w2'), mountOverlay(stage, layers, 'm2')),
  },
  {
    name: '34: upperdir inside an upperdir in use, index=on',
    options: 'lowerdir=$l2,upperdir=$u/d,workdir=$w2,index=on',
    code: 'OVL_IN_USE',
    prepare: stage => (stage.make('u/d'), stage.make('w2'), mountOverlay(stage, layers, 'm2')),
  },
  {
    name: '34: in use, read-only, no upperdir',
    options: 'lowerdir=$u:$l2',
    note: /lowerdir .* is in use/,
    prepare: stage => mountOverlay(stage, layers, 'm2'),
  },
  {
    name: '34: upperdir in use and free again',
    options: `${layers},index=on`,
    prepare: stage => (mountOverlay(stage, layers, 'm2'), void execFileSync('umount', [stage.at('m2')])),
  },
  {
    name: '34: a name with a comma, a colon and a backslash in use',
    options: 'lowerdir=$l1,upperdir=$a\\,:\\\\b,workdir=$w2,index=on',
    code: 'OVL_IN_USE',
    prepare: stage => (
      stage.make('a,:\\b'), stage.make('w2'), mountOverlay(stage, 'lowerdir=$l1,upperdir=$a\\,:\\\\b,workdir=$w', 'm2')
    ),
  },
  {
    name: '35: index=on with the same lower layer',
    options: `${layers},index=on`,
    prepare: stage => used(stage, `${layers},index=on`),
  },
  {
    name: '35: index=on with another lower layer',
    options: 'lowerdir=$l2,upperdir=$u,workdir=$w,index=on',
    code: 'OVL_STALE_ORIGIN',
    prepare: stage => used(stage, `${layers},index=on`),
  },
  {
    name: '35: index=on with another layer at the bottom',
    options: 'lowerdir=$l1:$l3,upperdir=$u,workdir=$w,index=on',
    prepare: stage => used(stage, `${layers},index=on`),
  },
  {
    name: '35: index=off with another lower layer',
    options: 'lowerdir=$l2,upperdir=$u,workdir=$w,index=off',
    prepare: stage => used(stage, `${layers},index=on`),
  },
  {
    name: '35: nfs_export=on with another lower layer',
    options: 'lowerdir=$l2,upperdir=$u,workdir=$w,nfs_export=on',
    code: 'OVL_STALE_ORIGIN',
    prepare: stage => used(stage, `${layers},index=on`),
  },
  {
    name: '35: index=on with the workdir of another upperdir',
    options: 'lowerdir=$l1,upperdir=$u2,workdir=$w,index=on',
    code: 'OVL_STALE_INDEX',
    prepare: stage => (stage.make('u2'), used(stage, `${layers},index=on`)),
  },
  {
    name: '35: userxattr, index=on, another lower layer',
    options: 'lowerdir=$l2,upperdir=$u,workdir=$w,index=on,userxattr',
    code: 'OVL_STALE_ORIGIN',
    prepare: stage => used(stage, `${layers},index=on,userxattr`),
  },
  {
    name: '35: the trusted origin means nothing with userxattr',
    options: 'lowerdir=$l2,upperdir=$u,workdir=$w,index=on,userxattr',
    prepare: stage => (used(stage, `${layers},index=on`), fs.rmSync(stage.at('w/index'), { recursive: true })),
  },
  {
    name: '36: an overlay as lower layer',
    options: 'lowerdir=$m2,upperdir=$u3,workdir=$w3',
    prepare: stage => (stage.make('u3'), stage.make('w3'), mountOverlay(stage, layers, 'm2')),
  },
  {
    name: '36: an overlay on an overlay as lower layer',
    options: 'lowerdir=$m3:$l3',
    code: 'OVL_TOO_DEEP',
    prepare: stage => (mountOverlay(stage, layers, 'm2'), mountOverlay(stage, 'lowerdir=$m2:$l2', 'm3')),
  },
  {
    name: '36: a directory in an overlay on an overlay',
    options: 'lowerdir=$m3/d:$l3',
    code: 'OVL_TOO_DEEP',
    prepare: stage => (
      stage.make('l1/d'), mountOverlay(stage, layers, 'm2'), mountOverlay(stage, 'lowerdir+=$m2,lowerdir+=$l2', 'm3')
    ),
  },
  {
    name: '50: workdir of a volatile mount',
    options: layers,
    code: 'OVL_VOLATILE_LEFTOVER',
    prepare: stage => used(stage, `${layers},volatile`),
  },
  {
    name: '50: again volatile',
    options: `${layers},fsync=volatile`,
    code: 'OVL_VOLATILE_LEFTOVER',
    prepare: stage => used(stage, `${layers},volatile`),
  },
  {
    name: '50: after removing what it left',
    options: layers,
    prepare: stage => (used(stage, `${layers},volatile`), fs.rmSync(stage.at('w/work/incompat'), { recursive: true })),
  },
  {
    name: '50: the leftovers without upperdir',
    options: 'lowerdir=$l1:$l2,workdir=$w',
    prepare: stage => used(stage, `${layers},volatile`),
  },
  {
    name: '48: a workdir with other things in it',
    options: layers,
    prepare: stage => (stage.make('w/work/a'), stage.make('w/b'), fs.writeFileSync(stage.at('w/c'), '')),
  },
  {
    name: '45: a replaced lowerdir that does not exist',
    options: `lowerdir=$none,${layers}`,
    code: 'OVL_LOWER_NOT_FOUND',
  },
  {
    name: '46: a replaced upperdir that does not exist',
    options: `upperdir=$none,${layers}`,
    code: 'OVL_UPPER_NOT_FOUND',
  },
  { name: '46: a replaced upperdir', options: `upperdir=$l2,${layers}` },
  {
    name: 'an unbindable mount',
    options: 'lowerdir=$m2:$l2',
    code: 'OVL_LAYER_UNBINDABLE',
    prepare: stage => (stage.mount('--bind', stage.at('l1'), 'm2'), stage.mount('--make-unbindable', 'm2')),
  },
  {
    name: 'upperdir on an unbindable mount',
    options: 'lowerdir=$l1,upperdir=$m2/u,workdir=$m2/w',
    code: 'OVL_LAYER_UNBINDABLE',
    prepare: stage => (
      stage.make('x/u'),
      stage.make('x/w'),
      stage.mount('--bind', stage.at('x'), 'm2'),
      stage.mount('--make-unbindable', 'm2')
    ),
  },
  { name: 'sysctl files as lower layer', options: 'lowerdir=/proc/sys:$l1', code: 'OVL_UNSUPPORTED_FS' },
  { name: 'proc as lower layer', options: 'lowerdir=$l1:/proc', code: 'OVL_UNSUPPORTED_FS' },
  { name: 'sysfs as lower layer', options: 'lowerdir=/sys:$l1' },
  {
    name: '53: tmpfs as upper',
    options: 'lowerdir=$l1,upperdir=$m2/u,workdir=$m2/w',
    prepare: stage => (stage.mount('-t', 'tmpfs', 'tmpfs', 'm2'), stage.make('m2/u'), stage.make('m2/w')),
  },
  {
    name: '52: ramfs as upper',
    options: 'lowerdir=$l1,upperdir=$m2/u,workdir=$m2/w,index=on',
    note: /no extended attributes/,
    prepare: stage => (stage.mount('-t', 'ramfs', 'ramfs', 'm2'), stage.make('m2/u'), stage.make('m2/w')),
  },
  {
    name: 'an ext4 image as upper, index=on',
    options: 'lowerdir=$l1,upperdir=$m2/u,workdir=$m2/w,index=on',
    prepare: stage => stage.mountImage(['mkfs.ext4', '-q'], 'm2') && void (stage.make('m2/u'), stage.make('m2/w')),
  },
  {
    name: 'an xfs image as upper',
    options: 'lowerdir=$l1,upperdir=$m2/u,workdir=$m2/w,index=on',
    prepare: stage => stage.mountImage(['mkfs.xfs', '-q'], 'm2') && void (stage.make('m2/u'), stage.make('m2/w')),
  },
  {
    name: 'a btrfs image as upper',
    options: 'lowerdir=$l1,upperdir=$m2/u,workdir=$m2/w,index=on',
    prepare: stage => stage.mountImage(['mkfs.btrfs', '-q'], 'm2') && void (stage.make('m2/u'), stage.make('m2/w')),
  },
  {
    name: 'a FAT image as lower layer',
    options: 'lowerdir=$m2:$l1',
    code: 'OVL_UNSUPPORTED_FS',
    prepare: stage => stage.mountImage(['mkfs.vfat'], 'm2'),
  },
  {
    name: 'one directory that ignores case',
    options: 'lowerdir=$l1:$m2/d',
    code: 'OVL_CASEFOLD_MIXED',
    prepare: stage =>
      stage.mountImage(['mkfs.ext4', '-q', '-O', 'casefold'], 'm2') &&
      (stage.make('m2/d'), void execFileSync('chattr', ['+F', stage.at('m2/d')])),
  },
]

describe('preflight() and the kernel', () => {
  before(needsOverlayMounts)

  let stage: Stage
  beforeEach(() => {
    stage = new Stage()
  })
  afterEach(() => stage.remove())

  for (const row of rows) {
    it(`${row.name}: ${row.code ?? 'mounts'}`, function () {
      skipUnless(this, row.prepare?.(stage) !== false, `no such file system here: ${row.name}`, { optional: true })
      const options = stage.fill(row.options)
      const verdict = judge(options, stage.at('m'))
      const kernel = stage.kernelVerdict(options)
      expect({ code: verdict.code, kernel }).to.deep.equal({ code: row.code, kernel: verdict.errno })
      if (row.note !== undefined) expect(verdict.notes.filter(message => row.note?.test(message))).to.have.length(1)
    })
  }

  it('refuses a mount point that is missing or no directory', () => {
    fs.writeFileSync(stage.at('file'), '')
    for (const [name, code] of [
      ['none', 'OVL_MOUNT_POINT_NOT_FOUND'],
      ['file/x', 'OVL_MOUNT_POINT_NOT_FOUND'],
      ['file', 'OVL_NOT_A_DIRECTORY'],
    ] as const) {
      const verdict = judge(stage.options(), stage.at(name))
      expect([verdict.code, stage.kernelVerdict(stage.options(), stage.at(name))]).to.deep.equal([code, verdict.errno])
    }
  })

  it('refuses an upperdir on a remote file system', () => {
    const mounts = readMounts()
    const opened = openLayers(readOptions(stage.options(), null), { mounts, target: null })
    opened.close()
    for (const type of ['nfs4', '9p', 'cifs']) {
      const remote = (layer: OpenLayer | null): OpenLayer | null =>
        layer?.mount ? { ...layer, mount: { ...layer.mount, type } } : null
      const remoteLayers = { ...opened, upper: remote(opened.upper), work: remote(opened.work) }
      expect(() => checkFilesystems(remoteLayers, { mounts, target: null }))
        .to.throw(OvlError, `is on ${type}`)
        .with.property('code', 'OVL_UPPER_REMOTE')
    }
  })

  it('leaves no descriptor open, refused or not', () => {
    const before = fs.readdirSync('/proc/self/fd').length
    judge(stage.options(), stage.at('m'))
    judge(stage.fill('lowerdir=$l1:$l2:$none'), stage.at('m'))
    judge(stage.fill('lowerdir=$none,lowerdir=$l1:$l2'), stage.at('m'))
    judge(stage.fill('lowerdir=$l1:$l1'), stage.at('m'))
    judge(stage.options('index=on'), stage.at('none'))
    expect(fs.readdirSync('/proc/self/fd')).to.have.length(before)
  })

  it('changes nothing', () => {
    judge(stage.options('index=on'), stage.at('m'))
    expect(fs.readdirSync(stage.at('w'))).to.deep.equal([])
  })
})

type Verdict = { readonly code: string | undefined; readonly errno: string; readonly notes: readonly string[] }

function judge(options: string, target: string): Verdict {
  try {
    const plan = preflight(readOptions(options, target), target)
    plan.close()
    return { code: undefined, errno: 'ok', notes: plan.notes.map(({ message }) => message) }
  } catch (error) {
    if (!(error instanceof OvlError)) throw error
    expect(error.message).to.match(/^Cannot mount overlay on \S+: \S/)
    return { code: error.code, errno: error.data['errno'] as string, notes: [] }
  }
}

function mountOverlay(stage: Stage, options: string, name: string): void {
  execFileSync('mount', ['-i', '-t', 'overlay', 'overlay', '-o', stage.fill(options), stage.at(name)], {
    stdio: 'pipe',
  })
}

/** Mounts and unmounts, for what that leaves behind. */
function used(stage: Stage, options: string): void {
  expect(stage.kernelVerdict(stage.fill(options))).to.equal('ok')
}
