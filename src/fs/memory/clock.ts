/** Nanoseconds since 1970. Never earlier than what it said before; a tick is a millisecond, as coarse as a kernel's. */
export function coarseClock(): () => bigint {
  let lastMs = 0
  let lastNs = 0n
  return () => {
    const nowMs = Date.now()
    if (nowMs > lastMs) {
      lastMs = nowMs
      lastNs = BigInt(nowMs) * 1_000_000n
    }
    return lastNs
  }
}
