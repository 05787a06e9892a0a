// What this machine offers to tests. A test that needs a tool or a privilege asks here; the closing summary of
// `npm test` lists what was skipped and why. Under CI=true nothing that `.ci/run` should have prepared may be missing.

import { accessSync, constants } from 'node:fs'
import path from 'node:path'

/** Where the reporter finds the reasons of skipped tests. */
const reasonKey = Symbol.for('ovl.test.skip-reasons')

type SkipOptions = {
  /** May be missing in CI as well, such as the corpus of public images. */
  readonly optional?: boolean
}

/**
 * Goes on when the condition holds. Otherwise skips the test or suite of this context and records the reason, or,
 * in CI, fails: there a missing tool means that something went untested.
 */
export function skipUnless(
  context: Mocha.Context,
  condition: boolean,
  reason: string,
  { optional = false }: SkipOptions = {},
): void {
  if (condition) return
  if (process.env['CI'] === 'true' && !optional) throw new Error(`Cannot run in CI: ${reason}`)
  noteSkip(context, reason)
  context.skip()
}

/** True when a program of this name is in PATH. */
export function hasTool(name: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some(directory => isExecutable(path.join(directory, name)))
}

/** True when tests run as root, in the first user namespace or any other. */
export function isRoot(): boolean {
  return process.getuid?.() === 0
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false // absent or not executable: both mean "not this one"
  }
}

/** Remembers the reason under the suite or test that asked. */
function noteSkip(context: Mocha.Context, reason: string): void {
  const test = context.test
  const place =
    test instanceof Object && 'type' in test && test.type === 'hook' ? test.parent?.fullTitle() : test?.fullTitle()
  const store = globalThis as { [reasonKey]?: Map<string, string> }
  store[reasonKey] ??= new Map()
  store[reasonKey].set(place ?? '', reason)
}
