// Where two runs of one scenario differ.
import { diffTrees, type TreeListing } from '../fs/index.ts'
import { comparePaths } from '../path/index.ts'
import type { Replay } from './result.ts'
import type { Scenario } from './scenario.ts'
import type { StepResult } from './run-steps.ts'

/** A run and the name of its runner. */
export type NamedReplay = { readonly name: string; readonly replay: Replay }

/** A step that did not run, since no mount was left. */
export type NotRun = { readonly notRun: true }

const notRun: NotRun = { notRun: true }

/** What differs between two runs; at least one of the three. */
export type Difference = {
  /** What each mount said (null: mounted), when that differs. */
  readonly mount: readonly [string | null, string | null] | null
  /** The first step that answered differently. */
  readonly step: {
    readonly index: number
    readonly results: readonly [StepResult | NotRun, StepResult | NotRun]
  } | null
  /** A line for each difference of the merged and of the upper tree. */
  readonly merged: readonly string[]
  readonly upper: readonly string[]
}

/** How to compare. */
export type CompareOptions = {
  /**
   * The layers lie on different file systems: names come in an order of their own, and the number of a deleted file may
   * be given to the next one.
   */
  readonly acrossFileSystems?: boolean
}

/** Null: they agree. */
export function compareReplays(a: NamedReplay, b: NamedReplay, options: CompareOptions = {}): Difference | null {
  const [left, right] = [a.replay, b.replay]
  const names = [a.name, b.name] as const
  const mount = left.mount === right.mount ? null : ([left.mount ?? null, right.mount ?? null] as const)
  const step = firstDifference(left.steps, right.steps, options)
  const merged = compareTrees(left.merged, right.merged, names)
  const upper = compareTrees(left.upper, right.upper, names)
  const isEqual = mount === null && step === null && merged.length === 0 && upper.length === 0
  return isEqual ? null : { mount, step, merged, upper }
}

/**
 * What kind of difference it is, to tell one fault from another: a mount, an operation with both errnos, or a tree.
 */
export function kindOfDifference({ steps }: Scenario, { mount, step, merged }: Difference): string {
  if (mount !== null) return `mount: ${mount.map(errno => errno ?? 'ok').join(', ')}`
  if (step === null) return merged.length > 0 ? 'merged' : 'upper'
  const answers = step.results.map(result => ('errno' in result ? result.errno : 'ok' in result ? 'ok' : 'not run'))
  return `${steps[step.index]?.[0] ?? ''}: ${answers.join(', ')}`
}

function firstDifference(
  left: readonly StepResult[],
  right: readonly StepResult[],
  options: CompareOptions,
): Difference['step'] {
  const count = Math.max(left.length, right.length)
  for (let index = 0; index < count; index++) {
    const results = [left[index] ?? notRun, right[index] ?? notRun] as const
    if (comparable(results[0], options) !== comparable(results[1], options)) return { index, results }
  }
  return null
}

/** Both sides are made by the same code, so that keys stand in the same order. */
function comparable(result: StepResult | NotRun, { acrossFileSystems = false }: CompareOptions): string {
  if (!acrossFileSystems) return JSON.stringify(result)
  return JSON.stringify(result, (key, value: unknown) => {
    if (key === 'ino') return undefined
    return Array.isArray(value) ? value.map(String).toSorted(comparePaths) : value
  })
}

function compareTrees(
  left: TreeListing | null,
  right: TreeListing | null,
  names: readonly [string, string],
): readonly string[] {
  if (left === null && right === null) return []
  if (left === null || right === null) return [`no tree on ${left === null ? names[0] : names[1]}`]
  return diffTrees(maskIdentities(left), maskIdentities(right), { names })
}

/** What no two runs share stands in an exact listing, but says nothing in a comparison. */
function maskIdentities(tree: TreeListing): TreeListing {
  return Object.fromEntries(
    Object.entries(tree).map(([path, node]) => {
      const { xattrs } = node
      if (xattrs === undefined) return [path, node]
      const masked = Object.entries(xattrs).map(([name, value]) => {
        const isIdentity = /^(?:trusted|user)\.overlay\.(?:origin|uuid|upper)$/.test(name)
        return [name, isIdentity && value !== '' ? '*' : value] as const
      })
      return [path, { ...node, xattrs: Object.fromEntries(masked) }]
    }),
  )
}
