import { encodeName } from './names.ts'

/** A path inside a layer or a root file system: '' is the root; no leading or trailing slash, no empty, "." or ".." component. */
export type LayerPath = string

/** A cleaned path, and whether cleaning it met "..". */
export type CleanPath = { readonly path: LayerPath /** ".." occurred and was resolved. */; readonly dotdot: boolean }

const needsCleaning = /(?:^|\/)(?:\.{0,2})(?:\/|$)/

/**
 * Cleans the name of a tar entry lexically: a leading "/", "./", empty and "." components vanish, ".." drops the
 * component before it and never climbs above the root (rule 2 of the layer rules).
 */
export function cleanLayerPath(name: string): CleanPath {
  if (!needsCleaning.test(name)) return { path: name, dotdot: false }
  const kept: string[] = []
  let dotdot = false
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') {
      dotdot = true
      kept.pop()
    } else kept.push(part)
  }
  return { path: kept.join('/'), dotdot }
}

/** Directory part of a clean path: '' for a name in the root. */
export function parentPath(path: LayerPath): LayerPath {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

/** Last component of a clean path: '' for the root. */
export function baseName(path: LayerPath): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Joins a clean directory and one name. */
export function joinPath(directory: LayerPath, name: string): LayerPath {
  return directory === '' ? name : `${directory}/${name}`
}

/** Compares paths by their bytes, so that listings are sorted alike on every machine. */
export function comparePaths(a: LayerPath, b: LayerPath): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    // UTF-16 order is byte order below the surrogates; beyond, the bytes decide.
    return x < 0xd800 && y < 0xd800 ? x - y : compareBytes(encodeName(a), encodeName(b))
  }
  return a.length - b.length
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
