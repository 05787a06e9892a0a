// Attributes: plain ones, marks of overlayfs right and wrong, escaped marks, and ACLs as the kernel stores them.
import type { BytesJson } from '../../fs/index.ts'
import type { Prng } from './prng.ts'

/** Attributes of one node. */
export type Xattrs = { [name: string]: BytesJson }

/** Attributes that mean nothing to overlayfs. */
export function plainXattrs(prng: Prng, isDirectory: boolean): Xattrs {
  const kind = prng.weighted({ user: 38, trusted: 16, escaped: 12, foreign: 8, acl: 18, capability: 8 })
  if (kind === 'user') return { [`user.${prng.pick(['a', 'b'])}`]: prng.pick(['1', '2', '']) }
  if (kind === 'trusted') return { 'trusted.a': { base64: 'AP8=' } }
  if (kind === 'capability') return { 'security.capability': { base64: netRaw } }
  if (kind === 'escaped') {
    return { [`${prng.pick(['trusted', 'user'])}.overlay.overlay.${prng.pick(['opaque', 'x', 'overlay.y'])}`]: 'y' }
  }
  if (kind === 'foreign')
    return { [`${prng.pick(['trusted', 'user'])}.overlay.${prng.pick(['unknown', 'overlay'])}`]: 'v' }
  return { [`system.posix_acl_${isDirectory && prng.chance(60) ? 'default' : 'access'}`]: { base64: randomAcl(prng) } }
}

const everybody = 0xffff_ffff

/** Names and values that are refused, for one reason or another. */
export function wrongXattrs(prng: Prng): Xattrs {
  const name = prng.pick([
    'user.',
    'nosuch.a',
    'user',
    'trusted.overlay.',
    `user.${'n'.repeat(251)}`,
    `trusted.overlay.${'n'.repeat(235)}`,
    `user.overlay.${'n'.repeat(240)}`,
    'system.posix_acl_access',
    'system.posix_acl_default',
    'security.other',
  ])
  return { [name]: prng.pick(['', 'value', { base64: 'AgAAAA==' }]) }
}

/** Marks that overlayfs writes itself, where it would not have written them, or with other values. */
export function strayMarks(prng: Prng, prefix: string): Xattrs {
  const marks: { readonly [name: string]: readonly BytesJson[] } = {
    origin: ['', 'garbage', { base64: 'APsdAAEAAAAAAAAAAAAAAAAAAAAADAAAAAAAAAA=' }],
    impure: ['y', 'n', ''],
    opaque: ['n', '', 'yy', 'x'],
    nlink: ['U+1', 'L-1', 'U-9', 'nothing'],
    protattr: ['i', 'a', 'ai', 'z'],
    uuid: [{ base64: 'AAECAwQFBgcICQoLDA0ODw==' }, 'short'],
    upper: ['', 'garbage'],
    whiteout: ['', 'y'],
    unknown: ['v'],
  }
  const name = prng.pick(Object.keys(marks))
  return { [`${prefix}.overlay.${name}`]: prng.pick(marks[name] ?? ['']) }
}

/** struct vfs_cap_data, revision 2: cap_net_raw. */
const netRaw = 'AQAAAgAgAAAAAAAAAAAAAAAAAAA='

/** struct posix_acl_xattr: version 2, then entries of tag, permissions and id. */
export function randomAcl(prng: Prng): string {
  const bits = (): number => prng.below(8)
  const named = [...(prng.chance(70) ? [[0x02, bits(), 1000]] : []), ...(prng.chance(30) ? [[0x08, bits(), 1000]] : [])]
  const entries = [
    [0x01, 4 + prng.below(4), everybody],
    ...named.filter(([tag]) => tag === 0x02),
    [0x04, bits(), everybody],
    ...named.filter(([tag]) => tag === 0x08),
    ...(named.length > 0 ? [[0x10, bits(), everybody]] : []),
    [0x20, bits(), everybody],
  ]
  const view = new DataView(new ArrayBuffer(4 + entries.length * 8))
  view.setUint32(0, 2, true)
  entries.forEach(([tag = 0, permissions = 0, id = 0], index) => {
    view.setUint16(4 + index * 8, tag, true)
    view.setUint16(6 + index * 8, permissions, true)
    view.setUint32(8 + index * 8, id, true)
  })
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)))
}

/** A redirect: mostly to what may exist, sometimes not even well-formed. */
export function randomRedirect(prng: Prng, paths: readonly string[]): string {
  const kind = prng.weighted({ name: 40, absolute: 50, wrong: 10 })
  const path = prng.pick(paths)
  if (kind === 'name') return path.slice(path.lastIndexOf('/') + 1)
  if (kind === 'absolute') return `/${path}`
  return prng.pick(['', '/', '//a', '/a/', 'a/b', '..', '.', '/a/../b', '/nowhere'])
}
