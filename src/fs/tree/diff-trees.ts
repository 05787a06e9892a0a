// Where two trees differ, and only there, a line each: for replays and tests.
import { escapeControls } from '../../errors/index.ts'
import { comparePaths } from '../../path/index.ts'
import type { ListedNode, Tree, TreeListing } from './tree.ts'

/** How two trees are compared. */
export type DiffTreesOptions = {
  /** What the two are called in the lines; by default "a" and "b". */
  readonly names?: readonly [string, string]
  /** Judge only the fields that the nodes of the first tree have: a literal says less than a listing. */
  readonly onlyNamed?: boolean
}

const longestValue = 200

/** One line a difference: `etc/passwd: mode "0644" (a), "0600" (b)`. No lines: they agree. */
export function diffTrees(
  a: Tree | TreeListing,
  b: Tree | TreeListing,
  options: DiffTreesOptions = {},
): readonly string[] {
  const { names = ['a', 'b'], onlyNamed = false } = options
  const paths = [...new Set([...Object.keys(a), ...Object.keys(b)])].toSorted(comparePaths)
  return paths.flatMap(path => {
    const [left, right] = [nodeAt(a, path), nodeAt(b, path)]
    const shown = path === '' ? '/' : escapeControls(path)
    if (left === null) return [`${shown}: only in ${names[1]}: ${brief(right)}`]
    if (right === null) return [`${shown}: only in ${names[0]}: ${brief(left)}`]
    return fieldsOf(left, right, onlyNamed)
      .filter(key => !isEqual(left[key], right[key]))
      .map(key => `${shown}: ${key} ${brief(left[key])} (${names[0]}), ${brief(right[key])} (${names[1]})`)
  })
}

type Fields = { readonly [key: string]: unknown }

function nodeAt(tree: Tree | TreeListing, path: string): Fields | null {
  if (!Object.hasOwn(tree, path)) return null
  const node: string | ListedNode | undefined = tree[path]
  return typeof node === 'string' ? { type: 'file', content: node } : (node ?? null)
}

function fieldsOf(left: Fields, right: Fields, onlyNamed: boolean): readonly string[] {
  if (onlyNamed) return Object.keys(left)
  return [...new Set([...Object.keys(left), ...Object.keys(right)])]
}

/** Values of JSON; the order of keys does not count. */
function isEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  const [left, right] = [a as Fields, b as Fields]
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every(key => isEqual(left[key], right[key]))
}

function brief(value: unknown): string {
  const text = escapeControls(JSON.stringify(value) ?? 'nothing')
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text
}
