// Where two runs of one scenario differ.
import type { Json } from '../errors/index.ts'
import { diffTrees, type TreeListing } from '../fs/index.ts'
import { comparePaths } from '../path/index.ts'
import type { OrderDecides } from './order-decides.ts'
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
   * The layers lie on different file systems: names come in an order of their own, the number of a deleted file may be
   * given to the next one, and what one stamps with the present (a file truncated to the size that it has) another
   * leaves as it is: a time that one of the two does not tell says nothing.
   */
  readonly acrossFileSystems?: boolean
  /** With that: what the order of names decides. */
  readonly orderDecides?: OrderDecides
}

/** Null: they agree. */
export function compareReplays(a: NamedReplay, b: NamedReplay, options: CompareOptions = {}): Difference | null {
  const [left, right] = [a.replay, b.replay]
  const names = [a.name, b.name] as const
  const mount = left.mount === right.mount ? null : ([left.mount ?? null, right.mount ?? null] as const)
  const step = firstDifference(left.steps, right.steps, options)
  const merged = compareTrees(left.merged, right.merged, { names, options, isMerged: true })
  const upper = compareTrees(left.upper, right.upper, { names, options, isMerged: false })
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
    if (options.orderDecides?.steps.has(index) === true) continue
    if (!isSameResult(results, options)) return { index, results }
  }
  return null
}

/** Both sides are made by the same code, so that keys stand in the same order. */
function isSameResult([a, b]: readonly [StepResult | NotRun, StepResult | NotRun], options: CompareOptions): boolean {
  if (options.acrossFileSystems !== true) return JSON.stringify(a) === JSON.stringify(b)
  const isTimed = [a, b].every(result => 'ok' in result && hasTime(result.ok))
  return acrossFileSystems(a, isTimed) === acrossFileSystems(b, isTimed)
}

function hasTime(value: Json): boolean {
  return typeof value === 'object' && value !== null && 'mtime' in value
}

function acrossFileSystems(result: StepResult | NotRun, isTimed: boolean): string {
  return JSON.stringify(result, (key, value: unknown) => {
    if (key === 'ino' || (key === 'mtime' && !isTimed)) return undefined
    return Array.isArray(value) ? value.map(String).toSorted(comparePaths) : value
  })
}

type TreeComparison = {
  readonly names: readonly [string, string]
  readonly options: CompareOptions
  readonly isMerged: boolean
}

function compareTrees(left: TreeListing | null, right: TreeListing | null, how: TreeComparison): readonly string[] {
  const { names, options, isMerged } = how
  if (left === null && right === null) return []
  if (left === null || right === null) return [`no tree on ${left === null ? names[0] : names[1]}`]
  let trees: readonly [TreeListing, TreeListing] = [maskIdentities(left), maskIdentities(right)]
  if (options.acrossFileSystems === true) {
    const directories = options.orderDecides?.directories ?? new Set()
    if (isMerged) trees = [without(trees[0], directories), without(trees[1], directories)]
    else if (directories.size > 0) trees = [withoutOrigins(trees[0]), withoutOrigins(trees[1])]
    trees = [withTimesOfBoth(...trees), withTimesOfBoth(trees[1], trees[0])]
  }
  return diffTrees(...trees, { names })
}

/** Leaves out directories and what is in them. */
function without(tree: TreeListing, directories: ReadonlySet<string>): TreeListing {
  const isLeft = (path: string): boolean => {
    for (const directory of directories) {
      if (path === directory || directory === '' || path.startsWith(`${directory}/`)) return true
    }
    return false
  }
  return Object.fromEntries(Object.entries(tree).filter(([path]) => !isLeft(path)))
}

/** Which directories have got one depends on which listings came to their end (rule 62). */
function withoutOrigins(tree: TreeListing): TreeListing {
  return mapXattrs(tree, (name, value) => (/^(?:trusted|user)\.overlay\.(?:origin|impure)$/.test(name) ? null : value))
}

function withTimesOfBoth(tree: TreeListing, other: TreeListing): TreeListing {
  return Object.fromEntries(
    Object.entries(tree).map(([path, node]) => {
      if (node.mtime === undefined || other[path]?.mtime !== undefined) return [path, node]
      const { mtime: _mtime, ...rest } = node
      return [path, rest]
    }),
  )
}

/** What no two runs share stands in an exact listing, but says nothing in a comparison. */
function maskIdentities(tree: TreeListing): TreeListing {
  return mapXattrs(tree, (name, value) => {
    const isIdentity = /^(?:trusted|user)\.overlay\.(?:origin|uuid|upper)$/.test(name)
    return isIdentity && value !== '' ? '*' : value
  })
}

type XattrValue = NonNullable<TreeListing[string]['xattrs']>[string]

/** The tree with other values; null: without the attribute. */
function mapXattrs(tree: TreeListing, map: (name: string, value: XattrValue) => XattrValue | null): TreeListing {
  return Object.fromEntries(
    Object.entries(tree).map(([path, node]) => {
      const { xattrs, ...rest } = node
      if (xattrs === undefined) return [path, node]
      const mapped = Object.entries(xattrs).flatMap(([name, value]) => {
        const other = map(name, value)
        return other === null ? [] : [[name, other] as const]
      })
      return [path, mapped.length === 0 ? rest : { ...rest, xattrs: Object.fromEntries(mapped) }]
    }),
  )
}
