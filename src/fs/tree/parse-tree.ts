// A whole tree literal: every node by itself, and whether the paths make a tree.
import { OvlError } from '../../errors/index.ts'
import { parentPath } from '../../path/index.ts'
import { badTree, type NodePlace, type ParsedNode, parseNode } from './parse-node.ts'
import type { Tree } from './tree.ts'

/** What a tree stands for, in the order in which it is written down; directories that are not named are left out. */
export type ParsedTree = ReadonlyMap<string, ParsedNode>

/**
 * A tree from untrusted JSON. `where` names the document in errors ("lower 1 of a.json").
 * Errors: BAD_SCENARIO naming path and key.
 */
export function parseTree(value: unknown, where = 'the tree'): Tree {
  planTree(value, where)
  return value as Tree
}

/** Every node with its defaults. Errors: as `parseTree`. */
export function planTree(value: unknown, where = 'the tree'): ParsedTree {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OvlError('BAD_SCENARIO', `Cannot read ${where}: a tree is an object of paths and nodes`, {
      data: { where },
    })
  }
  const plan = new Map<string, ParsedNode>()
  for (const [path, node] of Object.entries(value)) {
    const place = { where, path }
    checkPath(place)
    const parsed = parseNode(node, place)
    if (parsed.link !== undefined) checkLink(parsed.link, { plan, place })
    if (path === '' && (parsed.type !== 'dir' || parsed.link !== undefined)) throw badTree(place, 'the root is a dir')
    plan.set(path, parsed)
  }
  for (const path of plan.keys()) checkParents(plan, { where, path })
  return plan
}

function checkPath(place: NodePlace): void {
  if (place.path === '') return
  if (place.path.includes('\0')) throw badTree(place, 'a path has no NUL')
  const isClean = place.path.split('/').every(name => name !== '' && name !== '.' && name !== '..')
  if (!isClean) throw badTree(place, 'a path is relative to the root, without empty names, "." and ".."')
}

function checkLink(link: string, { plan, place }: { readonly plan: ParsedTree; readonly place: NodePlace }): void {
  const first = plan.get(link)
  if (first === undefined) throw badTree(place, 'link must be the path of an earlier node')
  if (first.type === 'dir') throw badTree(place, 'a directory has one name')
}

function checkParents(plan: ParsedTree, place: NodePlace): void {
  for (let path = parentPath(place.path); path !== ''; path = parentPath(path)) {
    const parent = plan.get(path)
    if (parent === undefined) continue
    if (parent.type !== 'dir' || parent.link !== undefined) throw badTree(place, 'its parent is no dir')
    return // whose own parents are checked by themselves
  }
}
