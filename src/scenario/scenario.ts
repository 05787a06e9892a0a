// The scenario format, ovl.scenario/1: layers, options and steps as one JSON document. In memory a scenario is that
// document, checked: what is generated, shrunk and written is the same object. docs/scenarios.md describes it.
import type { Json } from '../errors/index.ts'
import type { OverlaySettings } from '../overlay/index.ts'
import type { Tree } from '../fs/index.ts'

/** The schema of scenario files. */
export const scenarioSchema = 'ovl.scenario/1'

/** A scenario file, checked. */
export type Scenario = {
  readonly schema: typeof scenarioSchema
  readonly title: string
  readonly options: ScenarioOptions
  /** Top-most first; data-only layers behind all others. */
  readonly lower: readonly LowerTree[]
  /** Absent: the overlay is read-only. */
  readonly upper?: Tree
  /** Octal; "022" when absent. */
  readonly umask?: string
  /** Mounted in a user namespace, and every step made there: root of it has no capabilities outside. */
  readonly userNamespace?: true
  readonly steps: readonly Step[]
}

/** Options of the mount under the kernel's names; `volatile` stands for fsync=volatile as it does there. */
export type ScenarioOptions = Omit<OverlaySettings, 'default_permissions' | 'userxattr' | 'override_creds'> & {
  readonly default_permissions?: boolean
  readonly userxattr?: boolean
  readonly volatile?: boolean
}

/** A lower layer. */
export type LowerTree = Tree | { readonly dataOnly: Tree }

/** An operation: its name, its arguments, and options in an object at the end. */
export type Step = readonly [operation: string, ...args: Json[]]

/**
 * True for a data-only layer. A layer that holds nothing but a directory of that name can be written with a node for its
 * root as well.
 */
export function isDataOnly(layer: LowerTree): layer is { readonly dataOnly: Tree } {
  return Object.keys(layer).length === 1 && typeof layer['dataOnly'] === 'object'
}

/** The tree of a layer, data-only or not. */
export function treeOf(layer: LowerTree): Tree {
  return isDataOnly(layer) ? layer.dataOnly : layer
}

/** The options as the option table of an overlay has them. */
export function settingsOf(options: ScenarioOptions): OverlaySettings {
  const { default_permissions: defaultPermissions, userxattr, volatile: isVolatile, ...settings } = options
  return {
    ...settings,
    ...(defaultPermissions === true ? { default_permissions: true } : {}),
    ...(userxattr === true ? { userxattr: true } : {}),
    ...(isVolatile === true ? { fsync: 'volatile' } : {}),
  }
}
