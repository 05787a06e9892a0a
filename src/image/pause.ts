// Long synchronous work gives the event loop a turn now and then, so that signals, timers and progress stay alive.

const budgetMs = 15

/** Lets pending events run. */
export function pause(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** Says when a pause is due: about every 15 ms, restarting at each yes. */
export function pauseTimer(): { due(): boolean } {
  let last = performance.now()
  return {
    due() {
      const now = performance.now()
      if (now - last < budgetMs) return false
      last = now
      return true
    },
  }
}
