// Where the order of names decides what a scenario answers. A listing that comes to a name which cannot be looked up is
// refused when it is the first one, and goes on without it otherwise (rule 84); and of two directories that a redirect
// leads to one below only the one that is met first can be looked up (rule 74). File systems list in an order of their
// own, so that two kernels differ there, too.
import type { OverlayEvent } from '../overlay/index.ts'
import { emulateScenario } from './emulate.ts'
import type { Scenario } from './scenario.ts'

/** What says nothing when runs on different file systems are compared. */
export type OrderDecides = {
  /** Indexes of the steps that met such a name. */
  readonly steps: ReadonlySet<number>
  /** Directories of the final listing that hold one, as a listing names them: "a/b", "" for the root. */
  readonly directories: ReadonlySet<string>
}

/** Finds the places by running the scenario in memory. Errors: those of `emulateScenario`. */
export function orderDecides(scenario: Scenario): OrderDecides {
  const steps = new Set<number>()
  const directories = new Set<string>()
  let current: number | null = null
  emulateScenario(scenario, {
    onStep: index => void (current = index),
    trace(event: OverlayEvent) {
      if (event.kind !== 'refused' || event.rule !== 84) return
      if (current === null) directories.add(event.path.slice(1, Math.max(1, event.path.lastIndexOf('/'))))
      else steps.add(current)
    },
  })
  return { steps, directories }
}
