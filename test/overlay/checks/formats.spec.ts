// What overlayfs writes down, byte for byte the same by the emulator and by the kernel: the same steps on the same lower
// files, once through each, on a tmpfs and on an ext4 (rules 51, 54, 60-64, 88; facts F01-F05, F15, F20-F22).
import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { FileSystem } from '../../../src/fs/index.ts'
import { type HostFs, loadSystem, MNT_DETACH, openHostFs } from '../../../src/host/index.ts'
import { OverlayFs, parseOrigin } from '../../../src/overlay/index.ts'
import { openKernelFs } from '../../../src/replay/index.ts'
import { needsOverlayMounts } from '../../support/overlay-stage.ts'
import { isWhiteout, names, text } from '../../support/overlay-stages.ts'
import { hasTool, skipUnless } from '../../support/probe.ts'

/** A kind of file system with two of them mounted. */
class Disks {
  readonly #directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-formats-')))
  #made = 0

  /** A new file system of a kind, mounted; null where it cannot be made here. */
  make(kind: string): string | null {
    const directory = path.join(this.#directory, `fs${this.#made++}`)
    fs.mkdirSync(directory)
    if (kind === 'tmpfs') loadSystem()?.mount(kind, directory, { source: kind, flags: 0, options: 'mode=755' })
    else if (!this.#mountImage(kind, directory)) return null
    return directory
  }

  remove(): void {
    for (let at = 0; at < this.#made; at++) {
      try {
        loadSystem()?.umount2(path.join(this.#directory, `fs${at}`), MNT_DETACH)
      } catch {
        // It was never mounted.
      }
    }
    fs.rmSync(this.#directory, { recursive: true, force: true })
  }

  #mountImage(kind: string, directory: string): boolean {
    if (!hasTool(`mkfs.${kind}`)) return false
    const image = `${directory}.img`
    fs.writeFileSync(image, '')
    fs.truncateSync(image, kind === 'ext4' ? 64 << 20 : 400 << 20)
    try {
      execFileSync(`mkfs.${kind}`, [kind === 'xfs' || kind === 'btrfs' ? '-f' : '-q', image], { stdio: 'pipe' })
      execFileSync('mount', ['-o', 'loop', image, directory], { stdio: 'pipe' })
      return true
    } catch {
      return false // the tool or the kernel lacks something
    }
  }
}

/** Lower files, and what is done to them. */
function fillLower(lower: string): void {
  const at = (name: string): string => path.join(lower, name)
  fs.mkdirSync(at('d/sub'), { recursive: true })
  fs.writeFileSync(at('f'), 'data')
  fs.writeFileSync(at('gone'), 'data')
  fs.writeFileSync(at('d/x'), 'data')
  fs.symlinkSync('f', at('link'))
  for (const name of ['h2', 'h3']) {
    if (!fs.existsSync(at('h1'))) fs.writeFileSync(at('h1'), 'linked')
    fs.linkSync(at('h1'), at(name))
  }
}

function change(m: FileSystem): void {
  m.chmod('f', 0o600)
  m.chmod('d', 0o700)
  m.lchown('link', 3, 4)
  m.writeFile('h1', 'changed')
  m.chmod('h2', 0o640)
  m.link('h1', 'd/h4')
  m.unlink('gone')
  m.writeFile('new', '')
  m.mkdir('made', 0o755)
  m.rename('new', 'made/new')
  m.rename('d/x', 'made/x')
  names(m)
  names(m, 'made')
}

/** Attributes of overlayfs in a layer, by path, without those that name objects of the upper layer itself. */
function marksOf(layer: FileSystem): Readonly<Record<string, string>> {
  const marks: Record<string, string> = {}
  const visit = (at: string): void => {
    for (const name of layer.listxattr(at)) {
      if (!name.startsWith('trusted.overlay.') || /uuid$|upper$/.test(name)) continue
      marks[`${at} ${name}`] = Buffer.from(layer.getxattr(at, name)).toString('latin1')
    }
    if ((layer.lstat(at).mode & 0o170000) !== 0o040000) return
    for (const name of names(layer, at)) visit(`${at === '/' ? '' : at}/${name}`)
  }
  visit('/')
  return marks
}

type Outcome = {
  readonly marks: Readonly<Record<string, string>>
  readonly index: readonly string[]
  readonly whiteouts: readonly boolean[]
  readonly seen: readonly (readonly [string, bigint, number])[]
}

type Directories = { readonly lower: string; readonly base: string }

/** Mounts u and w of `base` over `lower`, changes, and says what is in u and w then. */
function outcome(by: 'emulator' | 'kernel', { lower, base }: Directories, options: string): Outcome {
  for (const name of ['u', 'w', 'm']) {
    fs.rmSync(path.join(base, name), { recursive: true, force: true })
    fs.mkdirSync(path.join(base, name))
  }
  const mounted = by === 'kernel' ? mountByKernel({ lower, base }, options) : mountByEmulator({ lower, base }, options)
  change(mounted.m)
  const hasIndex = /index|nfs_export/.test(options)
  const isNew = (name: string): boolean => /^\/|made$|new$/.test(name) || (!hasIndex && /^h[12]$/.test(name))
  const seen = ['/', 'f', 'd', 'h1', 'h2', 'h3', 'made', 'made/new', 'made/x', 'link'].map(name => {
    const { ino, nlink } = mounted.m.lstat(name)
    // New objects of the upper layer have new numbers; with xino the high bits say which layer it is.
    return [name, isNew(name) ? ino >> 32n : ino, nlink] as const
  })
  mounted.unmount()
  const u = openKernelFs(path.join(base, 'u'))
  const w = openKernelFs(path.join(base, 'w'))
  try {
    const index = hasIndex ? names(w, 'index') : []
    return {
      marks: marksOf(u),
      index: index.filter(name => !name.startsWith('#')),
      whiteouts: ['gone', 'd/x'].map(name => isWhiteout(u, name)),
      seen,
    }
  } finally {
    u.close()
    w.close()
  }
}

type Mounted = { readonly m: FileSystem; unmount(): void }

function mountByKernel({ lower, base }: Directories, options: string): Mounted {
  const target = path.join(base, 'm')
  const directories = `lowerdir=${lower},upperdir=${base}/u,workdir=${base}/w`
  const all = options === '' ? directories : `${directories},${options}`
  loadSystem()?.mount('overlay', target, { source: 'overlay', flags: 0, options: all })
  const m = openKernelFs(target)
  return {
    m,
    unmount() {
      m.close()
      loadSystem()?.umount2(target, MNT_DETACH)
    },
  }
}

function mountByEmulator({ lower, base }: Directories, options: string): Mounted {
  const upper: HostFs = openHostFs(base)
  const below: HostFs = openHostFs(lower)
  const m = new OverlayFs({
    lower: [{ fs: below, path: '/' }],
    upper: { fs: upper, path: 'u' },
    work: { fs: upper, path: 'w' },
    options,
  })
  return {
    m,
    unmount() {
      m.unmount()
      upper.close()
      below.close()
    },
  }
}

const kinds = ['tmpfs', 'ext4', 'xfs', 'btrfs'] as const
const optionStrings = ['', 'index=on', 'nfs_export=on', 'redirect_dir=on', 'metacopy=on', 'uuid=off']

describe('on-disk formats', () => {
  const disks = new Disks()
  before(needsOverlayMounts)
  after(() => disks.remove())

  for (const kind of kinds) {
    describe(kind, () => {
      let base = ''
      before(function () {
        const made = disks.make(kind)
        skipUnless(this, made !== null, `no ${kind} can be made here`, { optional: true })
        base = made ?? ''
        fillLower(path.join(base, 'l'))
      })

      for (const options of optionStrings) {
        it(`marks, index and numbers are the kernel's with "${options}"`, () => {
          const directories = { lower: path.join(base, 'l'), base }
          expect(outcome('emulator', directories, options)).to.deep.equal(outcome('kernel', directories, options))
        })
      }

      it('an overlay that the emulator wrote goes on with the kernel, and the other way round', () => {
        const directories = { lower: path.join(base, 'l'), base }
        for (const [first, second] of [
          [mountByEmulator, mountByKernel],
          [mountByKernel, mountByEmulator],
        ] as const) {
          for (const name of ['u', 'w', 'm']) {
            fs.rmSync(path.join(base, name), { recursive: true, force: true })
            fs.mkdirSync(path.join(base, name))
          }
          const before = first(directories, 'index=on')
          change(before.m)
          const numbers = ['f', 'd', 'h1', 'h3'].map(name => before.m.lstat(name).ino)
          before.unmount()
          const after = second(directories, 'index=on')
          expect(['f', 'd', 'h1', 'h3'].map(name => after.m.lstat(name).ino)).to.deep.equal(numbers)
          expect(['h1', 'h2', 'h3', 'd/h4'].map(name => after.m.lstat(name).nlink)).to.deep.equal([4, 4, 4, 4])
          after.m.unlink('h1')
          after.m.writeFile('h3', 'again')
          expect(['h2', 'h3', 'd/h4'].map(name => [text(after.m, name), after.m.lstat(name).nlink])).to.deep.equal(
            Array.from({ length: 3 }, () => ['again', 3]),
          )
          after.unmount()
        }
      })
    })
  }
})

describe('on-disk formats of two file systems', () => {
  const disks = new Disks()
  before(needsOverlayMounts)
  after(() => disks.remove())

  for (const kind of ['tmpfs', 'ext4'] as const) {
    it(`the origin names the file system of the lower layer (F20), and xino numbers are the kernel's (F21, F22): ${kind}`, function () {
      const [lowerDisk, base] = [disks.make(kind), disks.make(kind)]
      skipUnless(this, lowerDisk !== null && base !== null, `no ${kind} can be made here`, { optional: true })
      if (lowerDisk === null || base === null) return
      const lower = path.join(lowerDisk, 'l')
      fillLower(lower)
      const directories = { lower, base }
      for (const options of ['', 'xino=auto', 'xino=on'])
        expect(outcome('emulator', directories, options), options).to.deep.equal(
          outcome('kernel', directories, options),
        )
      const below = openHostFs(lower)
      const u = openHostFs(path.join(base, 'u'))
      const origin = parseOrigin(u.getxattr('f', 'trusted.overlay.origin'))
      expect(origin).to.deep.include({ uuid: below.superBlock.uuid, isUpper: false })
      expect(u.superBlock.uuid).to.not.deep.equal(below.superBlock.uuid)
      below.close()
      u.close()
    })
  }
})
