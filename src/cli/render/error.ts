// An error as a user reads it: one line that says what could not be done, the facts, one hint. As a program reads
// it: one JSON object.

import { escapeControls, type Json, OvlError } from '../../errors/index.ts'
import type { Style } from '../style.ts'

/** How much of an error is shown. */
export type ErrorView = { readonly verbosity: number; readonly debug: boolean; readonly style: Style }

/** Codes whose message speaks for itself; a script sees them by the exit status. */
const codeless: ReadonlySet<string> = new Set(['USAGE', 'INTERRUPTED'])

/** Lines for the error stream. */
export function renderError(error: OvlError, view: ErrorView): string[] {
  const code = codeless.has(error.code) ? '' : `   ${view.style('marker', `[${error.code}]`)}`
  const lines = [`${view.style('bad', 'ovl:')} ${printable(error.message)}${code}`]
  for (const fact of error.facts) lines.push(`  ${printable(fact)}`)
  if (error.hint !== undefined) lines.push(`  hint: ${printable(error.hint)}`)
  if (view.verbosity > 0 || view.debug) lines.push(...causeLines(error))
  if (view.debug) lines.push(...stackLines(error))
  return lines
}

/** The object that `--json` prints on the error stream. */
export function errorToJson(error: OvlError, debug: boolean): { readonly [key: string]: Json } {
  const causes = causeChain(error).map(describe)
  const stack = debug && error.stack !== undefined ? { stack: error.stack } : {}
  return { error: { ...error.toJSON(), ...(causes.length === 0 ? {} : { cause: causes.join('; ') }), ...stack } }
}

/** Messages come with names in them that an archive chose. Those are quoted where they are put in; this is the net below. */
function printable(text: string): string {
  return text.split('\n').map(escapeControls).join('\n  ')
}

function causeLines(error: OvlError): string[] {
  return causeChain(error).map(cause => `  cause: ${printable(describe(cause))}`)
}

function causeChain(error: unknown): unknown[] {
  const chain: unknown[] = []
  let cause = error instanceof Error ? error.cause : undefined
  while (cause !== undefined && chain.length < 10) {
    chain.push(cause)
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return chain
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function stackLines(error: OvlError): string[] {
  return [error, ...causeChain(error)].flatMap(each =>
    each instanceof Error && each.stack !== undefined
      ? each.stack.split('\n').map(line => `  ${escapeControls(line)}`)
      : [],
  )
}
