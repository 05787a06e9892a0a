// Collects warnings: of each kind the first is printed at once, the others are counted and the counts printed at the
// end; -v prints them all. JSON output carries them as data instead.

import type { Json, Warn, Warning, WarningCode } from '../errors/index.ts'
import { escapeControls } from '../errors/index.ts'
import { jsonName } from '../path/index.ts'
import { countText } from './wording.ts'

/** Warnings kept for JSON output; the counts go on beyond it, so that memory does not grow with a hostile image. */
const keptWarnings = 1000

/** Kinds that are ordinary in real images and therefore only shown with -v. */
const quietCodes: ReadonlySet<WarningCode> = new Set(['DUPLICATE_ENTRY', 'SPOOLED'])

/** The warnings of one run. */
export type Warnings = {
  readonly warn: Warn
  /** One line for what was counted but not printed; undefined when nothing was held back. */
  summary(): string | undefined
  toJSON(): Json
}

/** Where warnings are printed, and how many of them. */
export type WarningsOptions = {
  /** Prints one line; null prints nothing (quiet, JSON). */
  readonly print: ((line: string) => void) | null
  readonly verbosity: number
}

/** Starts a collection. */
export function createWarnings(options: WarningsOptions): Warnings {
  const counts = new Map<WarningCode, number>()
  const kept: Warning[] = []
  const warn: Warn = warning => {
    const count = (counts.get(warning.code) ?? 0) + 1
    counts.set(warning.code, count)
    if (kept.length < keptWarnings) kept.push(warning)
    const shown = options.verbosity > 0 || (count === 1 && !quietCodes.has(warning.code))
    if (shown) options.print?.(`ovl: warning: ${warningText(warning)}`)
  }
  return {
    warn,
    summary: () => (options.verbosity > 0 ? undefined : summaryText(counts)),
    toJSON: () => kept.map(warningJson),
  }
}

function warningText(warning: Warning): string {
  return escapeControls(warning.message)
}

function summaryText(counts: ReadonlyMap<WarningCode, number>): string | undefined {
  const parts = [...counts]
    .map(([code, count]) => [code, quietCodes.has(code) ? 0 : count - 1] as const)
    .filter(([, count]) => count > 0)
  if (parts.length === 0) return undefined
  const total = parts.reduce((sum, [, count]) => sum + count, 0)
  const kinds = parts.map(([code, count]) => `${count} ${code}`).join(', ')
  return `ovl: ${countText(total, 'more warning')} of the same ${parts.length === 1 ? 'kind' : 'kinds'} (${kinds}); -v shows all`
}

function warningJson(warning: Warning): Json {
  return {
    code: warning.code,
    message: warning.message,
    ...(warning.layer === undefined ? {} : { layer: warning.layer }),
    ...(warning.path === undefined ? {} : { path: jsonName(warning.path) }),
  }
}
