// Makes a scenario as small as it can be while something stays true of it (delta debugging, "ddmin"): parts are left
// away, halves first, then ever smaller ones, until none can go.
import type { Tree, TreeNode, TreeObject } from '../fs/index.ts'
import { isDataOnly, type LowerTree, type Scenario, type ScenarioOptions, treeOf } from './scenario.ts'

/** What must stay true: that two runners disagree. */
export type Judge = (candidate: Scenario) => Promise<boolean>

/** The smallest scenario found of which the judge still says yes, as it does of the given one. */
export async function shrinkScenario(scenario: Scenario, judge: Judge): Promise<Scenario> {
  let smallest = scenario
  for (;;) {
    const before = JSON.stringify(smallest)
    for (const pass of [shrinkSteps, shrinkLayers, shrinkTrees, shrinkNodes, shrinkOptions, shrinkArguments]) {
      smallest = await pass(smallest, judge)
    }
    if (JSON.stringify(smallest) === before) return smallest
  }
}

async function shrinkSteps(scenario: Scenario, judge: Judge): Promise<Scenario> {
  const steps = await smallestPart(scenario.steps, part => judge({ ...scenario, steps: part }))
  return { ...scenario, steps }
}

/** Whole lower layers, and the upper one. */
async function shrinkLayers(scenario: Scenario, judge: Judge): Promise<Scenario> {
  let smallest = scenario
  for (let index = smallest.lower.length - 1; index >= 0 && smallest.lower.length > 1; index--) {
    const candidate = { ...smallest, lower: smallest.lower.filter((_, at) => at !== index) }
    if (!candidate.lower.every(isDataOnly) && (await judge(candidate))) smallest = candidate
  }
  return smallest
}

/** Nodes of every tree; with a directory go its contents, with a file the links to it. */
async function shrinkTrees(scenario: Scenario, judge: Judge): Promise<Scenario> {
  let smallest = scenario
  for (const place of placesOf(scenario)) {
    const paths = Object.keys(place.get(smallest))
    const kept = await smallestPart(paths, part => judge(place.set(smallest, restrict(place.get(smallest), part))))
    smallest = place.set(smallest, restrict(place.get(smallest), kept))
  }
  return smallest
}

/** Nodes that are no more than they must be, and fields of nodes. */
async function shrinkNodes(scenario: Scenario, judge: Judge): Promise<Scenario> {
  let smallest = scenario
  for (const place of placesOf(scenario)) {
    for (const path of Object.keys(place.get(smallest))) {
      const node = place.get(smallest)[path]
      if (node === undefined || typeof node === 'string' || node.link !== undefined) continue
      const put = (simpler: TreeNode): Scenario => place.set(smallest, { ...place.get(smallest), [path]: simpler })
      smallest = await shrinkNode(node, { smallest, put, judge })
    }
  }
  return smallest
}

type NodeToShrink = {
  readonly smallest: Scenario
  readonly put: (node: TreeNode) => Scenario
  readonly judge: Judge
}

async function shrinkNode(node: TreeObject, { smallest, put, judge }: NodeToShrink): Promise<Scenario> {
  const isFile = (node.type ?? 'file') === 'file'
  const plain = put(node.content ?? '')
  if (isFile && (await judge(plain))) return plain
  let fields = Object.entries(node)
  let result = smallest
  for (const [name] of Object.entries(node)) {
    if (name === 'type' || name === 'target' || name === 'rdev') continue
    const fewer = fields.filter(([key]) => key !== name)
    const candidate = put(Object.fromEntries(fewer))
    if (!(await judge(candidate))) continue
    fields = fewer
    result = candidate
  }
  return result
}

async function shrinkOptions(scenario: Scenario, judge: Judge): Promise<Scenario> {
  let smallest = scenario
  for (const name of Object.keys(scenario.options)) {
    const { [name as keyof ScenarioOptions]: _left, ...options } = smallest.options
    if (await judge({ ...smallest, options })) smallest = { ...smallest, options }
  }
  for (const key of ['umask', 'userNamespace'] as const) {
    const { [key]: value, ...others } = smallest
    if (value !== undefined && (await judge(others))) smallest = others
  }
  return smallest
}

/** The object at the end of a step: who does it. */
async function shrinkArguments(scenario: Scenario, judge: Judge): Promise<Scenario> {
  let smallest = scenario
  for (const [index, step] of scenario.steps.entries()) {
    const last = step.at(-1)
    if (typeof last !== 'object' || last === null || !('as' in last)) continue
    const [operation, ...args] = step
    const simpler = [operation, ...args.slice(0, -1)] as const
    const candidate = { ...smallest, steps: smallest.steps.with(index, simpler) }
    if (await judge(candidate)) smallest = candidate
  }
  return smallest
}

/**
 * A part of a list that is still enough, of which no single item can go. Zeller's ddmin with complements only: whatever
 * the items are, leaving some away is what makes them fewer.
 */
async function smallestPart<T>(
  items: readonly T[],
  isEnough: (part: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let part = items
  let size = Math.max(1, Math.floor(part.length / 2))
  while (part.length > 0) {
    let isSmaller = false
    for (let at = part.length - size; at > -size; at -= size) {
      const start = Math.max(0, at)
      const candidate = [...part.slice(0, start), ...part.slice(at + size)]
      if (candidate.length === part.length || !(await isEnough(candidate))) continue
      part = candidate
      isSmaller = true
    }
    if (size === 1 && !isSmaller) break
    size = Math.max(1, Math.min(Math.floor(size / 2), part.length))
  }
  return part
}

/** One of the trees of a scenario. */
type Place = {
  readonly get: (scenario: Scenario) => Tree
  readonly set: (scenario: Scenario, tree: Tree) => Scenario
}

function placesOf(scenario: Scenario): readonly Place[] {
  const lower = scenario.lower.map(
    (_, index): Place => ({
      get: ({ lower: layers }) => treeOf(layers[index] ?? {}),
      set: (whole, tree) => ({ ...whole, lower: whole.lower.with(index, likeLayer(whole.lower[index], tree)) }),
    }),
  )
  if (scenario.upper === undefined) return lower
  const upper: Place = { get: whole => whole.upper ?? {}, set: (whole, tree) => ({ ...whole, upper: tree }) }
  return [...lower, upper]
}

function likeLayer(layer: LowerTree | undefined, tree: Tree): LowerTree {
  return layer !== undefined && isDataOnly(layer) ? { dataOnly: tree } : tree
}

/** The tree with these paths alone, and links to them. */
function restrict(tree: Tree, paths: readonly string[]): Tree {
  const kept = new Set(paths)
  return Object.fromEntries(
    Object.entries(tree).filter(([path, node]) => {
      const link = typeof node === 'object' ? node.link : undefined
      return kept.has(path) && (link === undefined || kept.has(link))
    }),
  )
}
