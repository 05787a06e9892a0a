// What an entry says about an inode besides its content: mode, owner, time, extended attributes (rules 21 to 23).

import { OvlError, quote, type Warn } from '../errors/index.ts'
import { decodeName } from '../path/index.ts'
import type { TarHeader } from '../tar/index.ts'

/** Extended attributes: full name ("user.a") to bytes. */
export type Xattrs = ReadonlyMap<string, Uint8Array>

/** Attributes of an inode as a layer gives them; `mode` holds permission bits with setuid, setgid and sticky only. */
export type Attributes = {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Whole seconds, possibly negative, and 0 ≤ nanoseconds < 10⁹ after them. */
  readonly mtimeSec: number
  readonly mtimeNsec: number
  /** Full names ("user.a") with their bytes; null when there are none. */
  readonly xattrs: Xattrs | null
}

/** A directory that no layer describes: 0755 root:root (rule 15), at the epoch so that the result is reproducible. */
export const impliedAttributes: Attributes = { mode: 0o755, uid: 0, gid: 0, mtimeSec: 0, mtimeNsec: 0, xattrs: null }

/**
 * Reads the attributes of a tar entry.
 *
 * Errors: BAD_ENTRY for an owner outside 32 bits (−1 is read as 0, with a warning).
 */
export function readAttributes(header: TarHeader, warn: Warn): Attributes {
  return {
    mode: header.mode & 0o7777,
    uid: readOwner(header, header.uid, warn),
    gid: readOwner(header, header.gid, warn),
    mtimeSec: header.mtimeSec,
    mtimeNsec: header.mtimeNsec,
    xattrs: header.pax === null ? null : readXattrs(header.pax),
  }
}

const maxOwner = 0xffff_fffe // 2³²−1 is (uid_t) −1, which chown(2) reads as "leave it"

function readOwner(header: TarHeader, id: number, warn: Warn): number {
  if (id >= 0 && id <= maxOwner) return id
  if (id === -1) {
    warn({ code: 'OWNER_MINUS_ONE', message: `owner -1 of ${quote(header.name)} is read as 0`, path: header.name })
    return 0
  }
  throw new OvlError('BAD_ENTRY', `Cannot apply ${quote(header.name)}: owner ${id} does not fit into 32 bits`, {
    data: { path: header.name, owner: id },
  })
}

const schily = 'SCHILY.xattr.'
const libarchive = 'LIBARCHIVE.xattr.'
/** Labels of the host's policy and of another protocol's ACL: they belong to where the image was made. */
const neverApplied = new Set(['security.selinux', 'system.nfs4_acl'])

function readXattrs(pax: ReadonlyMap<string, Uint8Array>): Xattrs | null {
  let xattrs: Map<string, Uint8Array> | null = null
  for (const [key, value] of pax) {
    const isSchily = key.startsWith(schily)
    if (!isSchily && !key.startsWith(libarchive)) continue
    const name = isSchily ? key.slice(schily.length) : decodePercent(key.slice(libarchive.length))
    if (name === '' || neverApplied.has(name)) continue
    xattrs ??= new Map<string, Uint8Array>()
    // star's record is the bytes themselves; where both are present it wins over libarchive's base64.
    if (isSchily) xattrs.set(name, value)
    else if (!pax.has(schily + name)) xattrs.set(name, decodeBase64(value))
  }
  return xattrs
}

/** libarchive writes names URL-encoded (archive_write_set_format_pax.c, url_encode). */
function decodePercent(name: string): string {
  return name.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** libarchive writes base64 without padding; characters outside the alphabet end the value. */
function decodeBase64(value: Uint8Array): Uint8Array {
  const text = /^[A-Za-z0-9+/]*/.exec(decodeName(value))?.[0] ?? ''
  const whole = text.length % 4 === 1 ? text.slice(0, -1) : text
  return Uint8Array.from(atob(whole), char => char.charCodeAt(0))
}
