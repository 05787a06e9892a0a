import type { CommandSpec } from '../spec.ts'
import { helpSpec } from './help.ts'
import { versionSpec } from './version.ts'

/** Every command of ovl, in the order of the help. */
export const commandTree: readonly CommandSpec[] = [versionSpec, helpSpec]
