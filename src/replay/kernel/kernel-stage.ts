// Runs scenarios on real mounts. Only in a process of its own (kernel-process.ts): it leaves the mount namespace of all
// others, and whatever it mounts ends with it.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import { type KernelCalls, loadKernelCalls, loadSystem, MNT_DETACH, type System } from '../../host/index.ts'
import type { PlayOptions, Replay, Scenario } from '../../scenario/index.ts'
import { runOnMount } from './run-on-mount.ts'

/** The file system that the layers are on. */
export type StageKind = 'tmpfs' | 'ext4'

const imageBytes = 256 << 20
/** Scenarios until the file system is replaced: cheaper than removing their files one by one. */
const scenariosPerMount = 200

/** A place where scenarios run, in a mount namespace of this process alone. */
export class KernelStage {
  readonly #calls: KernelCalls
  readonly #system: System
  readonly #kind: StageKind
  /** Hidden beneath the file systems that are mounted here. */
  readonly #directory: string
  #count = 0

  /** Errors: ENOSYS without koffi; those of unshare(2) and mount(2), and of mkfs.ext4. */
  constructor(kind: StageKind) {
    const [calls, system] = [loadKernelCalls(), loadSystem()]
    if (calls === null || system === null) throw new Error('Cannot mount: koffi is missing')
    this.#calls = calls
    this.#system = system
    this.#kind = kind
    this.#directory = mountPoint()
    calls.enterMountNamespace()
    this.#mount()
  }

  run(scenario: Scenario, options: PlayOptions): Replay {
    if (this.#count > 0 && this.#count % scenariosPerMount === 0) this.#mountAgain()
    const directory = `${this.#directory}/${this.#count++}`
    fs.mkdirSync(directory)
    try {
      return runOnMount(scenario, { directory, calls: this.#calls, system: this.#system }, options)
    } finally {
      this.#calls.chdir('/')
    }
  }

  #mountAgain(): void {
    this.#system.umount2(this.#directory, MNT_DETACH)
    if (this.#kind === 'ext4') this.#system.umount2(this.#directory, MNT_DETACH)
    this.#mount()
  }

  /** With ext4: a tmpfs for its image, and the file system of the image over that. */
  #mount(): void {
    this.#system.mount('tmpfs', this.#directory, { source: 'ovl-replay', flags: 0, options: 'mode=755' })
    if (this.#kind === 'tmpfs') return
    const image = `${this.#directory}/image`
    fs.writeFileSync(image, '')
    fs.truncateSync(image, imageBytes)
    const environment = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }
    const how = { stdio: 'pipe', env: environment } as const
    execFileSync('mkfs.ext4', ['-q', '-O', '^has_journal', '-E', 'lazy_itable_init=1', image], how)
    execFileSync('mount', ['-o', 'loop', image, this.#directory], how)
  }
}

/**
 * A directory of the system, so that none is left behind: what lies beneath is hidden from this process alone. Not one
 * that holds this program.
 */
function mountPoint(): string {
  const program = process.argv[1] ?? ''
  const isFree = (directory: string): boolean => fs.existsSync(directory) && !program.startsWith(`${directory}/`)
  return ['/mnt', '/media', '/srv', '/opt'].find(isFree) ?? fs.realpathSync(os.tmpdir())
}
