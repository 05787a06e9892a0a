// A scenario from its layers to its listings, wherever the layers lie and whoever mounts them.
import { FsError } from '../errors/index.ts'
import { type Credentials, type FileSystem, readTree, type ReadTreeOptions, writeTree } from '../fs/index.ts'
import type { Replay } from './result.ts'
import { runSteps } from './run-steps.ts'
import { type Scenario, treeOf } from './scenario.ts'
import { isTimeOfRun } from './stat-json.ts'

/** Where a scenario runs. */
export type Stage = {
  /** An empty directory, for root: layers are made in it as l1, l2, …, u, w, and m to mount on. */
  readonly layers: FileSystem
  /** The present, by the clock of the layers. */
  readonly nowNs: () => bigint
  /** Root of the user namespace that the scenario runs in, where the stage is not in one itself. */
  readonly superuser?: Credentials
  /** Mounts the layers. Errors: FsError when that is refused. */
  mount(): FileSystem
  unmount(): void
}

/** How to list. */
export type PlayOptions = {
  /** With overlayfs' bookkeeping: overlay.impure, overlay.nlink, and the values of overlay.origin and overlay.uuid. */
  readonly exact?: boolean
  /** Told before each step, and with null before the trees are listed. */
  readonly onStep?: (index: number | null) => void
}

/** Names of the lower layers of a scenario, in its order. */
export function lowerNames({ lower }: Scenario): readonly string[] {
  return lower.map((_, index) => `l${index + 1}`)
}

/** Runs a scenario. Errors: BAD_SCENARIO for what a file system cannot make of a tree; all that is no FsError. */
export function playScenario(scenario: Scenario, stage: Stage, { exact = false, onStep }: PlayOptions = {}): Replay {
  const startedNs = stage.nowNs()
  const listing = { exact, mtime: (timeNs: bigint) => !isTimeOfRun(timeNs, startedNs) }
  const { superuser } = stage
  writeLayers(stage.layers, scenario)
  const listUpper = (): Replay['upper'] => (scenario.upper === undefined ? null : readTree(stage.layers, '/u', listing))
  try {
    const fs = attemptMount(stage)
    if (fs instanceof FsError) return { mount: fs.code, steps: [], merged: null, upper: listUpper() }
    const run = runSteps(fs, scenario.steps, {
      startedNs,
      ...(scenario.umask === undefined ? {} : { umask: scenario.umask }),
      ...(onStep === undefined ? {} : { onStep }),
      ...(superuser === undefined ? {} : { superuser }),
      remount() {
        stage.unmount()
        return stage.mount()
      },
    })
    onStep?.(null)
    const merged = run.fs === null ? null : listMerged(superuser === undefined ? run.fs : run.fs.as(superuser), listing)
    return { steps: run.results, merged, upper: listUpper() }
  } finally {
    stage.unmount()
  }
}

/** The root of an overlay can be looked at and not be listed: when nothing but an impossible redirect is in it. */
function listMerged(fs: FileSystem, options: ReadTreeOptions): Replay['merged'] {
  try {
    return readTree(fs, '/', options)
  } catch (error) {
    if (error instanceof FsError) return { '': { errno: error.code } }
    throw error
  }
}

function attemptMount(stage: Stage): FileSystem | FsError {
  try {
    return stage.mount()
  } catch (error) {
    if (error instanceof FsError) return error
    throw error
  }
}

function writeLayers(layers: FileSystem, scenario: Scenario): void {
  const xattrPrefix = scenario.options.userxattr === true ? 'user' : 'trusted'
  const names = lowerNames(scenario)
  scenario.lower.forEach((layer, index) => writeTree(layers, `/${names[index] ?? ''}`, treeOf(layer), { xattrPrefix }))
  layers.mkdir('/m', 0o755)
  if (scenario.upper === undefined) return
  writeTree(layers, '/u', scenario.upper, { xattrPrefix })
  layers.mkdir('/w', 0o755)
}
