// Attributes: plain ones, marks of overlayfs right and wrong, escaped marks, and ACLs as the kernel stores them.
import type { BytesJson } from '../../fs/index.ts'
import type { Prng } from './prng.ts'

/** Attributes of one node. */
export type Xattrs = { [name: string]: BytesJson }

/** Attributes that mean nothing to overlayfs. */
export function plainXattrs(prng: Prng, isDirectory: boolean): Xattrs {
  const kind = prng.weighted({ user: 40, trusted: 20, escaped: 12, foreign: 8, acl: 20 })
  if (kind === 'user') return { [`user.${prng.pick(['a', 'b'])}`]: prng.pick(['1', '2', '']) }
  if (kind === 'trusted') return { 'trusted.a': { base64: 'AP8=' } }
  if (kind === 'escaped') {
    return { [`${prng.pick(['trusted', 'user'])}.overlay.overlay.${prng.pick(['opaque', 'x', 'overlay.y'])}`]: 'y' }
  }
  if (kind === 'foreign')
    return { [`${prng.pick(['trusted', 'user'])}.overlay.${prng.pick(['unknown', 'overlay'])}`]: 'v' }
  return { [`system.posix_acl_${isDirectory && prng.chance(60) ? 'default' : 'access'}`]: { base64: randomAcl(prng) } }
}

const everybody = 0xffff_ffff

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
