// Giving an inode its attributes, in the one order that works: owner first (chown clears setuid and capabilities),
// then extended attributes (an ACL changes the mode), then the mode, times last.

import * as fs from 'node:fs'
import { formatOverrideStat, overrideStatName, type StandsFor } from '../bundle/index.ts'
import { escapeControls, isCode, OvlError, quote, type Warn } from '../errors/index.ts'
import type { System } from '../host/index.ts'
import type { Attributes } from '../layer/index.ts'
import type { LayerPath } from '../path/index.ts'
import type { HostPaths } from './host-paths.ts'
import type { NotKeptLog } from './not-kept-log.ts'
import { mapOwner, type Owner, type Ownership } from './ownership.ts'

/** What attributes may be set here, and where it is told what was not. */
export type AttributeOptions = {
  /** System calls that Node lacks; without them nanoseconds, extended attributes and special files cannot be kept. */
  readonly system: System | null
  readonly ownership: Ownership
  /** How messages call the root directory. */
  readonly shownAs: string
  readonly warn: Warn
  /** Told about everything that the tree on disk does not show. */
  readonly notKept: NotKeptLog
  /** The name that an extended attribute gets on disk; its own when absent. */
  readonly nameXattr?: (name: string) => string
}

/** The inode that gets its attributes. */
export type Inode = {
  readonly kind: 'file' | 'directory' | 'symlink' | 'special'
  readonly path: LayerPath
  /** Open for writing, or null to go by path. */
  readonly fd: number | null
  /** The mode it has now; setuid, setgid and sticky are never among it. */
  readonly currentMode: number
  /** Set for a file that stands for a device that could not be made. */
  readonly standsFor?: StandsFor
}

/** Sets attributes below one root directory. */
export class AttributeWriter {
  readonly #paths: HostPaths
  readonly #options: AttributeOptions
  /** Who owns a new file here: not always the caller (BSD group semantics, setgid parents). */
  readonly #self: Owner

  constructor(paths: HostPaths, options: AttributeOptions) {
    this.#paths = paths
    this.#options = options
    const { uid, gid } = fs.lstatSync(paths.of(''))
    this.#self = { uid, gid }
  }

  apply(inode: Inode, attributes: Attributes): void {
    const { path, kind, standsFor } = inode
    const chowned = this.#applyOwner(inode, attributes)
    if (attributes.xattrs !== null && standsFor === undefined) {
      const { nameXattr = name => name } = this.#options
      for (const [name, value] of attributes.xattrs) {
        const isKept = this.#setXattr({ path, kind }, nameXattr(name), value)
        if (!isKept) this.#options.notKept.xattr(path, name)
      }
    }
    const mode = standsFor === undefined ? attributes.mode : 0
    if (kind !== 'symlink' && (chowned || mode !== inode.currentMode)) {
      if (inode.fd === null) fs.chmodSync(this.#paths.of(path), mode)
      else fs.fchmodSync(inode.fd, mode)
    }
    this.#applyTimes(inode, attributes)
  }

  /** Returns whether the owner was changed. */
  #applyOwner(inode: Inode, attributes: Attributes): boolean {
    const { path, fd } = inode
    const { ownership } = this.#options
    if (ownership.kind === 'record') {
      this.#recordOwner(inode, attributes)
      return false
    }
    const { uid, gid } = mapOwner(attributes, ownership, path)
    if (uid === this.#self.uid && gid === this.#self.gid) return false
    try {
      if (fd === null) fs.lchownSync(this.#paths.of(path), uid, gid)
      else fs.fchownSync(fd, uid, gid)
    } catch (error) {
      throw isCode(error, 'EPERM') || isCode(error, 'EINVAL') ? this.#cannotOwn(path, { uid, gid }) : error
    }
    return true
  }

  /** EPERM: no CAP_CHOWN; EINVAL: the ID is in no mapping of this user namespace. */
  #cannotOwn(path: LayerPath, { uid, gid }: Owner): OvlError {
    const place = escapeControls(`${this.#options.shownAs}/${path}`)
    return new OvlError(
      'NEEDS_PRIVILEGE',
      `Cannot create ${place} owned by ${uid}:${gid}: not permitted for uid ${process.geteuid?.() ?? 0}`,
      {
        hint: 'add --rootless (files will belong to you; owners are recorded in ovl.json)',
        data: { path, uid, gid },
      },
    )
  }

  #recordOwner({ path, kind, standsFor }: Inode, { uid, gid, mode }: Attributes): void {
    const isForeign = uid !== 0 || gid !== 0
    if (isForeign) this.#options.notKept.owner(path, { uid, gid })
    if ((!isForeign && standsFor === undefined) || (kind !== 'file' && kind !== 'directory')) return
    const value = formatOverrideStat({ uid, gid, mode, ...(standsFor === undefined ? {} : { standsFor }) })
    this.#setXattr({ path, kind }, overrideStatName, new TextEncoder().encode(value))
  }

  /** Returns whether it was set. */
  #setXattr({ path, kind }: Pick<Inode, 'path' | 'kind'>, name: string, value: Uint8Array): boolean {
    const { system, warn } = this.#options
    const skip = (reason: string): false => {
      warn({
        code: 'XATTR_SKIPPED',
        message: `extended attribute ${quote(name)} of ${quote(path)} is left out: ${reason}`,
        path,
      })
      return false
    }
    if (system === null) return skip('koffi is not installed')
    // The kernel refuses user.* on anything but files and directories (xattr_permission()).
    if (name.startsWith('user.') && kind !== 'file' && kind !== 'directory')
      return skip('only files and directories can have user attributes')
    try {
      system.lsetxattr(this.#paths.name(path), name, value)
      return true
    } catch (error) {
      const reason = xattrRefusals.find(([code]) => isCode(error, code))?.[1]
      if (reason === undefined && !(isCode(error, 'ENOSPC') && this.#hasSpace())) throw error
      return skip(reason ?? 'it is too large for this file system')
    }
  }

  /** ext4 answers ENOSPC also when an attribute does not fit into its inode and block. */
  #hasSpace(): boolean {
    const { bavail, bsize } = fs.statfsSync(this.#paths.of(''))
    return bavail * bsize > 1 << 20
  }

  #applyTimes({ path, fd }: Inode, { mtimeSec, mtimeNsec }: Attributes): void {
    const { system } = this.#options
    if (system === null) {
      // A negative number would mean the current time to Node; a Date before 1970 is taken as it is.
      const seconds = mtimeSec + mtimeNsec / 1e9
      const time = seconds < 0 ? new Date(Math.max(seconds, earliestDate) * 1000) : seconds
      if (fd === null) fs.lutimesSync(this.#paths.of(path), time, time)
      else fs.futimesSync(fd, time, time)
    } else if (fd === null) system.lutimens(this.#paths.name(path), mtimeSec, mtimeNsec)
    else system.futimens(fd, mtimeSec, mtimeNsec)
    if (mtimeSec < 0 || mtimeSec > 0x7fff_ffff) this.#checkTime(path, mtimeSec)
  }

  /** A time outside 32 bits may be beyond the file system, which clamps it without a word. */
  #checkTime(path: LayerPath, mtimeSec: number): void {
    const { mtimeNs } = fs.lstatSync(this.#paths.of(path), { bigint: true })
    const kept = Math.floor(Number(mtimeNs / 1000n) / 1e6)
    if (Math.abs(kept - mtimeSec) <= 1) return
    const message = `time ${mtimeSec} of ${quote(path)} cannot be kept by this file system and became ${kept}`
    this.#options.warn({ code: 'TIME_CLAMPED', message, path })
  }
}

const earliestDate = -8.64e12 // seconds from 1970 (ECMA-262, "Time Values and Time Range")

/** Answers of setxattr(2) that mean "not here", with what they mean. */
const xattrRefusals: readonly (readonly [string, string])[] = [
  ['EPERM', 'not permitted for this user'],
  ['EACCES', 'not permitted for this user'],
  ['ENOTSUP', 'this file system does not support it'],
  ['EOPNOTSUPP', 'this file system does not support it'],
  ['EINVAL', 'the kernel refuses its value'],
  ['ERANGE', 'its name is too long'],
  ['E2BIG', 'it is too large'],
]
