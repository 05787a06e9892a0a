// One scenario on one real mount.
import { type Errno, FsError } from '../../errors/index.ts'
import { type KernelCalls, MNT_DETACH, type System, SystemError } from '../../host/index.ts'
import { type PlayOptions, playScenario, type Replay, type Scenario } from '../../scenario/index.ts'
import { type KernelFs, openKernelFs } from '../kernel-fs/kernel-fs.ts'
import { hostClock } from '../runner.ts'
import { mountText } from './mount-text.ts'

/** Where, and by which calls. */
export type MountPlace = { readonly directory: string; readonly calls: KernelCalls; readonly system: System }

/** Runs a scenario in an empty directory, which keeps its layers. */
export function runOnMount(scenario: Scenario, place: MountPlace, options: PlayOptions): Replay {
  const layers = openKernelFs(place.directory)
  const mount = new Mount(mountText(scenario), place)
  try {
    return playScenario(
      scenario,
      { layers, nowNs: hostClock, mount: () => mount.mount(), unmount: () => mount.end() },
      options,
    )
  } finally {
    layers.close()
  }
}

/** The overlay on `m`, as long as it is mounted. */
class Mount {
  readonly #place: MountPlace
  readonly #options: string
  #fs: KernelFs | null = null

  constructor(options: string, place: MountPlace) {
    this.#place = place
    this.#options = options
  }

  /** Errors: FsError. */
  mount(): KernelFs {
    const { calls, system, directory } = this.#place
    calls.chdir(directory)
    try {
      system.mount('overlay', 'm', { source: 'overlay', flags: 0, options: this.#options })
    } catch (error) {
      if (error instanceof SystemError) throw new FsError(error.code as Errno, 'mount')
      throw error
    }
    this.#fs = openKernelFs(`${directory}/m`)
    return this.#fs
  }

  /** At once and completely: no file is open any more. */
  end(): void {
    if (this.#fs === null) return
    this.#fs.close()
    this.#fs = null
    const { calls, system, directory } = this.#place
    calls.chdir(directory)
    system.umount2('m', MNT_DETACH)
  }
}
