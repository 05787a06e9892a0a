import { comparePaths, type LayerPath } from '../../path/index.ts'

/** The order of a walk: names sorted by their bytes, and what is in a directory right behind it. */
export function compareTreePaths(a: LayerPath, b: LayerPath): number {
  if (a === b) return 0
  const [aNames, bNames] = [a.split('/'), b.split('/')]
  for (let at = 0; at < aNames.length && at < bNames.length; at++) {
    const order = comparePaths(aNames[at] ?? '', bNames[at] ?? '')
    if (order !== 0) return order
  }
  return aNames.length - bNames.length
}
