// Work of other processes that does not depend on each other, as much of it at once as CI has processors.

/** Calls for every item, in order, two at a time; the results in order. After an error no more are begun. */
export async function twoAtATime<T, R>(items: readonly T[], call: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  let hasFailed = false
  const work = async (): Promise<void> => {
    while (next < items.length && !hasFailed) {
      const index = next++
      try {
        results[index] = await call(items[index] as T)
      } catch (error) {
        hasFailed = true
        throw error
      }
    }
  }
  const [one, other] = await Promise.allSettled([work(), work()])
  for (const done of [one, other]) if (done.status === 'rejected') throw done.reason
  return results
}
