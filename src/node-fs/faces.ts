// The same calls three times, as node:fs has them: synchronous, with a callback, as promises. All work at once; only the
// answer comes later, so that a program cannot tell.
import { promisify } from 'node:util'
import { wrongType } from './node-error.ts'
import { withoutStacks } from './without-stacks.ts'

/** A synchronous call, whatever it takes. */
export type Call = (...given: readonly unknown[]) => unknown
type Callback = (error: unknown, ...values: readonly unknown[]) => void

/** Calls whose callback gets two values: what promisify makes of them has these names. */
const pairs: { readonly [name: string]: string } = {
  read: 'bytesRead',
  write: 'bytesWritten',
  readv: 'bytesRead',
  writev: 'bytesWritten',
}
const pairNames: { readonly [name: string]: string } = {
  read: 'buffer',
  write: 'buffer',
  readv: 'buffers',
  writev: 'buffers',
}

/** `{ stat }` → `{ statSync, stat }` */
export function syncAndCallback(calls: { readonly [name: string]: Call }): { [name: string]: unknown } {
  const face: { [name: string]: unknown } = {}
  for (const [name, call] of Object.entries(calls)) {
    face[`${name}Sync`] = call
    face[name] = withCallback(name, call)
  }
  return face
}

/** `{ stat }` → `{ stat }` that gives a promise. */
export function promising(calls: { readonly [name: string]: Call }): { [name: string]: unknown } {
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [
      name,
      async (...given: readonly unknown[]) => withoutStacks(() => call(...given)),
    ]),
  )
}

function withCallback(name: string, call: Call): unknown {
  const later = (...given: readonly unknown[]): void => {
    const done = given.at(-1)
    if (typeof done !== 'function') throw wrongType('cb', 'of type function', done)
    answerLater(done as Callback, { name, given, run: () => call(...given.slice(0, -1)) })
  }
  if (name === 'exists') {
    return Object.assign(later, { [promisify.custom]: async (...given: readonly unknown[]) => call(...given) })
  }
  const first = pairs[name]
  if (first === undefined) return later
  const second = pairNames[name] as string
  return Object.assign(later, {
    [promisify.custom]: async (...given: readonly unknown[]) => ({ [first]: call(...given), [second]: given[1] }),
  })
}

type Running = { readonly name: string; readonly given: readonly unknown[]; readonly run: () => unknown }

/** A wrong argument is thrown at once, as in node; what the file system refuses goes to the callback. */
function answerLater(done: Callback, { name, given, run }: Running): void {
  try {
    const value = withoutStacks(run)
    if (name === 'exists') setImmediate(() => done(value))
    else if (pairs[name] !== undefined) setImmediate(() => done(null, value, given[1]))
    else if (value === undefined) setImmediate(() => done(null))
    else setImmediate(() => done(null, value))
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) {
      Error.captureStackTrace(error, answerLater)
      throw error
    }
    setImmediate(() => done(error))
  }
}
