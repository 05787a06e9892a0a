import { markNames, storedXattrName } from '../../overlay/index.ts'
import { nameByteLength } from '../../path/index.ts'
import type { LayerInode } from './inode.ts'

const none: ReadonlyMap<string, Uint8Array> = new Map()
const opaque = new TextEncoder().encode('y')
const marksOf = { trusted: markNames(false), user: markNames(true) } as const
/** XATTR_NAME_MAX */
const nameMax = 255

/**
 * The attributes of an object as they would be on disk: what the image has under the overlay's own prefix is escaped,
 * so that no layer can forge a mark (rule 24), and an opaque directory carries the mark.
 */
export function layerXattrs(inode: LayerInode, namespace: 'trusted' | 'user'): ReadonlyMap<string, Uint8Array> {
  const { xattrs } = inode.attributes
  if (xattrs === null && !inode.isOpaque) return none
  const marks = marksOf[namespace]
  const stored = new Map<string, Uint8Array>()
  for (const [name, value] of xattrs ?? []) {
    if (!isKept(name, inode)) continue
    const onDisk = storedXattrName(name, marks)
    if (nameByteLength(onDisk) <= nameMax) stored.set(onDisk, value)
  }
  if (inode.isOpaque) stored.set(marks.opaque, opaque)
  return stored
}

/** No file system stores what has no namespace, nor attributes of users where Linux has none (rule 23, xattr(7)). */
function isKept(name: string, { type }: LayerInode): boolean {
  if (name.startsWith('user.')) return type === 'file' || type === 'dir'
  if (name.startsWith('system.')) return type !== 'symlink' && /^system\.posix_acl_(?:access|default)$/.test(name)
  return name.startsWith('trusted.') || name.startsWith('security.')
}
