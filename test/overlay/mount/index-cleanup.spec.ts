// What a mount with an index does about entries that no longer stand for anything: the emulator does what the kernel
// does (ovl_indexdir_cleanup(), rules 35, 51, 64).
import { expect } from 'chai'
import type { FileSystem } from '../../../src/fs/index.ts'
import { needsOverlayMounts } from '../../support/overlay-stage.ts'
import {
  errno,
  isWhiteout,
  names,
  onStage,
  type OverlayStage,
  type StageKind,
  text,
  TR,
} from '../../support/overlay-stages.ts'

const lower = { a: 'DATA', b: { link: 'a' }, c: { link: 'a' }, one: 'x', 'd/x': '' }

/** The entries of the index, by number: names differ from file system to file system. */
function entries(s: OverlayStage): readonly string[] {
  return names(s.w, 'index').filter(name => !name.startsWith('#'))
}

function entryOf(s: OverlayStage, upperPath: string): string {
  return `index/${Buffer.from(s.u.getxattr(upperPath, `${TR}origin`)).toString('hex')}`
}

/** The name with one byte changed. */
function altered(name: string, at: number, value: number): string {
  return `index/${Buffer.from(Buffer.from(name.slice('index/'.length), 'hex').with(at, value)).toString('hex')}`
}

function rename(of: FileSystem, from: string, to: string): void {
  of.link(from, to)
  of.unlink(from)
}

type Damage = readonly [
  name: string,
  damage: (s: OverlayStage) => void,
  /** `only`: with these options; `memory`: not on host directories. */
  more?: { readonly only?: string; readonly memory?: true },
]

const damages: readonly Damage[] = [
  ['nothing', () => undefined],
  ['a temporary file', s => s.w.writeFile('index/#fffff5', 'x')],
  [
    'temporary directories, with something in them',
    s => {
      for (const path of ['index/#fffff6', 'index/#fffff7', 'index/#fffff7/in']) s.w.mkdir(path, 0o755)
      for (const path of ['index/#fffff6/f', 'index/#fffff7/f']) s.w.writeFile(path, '')
    },
  ],
  [
    'a temporary directory that is too deep',
    s => {
      for (const path of ['index/#fffff7', 'index/#fffff7/in', 'index/#fffff7/in/deep']) s.w.mkdir(path, 0o755)
    },
  ],
  ['a name that is no handle', s => s.w.writeFile('index/readme', '')],
  ['a handle that is too short', s => s.w.writeFile('index/00fb1500', '')],
  ['hexadecimal without the mark', s => s.w.writeFile(altered(entryOf(s, 'a'), 1, 0x11), '')],
  ['a handle of a later version', s => rename(s.w, entryOf(s, 'a'), altered(entryOf(s, 'a'), 0, 1))],
  ['a name that says more bytes than it has', s => s.w.writeFile(altered(entryOf(s, 'a'), 2, 99), '')],
  ['another origin than the name says', s => rename(s.w, entryOf(s, 'a'), altered(entryOf(s, 'a'), 22, 0x77))],
  ['no origin', s => s.w.removexattr(entryOf(s, 'a'), `${TR}origin`)],
  ['no link in the upper layer', s => s.u.unlink('a')],
  [
    'no link in the upper layer, and a count of none',
    s => {
      s.u.unlink('a')
      s.w.setxattr(entryOfLink(s), `${TR}nlink`, new TextEncoder().encode('U-1'))
    },
  ],
  [
    'no link and no count',
    s => {
      s.u.unlink('a')
      s.w.removexattr(entryOfLink(s), `${TR}nlink`)
    },
  ],
  [
    'the lower file is gone',
    s => {
      for (const path of ['a', 'b', 'c']) s.lower.unlink(path)
    },
  ],
  [
    'the lower file is gone, and the upper one',
    s => {
      s.u.unlink('a')
      for (const path of ['a', 'b', 'c']) s.lower.unlink(path)
    },
    // A HostFs that has seen the file keeps it open, and it can be found by its handle.
    { memory: true },
  ],
  ['no upper of a directory', s => s.w.removexattr(entryOf(s, 'd'), `${TR}upper`), { only: 'nfs_export=on' }],
  [
    'the upper directory is gone',
    s => {
      s.u.unlink('d/x')
      s.u.rmdir('d')
    },
    { only: 'nfs_export=on' },
  ],
  [
    'another upper than the directory has',
    s => {
      const { origin } = marksOf(s, 'd')
      s.u.removexattr('d', `${TR}origin`)
      s.u.setxattr('d', `${TR}origin`, origin.with(origin.length - 1, 0x33))
    },
    { only: 'nfs_export=on' },
  ],
  [
    'an upper of another form',
    s => s.w.setxattr(entryOf(s, 'd'), `${TR}upper`, new Uint8Array(3)),
    { only: 'nfs_export=on' },
  ],
]

/** The entry of the hard link, which has no name in the upper layer any more. */
function entryOfLink(s: OverlayStage): string {
  const isLink = (name: string): boolean =>
    errno(() => s.w.getxattr(`index/${name}`, `${TR}nlink`)) === 'OK' && text(s.w, `index/${name}`) === 'changed'
  return `index/${entries(s).find(isLink) ?? ''}`
}

function marksOf(s: OverlayStage, path: string): { readonly origin: Uint8Array } {
  return { origin: s.u.getxattr(path, `${TR}origin`) }
}

function outcome(kind: StageKind, damage: (s: OverlayStage) => void, options: string): unknown {
  return onStage(kind, s => {
    const m = s.mount({ lower: [lower], options })
    m.writeFile('a', 'changed')
    m.chmod('d/x', 0o600)
    m.unlink('one')
    s.unmount()
    const before = entries(s)
    damage(s)
    const damaged = entries(s)
    const verdict = s.tryMount(options)
    const after = entries(s).map(name => [
      before.includes(name) ? 'as before' : damaged.includes(name) ? 'damaged' : 'new',
      isWhiteout(s.w, `index/${name}`),
    ])
    const temporary = names(s.w, 'index').filter(name => /^#fffff[5-7]$/.test(name))
    return { verdict, entries: after.map(String).toSorted(), temporary, withoutIndex: s.tryMount('index=off') }
  })
}

function mountedWithLess(kind: StageKind): unknown {
  return onStage(kind, s => {
    s.mount({ lower: [lower], options: 'nfs_export=on' }).chmod('d/x', 0o600)
    const before = names(s.w, 'index').length
    return [s.tryMount('index=on'), before, names(s.w, 'index').length]
  })
}

describe('entries of the index at mount', () => {
  before(needsOverlayMounts)

  for (const options of ['index=on', 'nfs_export=on']) {
    for (const [name, damage, { only = options, memory = false } = {}] of damages) {
      if (only !== options) continue
      it(`${options}: ${name}`, () => {
        const expected = outcome('kernel', damage, options)
        expect(outcome('memory', damage, options)).to.deep.equal(expected)
        if (!memory) expect(outcome('host', damage, options), 'on host directories').to.deep.equal(expected)
      })
    }
  }

  it('the index of nfs_export, mounted with index=on alone', () => {
    expect(mountedWithLess('host')).to.deep.equal(mountedWithLess('kernel'))
  })
})
