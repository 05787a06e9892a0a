/**
 * Runs a call whose errors nobody asks where they came from: walking the stack is nine tenths of the cost of a refusal,
 * and programs ask for many files that are not there. Node's own asynchronous errors have no frames either.
 */
export function withoutStacks<T>(run: () => T): T {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return run()
  } finally {
    Error.stackTraceLimit = limit
  }
}
