// Nodes of layers, as overlayfs marks them.
import type { Tree } from '../../src/fs/index.ts'

const TR = 'trusted.overlay.'

/** Character device 0:0. */
export const whiteout = { type: 'whiteout' } as const
/** A directory. */
export const directory = { type: 'dir' } as const
/** A directory that hides what is beneath. */
export const opaque = { type: 'dir', opaque: true } as const
/** An empty file with overlay.whiteout. */
export const xwhiteout = { type: 'file', xattrs: { [`${TR}whiteout`]: '' } } as const
/** A directory that says that it holds such files. */
export const mayHaveXwhiteouts = { type: 'dir', xattrs: { [`${TR}opaque`]: 'x' } } as const

/** Names of an impure directory are looked up by a listing, for their numbers. */
export const impure = { type: 'dir', xattrs: { [`${TR}impure`]: 'y' } } as const

/** A directory or file with one of overlayfs' attributes. */
export function marked(type: 'dir' | 'file', mark: string, value: string): Tree[string] {
  return { type, xattrs: { [TR + mark]: value } }
}

/** A file without data of its own, 4 bytes long. */
export function metacopy(redirect?: string, value: string | { readonly base64: string } = ''): Tree[string] {
  const more = redirect === undefined ? {} : { [`${TR}redirect`]: redirect }
  return { type: 'file', size: 4, mode: '0600', xattrs: { [`${TR}metacopy`]: value, ...more } }
}
