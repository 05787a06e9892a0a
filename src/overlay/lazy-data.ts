// Data-only layers are asked when the data is needed, by the path that an absolute redirect names (rule 76); with verity=
// the data of any metacopy is verified then (rule 15). fs/overlayfs/namei.c: ovl_verify_lowerdata(),
// ovl_maybe_lookup_lowerdata(), ovl_lookup_data_layers().
import { type Errno, FsError } from '../errors/index.ts'
import type { Inode } from '../fs/index.ts'
import type { Layer, OverlayDentry, OverlayInode, OverlayMount } from './model.ts'
import { verifyData } from './verity.ts'

/** Before the data of a file is used: a metacopy's is found, and verified. Errors: those of both. */
export function settleData(mount: OverlayMount, dentry: OverlayDentry): void {
  if (dentry.inode.lazyDataRedirect !== null) findLazyData(mount, dentry.inode)
  if (mount.config.verity !== 'off') verifyData(mount, dentry)
}

/** Finds the data of a metacopy. Errors: ENOENT, ELOOP (a symlink on the way), ENOTDIR, EIO. */
export function findLazyData(mount: OverlayMount, inode: OverlayInode): void {
  const redirect = inode.lazyDataRedirect
  if (redirect === null) return
  if (!redirect.startsWith('/')) throw new FsError('EIO', 'open')
  let errno: Errno = 'ENOENT'
  for (const layer of mount.dataLayers) {
    const found = walk(layer, redirect)
    if (typeof found !== 'string') {
      inode.lower = [...inode.lower, { layer, inode: found }]
      inode.lazyDataRedirect = null
      return
    }
    errno = found
  }
  throw new FsError(errno, 'open')
}

/** Symlinks are not followed (LOOKUP_NO_SYMLINKS), nothing above the root is reached, only a regular file holds data. */
function walk(layer: Layer, path: string): Inode | Errno {
  const above: Inode[] = []
  let at: Inode = layer.root
  const names = path.split('/').filter(name => name !== '' && name !== '.')
  for (const [position, name] of names.entries()) {
    if (at.type !== 'dir') return 'ENOTDIR'
    if (name === '..') {
      const parent = above.pop()
      if (parent === undefined) return 'EXDEV'
      at = parent
      continue
    }
    const next = layer.superBlock.lookup(at, name)
    if (next === null) return 'ENOENT'
    if (next.type === 'symlink' && position < names.length - 1) return 'ELOOP'
    above.push(at)
    at = next
  }
  return at.type === 'file' ? at : 'ENOENT'
}
