// Names and paths: few, so that layers and steps meet.
import type { Prng } from './prng.ts'

/** Of everything that can be opened. */
const plainNames = ['a', 'b', 'c', 'd', 'e'] as const
const rareNames = ['.wh.a', 'a b', '\udcff\udcfe', 'ä', '#1', 'x'.repeat(255)] as const
/**
 * Of FIFOs, sockets and devices, and nothing else gets there but by chance: opening them is the business of pipes and
 * drivers, and no file system's.
 */
const specialNames = ['p', 'q'] as const

/** A name for a file, directory or symlink. */
export function randomName(prng: Prng): string {
  return prng.chance(3) ? prng.pick(rareNames) : prng.pick(plainNames)
}

/** A name for something that is not opened. */
export function randomSpecialName(prng: Prng): string {
  return prng.pick(specialNames)
}

/** True when something that is not to be opened may be there. */
export function isSpecialPath(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return (specialNames as readonly string[]).includes(name)
}

/** Puts a name below a directory of a tree. */
export function below(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}
