// One overlay, three stages: the emulator on file systems in memory, the emulator on host directories, and the kernel.
// A check is written once, against `FileSystem`, and holds on all of them: what it says of the kernel was measured,
// and the emulator has to do the same.
//
//   overlayChecks('lookup', [
//     ['L11', 'opaque=y in the upper layer hides what is beneath', s => {
//       const m = s.mount({ lower: [{ 'd/low': '' }], upper: { d: { type: 'dir', opaque: true }, 'd/up': '' } })
//       expect(names(m, 'd')).to.deep.equal(['up'])
//     }],
//   ])
//
// `s.lower`, `s.u`, `s.w` are the layers themselves (`s.l` all lower ones), `s.m` the overlay as it is mounted now,
// `s.remount()` unmounts and mounts again, `s.above` is a stage whose overlays stand on this one. docs/overlayfs/checks.md is made from these tables.
import node from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { OvlError } from '../../src/errors/index.ts'
import {
  type Credentials,
  type FileSystem,
  MemoryFs,
  type MemoryOptions,
  root,
  type Tree,
  writeTree,
} from '../../src/fs/index.ts'
import { loadSystem, MNT_DETACH, openHostFs } from '../../src/host/index.ts'
import { OverlayFs } from '../../src/overlay/index.ts'
import { openKernelFs, type KernelFs } from '../../src/replay/index.ts'
import { needsOverlayMounts } from './overlay-stage.ts'

/** Where a check runs. */
export type StageKind = 'memory' | 'host' | 'kernel'

/** File systems that layers can be on: one for all, a second one, one without attributes (ramfs), one of 1 MiB. */
export type Ground = 'main' | 'other' | 'bare' | 'small'

/** An overlay and what its layers hold. By default one empty lower layer and an empty upper one. */
export type Layers = {
  /** Top-most first. */
  readonly lower?: readonly Tree[]
  readonly data?: readonly Tree[]
  /** Null: no upper layer. */
  readonly upper?: Tree | null
  readonly options?: string
  readonly lowerOn?: Ground
  readonly upperOn?: Ground
  /** Whose rights count for the layers: of an emulator, not of the kernel. */
  readonly mounter?: Credentials
}

/** A row of a table: the id of the fact in the list of measured facts, the fact, and the check of it. */
export type Check = readonly [
  id: string,
  fact: string,
  run: (stage: OverlayStage) => void,
  /** Stages that cannot show the fact, and why. */
  except?: { readonly [Kind in StageKind]?: string },
]

/** Makes a test of every check on every stage. */
export function overlayChecks(title: string, checks: readonly Check[]): void {
  describe(title, () => {
    for (const kind of ['memory', 'host', 'kernel'] as const) {
      describe(stageNames[kind], () => {
        if (kind !== 'memory') before(needsOverlayMounts)
        for (const [id, fact, run, except = {}] of checks) {
          if (except[kind] === undefined) it(`${id}: ${fact}`, () => onStage(kind, run))
        }
      })
    }
  })
}

const stageNames = {
  memory: 'emulator in memory',
  host: 'emulator on host directories',
  kernel: 'kernel',
} as const

/** Runs something on a stage and cleans up. */
export function onStage<T>(kind: StageKind, run: (stage: OverlayStage) => T): T {
  const stage = new OverlayStage(kind === 'memory' ? new MemoryGround() : new MachineGround(kind))
  try {
    return run(stage)
  } finally {
    stage.close()
  }
}

/** Layers l1 l2 …, d1 …, u and w, and the overlay of them. */
export class OverlayStage {
  readonly #ground: Grounds
  #layers: Layers = {}
  /** Of the layers made: further ones are named apart. */
  #set = 0
  #mounted: MountedStage | null = null
  readonly #beneath: OverlayStage | null
  #above: OverlayStage | null = null

  constructor(ground: Grounds, beneath: OverlayStage | null = null) {
    this.#ground = ground
    this.#beneath = beneath
  }

  /** Overlays of which the one that is mounted here is the top lower layer. */
  get above(): OverlayStage {
    this.#above ??= new OverlayStage(this.#ground, this)
    return this.#above
  }

  /** The overlay as it is mounted now. */
  get m(): FileSystem {
    if (this.#mounted === null) throw new Error('Cannot use the overlay: it is not mounted')
    return this.#mounted.fs
  }

  /** The top lower layer. */
  get lower(): FileSystem {
    return this.layer(this.#layers.lowerOn ?? 'main', this.#name('l1'))
  }

  /** Lower layers, top-most first. */
  get l(): readonly FileSystem[] {
    const { lower = [{}], lowerOn = 'main' } = this.#layers
    return lower.map((_, at) => this.layer(lowerOn, this.#name(`l${at + 1}`)))
  }

  /** The upper layer. */
  get u(): FileSystem {
    return this.layer(this.#layers.upperOn ?? 'main', this.#name('u'))
  }

  /** The directory of workdir=. */
  get w(): FileSystem {
    return this.layer(this.#layers.upperOn ?? 'main', this.#name('w'))
  }

  /** A directory of a file system, as a file system. */
  layer(ground: Ground, name: string): FileSystem {
    return below(this.#ground.raw(ground), name)
  }

  /** Makes the layers and mounts them; others than before. */
  mount(layers: Layers = {}): FileSystem {
    this.make(layers)
    return this.remount()
  }

  /** Makes the layers. */
  make(layers: Layers = {}): void {
    this.unmount()
    this.#layers = layers
    this.#set++
    const { lower = [{}], data = [], upper = {}, lowerOn = 'main', upperOn = 'main', options = '' } = layers
    const marks = { xattrPrefix: options.includes('userxattr') ? 'user' : 'trusted' } as const
    for (const [at, tree] of lower.entries())
      writeTree(this.#ground.raw(lowerOn), this.#name(`l${at + 1}`), tree, marks)
    for (const [at, tree] of data.entries()) writeTree(this.#ground.raw(lowerOn), this.#name(`d${at + 1}`), tree, marks)
    if (upper === null) return
    writeTree(this.#ground.raw(upperOn), this.#name('u'), upper, marks)
    writeTree(this.#ground.raw(upperOn), this.#name('w'), {}, marks)
  }

  /** Mounts what was made, after unmounting; `options` instead of those before. */
  remount(options?: string): FileSystem {
    this.unmount()
    if (options !== undefined) this.#layers = { ...this.#layers, options }
    this.#mounted = this.#ground.mount(this.#plan())
    return this.#mounted.fs
  }

  /** "ok", or the errno with which a mount is refused. */
  tryMount(options?: string): string {
    this.unmount()
    try {
      this.remount(options)
    } catch (error) {
      const { data, code } = error as { data?: { errno?: string }; code?: string }
      return (error instanceof OvlError ? data?.errno : code) ?? String(error)
    }
    this.unmount()
    return 'ok'
  }

  unmount(): void {
    this.#above?.unmount()
    this.#mounted?.unmount()
    this.#mounted = null
  }

  close(): void {
    this.unmount()
    this.#ground.close()
  }

  #name(layer: string): string {
    const name = this.#set === 1 ? layer : `${layer}-${this.#set}`
    return this.#beneath === null ? name : `above-${name}`
  }

  #plan(): StagePlan {
    const {
      lower = [{}],
      data = [],
      upper = {},
      lowerOn = 'main',
      upperOn = 'main',
      options = '',
      mounter = root,
    } = this.#layers
    return {
      beneath: this.#beneath === null ? null : this.#beneath.#mounted,
      mounter,
      lower: lower.map((_, at) => [lowerOn, this.#name(`l${at + 1}`)]),
      data: data.map((_, at) => [lowerOn, this.#name(`d${at + 1}`)]),
      upper: upper === null ? null : [upperOn, this.#name('u')],
      work: upper === null ? null : [upperOn, this.#name('w')],
      options,
    }
  }
}

/** A directory of one of the file systems. */
export type StagePlace = readonly [ground: Ground, path: string]

/** What is mounted. */
export type StagePlan = {
  /** An overlay that is the top lower layer. */
  readonly beneath: MountedStage | null
  readonly mounter: Credentials
  readonly lower: readonly StagePlace[]
  readonly data: readonly StagePlace[]
  readonly upper: StagePlace | null
  readonly work: StagePlace | null
  readonly options: string
}

/** An overlay; the kernel's has a directory. */
type MountedStage = { readonly fs: FileSystem; readonly target?: string; unmount(): void }

/** The file systems of a stage, made when they are asked for. */
type Grounds = {
  raw(ground: Ground): FileSystem
  mount(plan: StagePlan): MountedStage
  close(): void
}

const memoryOptions: { readonly [Of in Ground]: MemoryOptions } = {
  main: {},
  other: {},
  bare: { features: { xattrs: [], renameWhiteout: false, handles: false } },
  small: { sizeBytes: 1 << 20 },
}

class MemoryGround implements Grounds {
  readonly #made = new Map<Ground, FileSystem>()

  raw(ground: Ground): FileSystem {
    const fs = this.#made.get(ground) ?? new MemoryFs(memoryOptions[ground])
    this.#made.set(ground, fs)
    return fs
  }

  mount(plan: StagePlan): MountedStage {
    return emulated(plan, ground => this.raw(ground))
  }

  close(): void {}
}

/** Real file systems: a tmpfs each, and a ramfs. */
class MachineGround implements Grounds {
  readonly #kind: 'host' | 'kernel'
  readonly #directory = node.realpathSync(node.mkdtempSync(path.join(os.tmpdir(), 'ovl-stages-')))
  readonly #mounts: string[] = []
  readonly #made = new Map<Ground, FileSystem & { close(): void }>()

  constructor(kind: 'host' | 'kernel') {
    this.#kind = kind
    node.chmodSync(this.#directory, 0o755)
  }

  raw(ground: Ground): FileSystem {
    const known = this.#made.get(ground)
    if (known !== undefined) return known
    const directory = path.join(this.#directory, ground)
    node.mkdirSync(directory)
    const type = ground === 'bare' ? 'ramfs' : 'tmpfs'
    loadSystem()?.mount(type, directory, {
      source: type,
      flags: 0,
      options: ground === 'small' ? 'mode=755,size=1m' : 'mode=755',
    })
    this.#mounts.push(directory)
    const made = this.#kind === 'host' ? openHostFs(directory) : openKernelFs(directory)
    this.#made.set(ground, made)
    return made
  }

  mount(plan: StagePlan): MountedStage {
    if (this.#kind === 'host') return emulated(plan, ground => this.raw(ground))
    const target = path.join(this.#directory, plan.beneath === null ? 'm' : 'above')
    node.mkdirSync(target, { recursive: true })
    const at = ([ground, name]: StagePlace): string => path.join(this.#directory, ground, name)
    const beneath = plan.beneath?.target === undefined ? [] : [plan.beneath.target]
    const options = [
      `lowerdir=${[...beneath, ...plan.lower.map(at), ...plan.data.map(place => `:${at(place)}`)].join(':')}`,
      ...(plan.upper === null ? [] : [`upperdir=${at(plan.upper)}`]),
      ...(plan.work === null ? [] : [`workdir=${at(plan.work)}`]),
      ...(plan.options === '' ? [] : [plan.options]),
    ].join(',')
    loadSystem()?.mount('overlay', target, { source: 'overlay', flags: 0, options })
    const merged: KernelFs = openKernelFs(target)
    return {
      fs: merged,
      target,
      unmount() {
        merged.close()
        loadSystem()?.umount2(target, MNT_DETACH)
      },
    }
  }

  close(): void {
    for (const made of this.#made.values()) made.close()
    for (const mount of this.#mounts) loadSystem()?.umount2(mount, MNT_DETACH)
    node.rmSync(this.#directory, { recursive: true })
  }
}

function emulated(plan: StagePlan, raw: (ground: Ground) => FileSystem): MountedStage {
  const at = ([ground, name]: StagePlace): { fs: FileSystem; path: string } => ({ fs: raw(ground), path: name })
  const overlay = new OverlayFs({
    lower: [...(plan.beneath === null ? [] : [{ fs: plan.beneath.fs, path: '/' }]), ...plan.lower.map(at)],
    data: plan.data.map(at),
    upper: plan.upper === null ? null : at(plan.upper),
    work: plan.work === null ? null : at(plan.work),
    options: plan.options,
    mounter: plan.mounter,
  })
  return { fs: overlay, unmount: () => overlay.unmount() }
}

/** A file system that shows a directory of another: paths get it put in front. */
function below(fs: FileSystem, directory: string): FileSystem {
  return new Proxy(fs, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      const method = value.bind(target) as (...words: unknown[]) => unknown
      if (key === 'as') return (...words: unknown[]) => below(method(...words) as FileSystem, directory)
      const count = key === 'link' || key === 'rename' ? 2 : 1
      return (...words: unknown[]) =>
        method(
          ...words.map((word, at) => {
            const isPath = key === 'symlink' ? at === 1 : at < count
            return isPath && typeof word === 'string' ? `${directory}/${word}` : word
          }),
        )
    },
  })
}

/** Sorted names of a directory. */
export function names(of: FileSystem, directory = ''): string[] {
  return of
    .readdir(directory === '' ? '/' : directory)
    .map(({ name }) => name)
    .toSorted()
}

/** "OK", or the errno of a refusal. */
export function errno(run: () => unknown): string {
  try {
    run()
    return 'OK'
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (typeof code !== 'string') throw error
    return code
  }
}

/** Contents as text. */
export function text(of: FileSystem, file: string): string {
  return new TextDecoder().decode(of.readFile(file))
}

/** Sorted names of attributes. */
export function xattrs(of: FileSystem, file: string): string[] {
  return of.listxattr(file).toSorted()
}

/** An attribute as text, or the errno of asking for it. */
export function xattr(of: FileSystem, file: string, name: string): string {
  let value = ''
  const code = errno(() => (value = new TextDecoder().decode(of.getxattr(file, name))))
  return code === 'OK' ? value : code
}

/** Sets an attribute to a text. */
export function setXattr(of: FileSystem, file: string, name: string, value: string): void {
  of.setxattr(file, name, new TextEncoder().encode(value))
}

/** True for a name that lstat knows. */
export function exists(of: FileSystem, file: string): boolean {
  return errno(() => of.lstat(file)) === 'OK'
}

/** True for a character device 0:0. */
export function isWhiteout(of: FileSystem, file: string): boolean {
  if (!exists(of, file)) return false
  const { mode, rdev } = of.lstat(file)
  return (mode & 0o170000) === 0o020000 && rdev === 0
}

/** The prefix of overlayfs' attributes. */
export const TR = 'trusted.overlay.'
