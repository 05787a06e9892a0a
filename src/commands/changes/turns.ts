// Work that never waits, done so that signals are heard: Ctrl-C in the middle of a large tree.
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Longest time without a turn, unless one file takes longer. */
const mostMs = 20

/** What is done between two pieces of work: it waits now and then, and throws the reason of the signal. */
export function turnsOf(signal: AbortSignal): () => null | Promise<void> {
  let last = performance.now()
  const take = async (): Promise<void> => {
    await nextTurn()
    last = performance.now()
    signal.throwIfAborted()
  }
  return () => {
    signal.throwIfAborted()
    return performance.now() - last < mostMs ? null : take()
  }
}
