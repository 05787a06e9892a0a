// "Did you mean …?" for a path that does not exist: the nearest name in its directory, when one is near.

import { readdirSync } from 'node:fs'
import { systemPath } from './blob.ts'

/** A path like `location` that exists; null when no name is near enough to be a likely slip. */
export function nearName(location: string): string | null {
  const slash = location.lastIndexOf('/')
  const directory = slash < 0 ? './' : location.slice(0, slash + 1)
  const name = location.slice(slash + 1)
  const allowed = Math.max(1, Math.floor(name.length / 4))
  let best: { readonly name: string; readonly distance: number } | null = null
  for (const other of namesIn(directory)) {
    const distance = editDistance(name.toLowerCase(), other.toLowerCase(), allowed)
    if (distance <= allowed && (best === null || distance < best.distance)) best = { name: other, distance }
  }
  return best === null ? null : directory + best.name
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(systemPath(directory)).slice(0, 10_000)
  } catch {
    return [] // a directory that is missing or closed to us has nothing to suggest
  }
}

/** Insertions, deletions, replacements and swaps of neighbours between two names; more than `limit` is any larger number. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      next.push(cost)
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}
