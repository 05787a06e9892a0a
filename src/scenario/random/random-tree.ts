// Trees for layers: drawn from the same few paths, so that they hide, merge with and contradict each other.
import type { Tree, TreeNode, TreeObject } from '../../fs/index.ts'
import { below, isSpecialPath, randomName, randomSpecialName } from './random-names.ts'
import { plainXattrs, randomRedirect, strayMarks, type Xattrs } from './random-xattrs.ts'
import type { Prng } from './prng.ts'

/** What a tree is for. */
export type TreeRole = {
  /** "lower 1", shown in the content of its files. */
  readonly label: string
  /** Holds whiteouts, redirects and metacopies. */
  readonly hasMarks: boolean
  readonly hasMetacopies: boolean
  readonly isDataOnly: boolean
  readonly prefix: 'trusted' | 'user'
  /** Paths that other layers have, or may have. */
  readonly paths: readonly string[]
}

/** Paths that the layers of one scenario are drawn from; those of directories come before what is below them. */
export function randomPaths(prng: Prng): readonly string[] {
  const paths = new Set<string>()
  const directories = ['']
  const count = prng.between(4, 14)
  while (paths.size < count) {
    const parent = prng.chance(60) ? prng.pick(directories.slice(-3)) : prng.pick(directories)
    const isSpecial = prng.chance(5)
    const path = below(parent, isSpecial ? randomSpecialName(prng) : randomName(prng))
    paths.add(path)
    if (!isSpecial && path.split('/').length < 5) directories.push(path)
    if (prng.chance(2)) break
  }
  return [...paths]
}

/** A tree of some of the paths. */
export function randomTree(prng: Prng, role: TreeRole): Tree {
  const tree: { [path: string]: TreeNode } = {}
  const share = prng.pick([40, 60, 80])
  for (const path of role.paths) {
    if (!prng.chance(share) || !hasDirectories(tree, path)) continue
    tree[path] = isSpecialPath(path) ? specialNode(prng, role) : plainNode(prng, { role, tree, path })
  }
  if (prng.chance(15)) tree[''] = { type: 'dir', ...ownership(prng, 'dir') }
  return tree
}

/** No parent of the path is something else than a directory. */
function hasDirectories(tree: Tree, path: string): boolean {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const parent = tree[path.slice(0, end)]
    if (parent !== undefined && (typeof parent === 'string' || parent.type !== 'dir')) return false
  }
  return true
}

function specialNode(prng: Prng, role: TreeRole): TreeNode {
  const type = prng.weighted({ fifo: 40, socket: 15, char: 20, block: 10, whiteout: role.hasMarks ? 15 : 0 })
  if (type === 'whiteout') return { type }
  const device = type === 'char' || type === 'block' ? { rdev: prng.pick(['1:3', '0:1', '7:70000']) } : {}
  return { type, ...device, ...ownership(prng, type) }
}

type Position = { readonly role: TreeRole; readonly tree: Tree; readonly path: string }

function plainNode(prng: Prng, at: Position): TreeNode {
  const { role, tree } = at
  const marks = role.hasMarks ? 1 : 0
  const links = Object.keys(tree).filter(path => isLinkable(tree[path]))
  const type = prng.weighted({
    dir: role.isDataOnly ? 25 : 45,
    file: 30,
    symlink: 6,
    whiteout: 9 * marks,
    xwhiteout: 3 * marks,
    metacopy: role.hasMetacopies ? 8 * marks : 0,
    link: links.length > 0 ? 6 : 0,
  })
  const makers: { readonly [key in typeof type]: () => TreeNode } = {
    dir: () => directory(prng, at),
    file: () => file(prng, at),
    metacopy: () => metacopy(prng, at),
    symlink: () => ({ type: 'symlink', target: symlinkTarget(prng, role), ...(prng.chance(20) && { uid: 1000 }) }),
    link: () => ({ link: prng.pick(links) }),
    whiteout: () => ({ type: 'whiteout' }),
    xwhiteout: () => ({ type: 'xwhiteout' }),
  }
  return makers[type]()
}

function isLinkable(node: TreeNode | undefined): boolean {
  if (node === undefined || typeof node === 'string') return node !== undefined
  return node.link === undefined && (node.type === undefined || node.type === 'file' || node.type === 'symlink')
}

function directory(prng: Prng, { role, path }: Position): TreeObject {
  const xattrs: Xattrs = {
    ...(prng.chance(12) && plainXattrs(prng, true)),
    ...(role.hasMarks && prng.chance(4) && strayMarks(prng, role.prefix)),
  }
  const isOpaque = role.hasMarks && prng.chance(12)
  if (role.hasMarks && !isOpaque && prng.chance(5)) xattrs[`${role.prefix}.overlay.opaque`] = 'x'
  if (role.hasMarks && prng.chance(8)) {
    xattrs[`${role.prefix}.overlay.redirect`] = randomRedirect(prng, [path, ...role.paths])
  }
  return {
    type: 'dir',
    ...ownership(prng, 'dir'),
    ...(isOpaque && { opaque: true }),
    ...(Object.keys(xattrs).length > 0 && { xattrs }),
  }
}

function file(prng: Prng, { role, path }: Position): TreeNode {
  const content = `${role.label} ${path}`
  if (prng.chance(40)) return content
  return {
    type: 'file',
    ...(prng.chance(8) ? { size: prng.pick([5000, 70_000]) } : { content }),
    ...ownership(prng, 'file'),
    ...(prng.chance(15) && { xattrs: plainXattrs(prng, false) }),
    ...(role.hasMarks && prng.chance(4) && { xattrs: strayMarks(prng, role.prefix) }),
  }
}

/** A file whose data lies in a layer beneath, if it does. */
function metacopy(prng: Prng, { role, path }: Position): TreeObject {
  const redirects = prng.chance(60)
  return {
    type: 'file',
    size: prng.pick([0, 12, 5000]),
    ...ownership(prng, 'file'),
    xattrs: {
      [`${role.prefix}.overlay.metacopy`]: metacopyValue(prng),
      ...(redirects && { [`${role.prefix}.overlay.redirect`]: randomRedirect(prng, [path, ...role.paths]) }),
    },
  }
}

/** Mostly empty; wrong, a header alone, with a digest of SHA-256, and what is not quite one. */
function metacopyValue(prng: Prng): string {
  if (prng.chance(85)) return ''
  const [header, digest] = ['\0\u0024\0\u0001', '0123456789abcdef0123456789abcdef']
  const wrong = [`${header}short`, `\u0001${header.slice(1)}${digest}`, '\0\u0005\0\0x', header + digest.repeat(3)]
  return prng.pick(['x', '\0\u0004\0\0', header + digest, ...wrong])
}

/** Where a symlink leads: relative, absolute, to nothing, to itself. Never to something that is not to be opened. */
export function symlinkTarget(prng: Prng, { paths }: { readonly paths: readonly string[] }): string {
  const path = prng.pick(paths)
  const isSafe = !path.split('/').some(name => name === 'p' || name === 'q')
  return prng.pick([...(isSafe ? [`/${path}`, path, `../${path}`] : []), 'a', '.', '..', '/', 'nowhere', '/a/b'])
}

const modes = {
  dir: ['0755', '0755', '0700', '0777', '1777', '2755', '2777', '0555', '0000'],
  file: ['0644', '0644', '0600', '0666', '0755', '4755', '2755', '2644', '0444', '0000'],
  other: ['0644', '0600', '0666'],
} as const

function ownership(prng: Prng, type: string): Pick<TreeObject, 'mode' | 'uid' | 'gid' | 'mtime'> {
  const choices: readonly string[] = type === 'dir' ? modes.dir : type === 'file' ? modes.file : modes.other
  return {
    ...(prng.chance(45) && { mode: prng.pick(choices) }),
    ...(prng.chance(30) && { uid: prng.pick([1000, 1000, 1001, 100_000]), gid: prng.pick([0, 1000, 1000]) }),
    ...(prng.chance(40) && { mtime: prng.pick(['1', '1000000000.123456789', '-1.5', '0']) }),
  }
}
