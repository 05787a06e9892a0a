// Names of overlayfs' own attributes, and how a program's attributes under the same prefix are kept apart from them
// (fs/overlayfs/xattrs.c; rules 65, 66, 145, 146).
import { FsError } from '../../errors/index.ts'
import { nameByteLength } from '../../path/index.ts'
import type { MarkNames } from '../marks.ts'

/** True for an attribute that only overlayfs itself sees: under the prefix and not escaped (rule 145). */
export function isPrivateXattr(name: string, { prefix }: MarkNames): boolean {
  return name.startsWith(prefix) && !name.startsWith(escape, prefix.length)
}

/**
 * What an attribute is called on the disk: under the prefix it gets `overlay.` put in, so that a layer can be an
 * overlay's upperdir of its own (rule 66). Errors: EOPNOTSUPP when the name becomes longer than 255 bytes (rule 146), EINVAL
 * for the bare prefix.
 */
export function escapeXattr(name: string, marks: MarkNames, syscall: string): string {
  const stored = storedXattrName(name, marks)
  if (stored === name) return name
  // A name with nothing behind the prefix of its handler is none: xattr_resolve_name().
  if (name.length === marks.prefix.length) throw new FsError('EINVAL', syscall)
  if (nameByteLength(stored) > maxNameBytes) throw new FsError('EOPNOTSUPP', syscall)
  return stored
}

/** As `escapeXattr`, for who finds out by itself which names a file system takes. */
export function storedXattrName(name: string, { prefix }: MarkNames): string {
  return name.startsWith(prefix) ? `${prefix}${escape}${name.slice(prefix.length)}` : name
}

/** What a program sees an attribute on the disk as; null for a private one. */
export function shownXattrName(name: string, marks: MarkNames): string | null {
  const { prefix } = marks
  if (!name.startsWith(prefix)) return name
  return isPrivateXattr(name, marks) ? null : `${prefix}${name.slice(prefix.length + escape.length)}`
}

/** The names of a listing, without private ones and unescaped (rule 145). */
export function visibleXattrs(names: readonly string[], marks: MarkNames): readonly string[] {
  if (!names.some(name => name.startsWith(marks.prefix))) return names
  return names.flatMap(name => shownXattrName(name, marks) ?? [])
}

const escape = 'overlay.'
/** XATTR_NAME_MAX */
const maxNameBytes = 255
