// Reproducible chance: the same seed gives the same scenario, on every machine and for as long as the generator is the
// same.

/** Numbers from a seed (splitmix32: a counter, well mixed, so that neighbouring seeds have nothing in common). */
export class Prng {
  #state: number

  /** `seed`: an integer; its lowest 32 bits count. */
  constructor(seed: number) {
    this.#state = seed >>> 0
    // The first number of neighbouring seeds would be neighbours of the counter.
    this.#state = this.#next()
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor((this.#next() / 2 ** 32) * limit)
  }

  /** An integer, both ends included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean {
    return this.#next() < (percent / 100) * 2 ** 32
  }

  /** One of a list that is not empty. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('Cannot pick from an empty list')
    return item
  }

  /** A key, as often as its weight says. */
  weighted<Key extends string>(weights: { readonly [key in Key]: number }): Key {
    const entries = Object.entries(weights) as [Key, number][]
    let rest = this.below(entries.reduce((sum, [, weight]) => sum + weight, 0))
    for (const [key, weight] of entries) {
      if (rest < weight) return key
      rest -= weight
    }
    throw new Error('Cannot pick by weights that are all 0')
  }

  #next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
}
