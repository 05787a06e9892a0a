// Extended attributes and times: whether a file system keeps them, and how much of them.
import fs from 'node:fs'
import path from 'node:path'
import { isCode } from '../../errors/index.ts'
import { hostPath } from '../host-path.ts'
import { loadSystem, type System } from '../system/system.ts'
import { type Ability, able, unable, untried } from './ability.ts'

/** The attributes of one namespace. */
export type XattrTrial = Ability & {
  /** Bytes that the value of the only attribute of a file may have; 65536 is all that Linux allows. */
  readonly largestBytes: number | null
}

/** Sets attributes `NAMESPACE.ovl-doctor` on new files in `workspace`. */
export function tryXattrs(workspace: string, namespace: 'trusted' | 'user' | 'security'): XattrTrial {
  const system = loadSystem()
  if (system === null) return { ...untried('needs koffi'), largestBytes: null }
  const file = path.join(workspace, `xattr-${namespace}`)
  const name = namespace === 'security' ? 'security.capability' : `${namespace}.ovl-doctor`
  const value = namespace === 'security' ? noCapabilities : Uint8Array.of(0, 1)
  try {
    fs.writeFileSync(hostPath(file), '')
    system.lsetxattr(file, name, value)
    const kept = Buffer.compare(system.lgetxattr(file, name), value) === 0
    if (!kept) return { ...unable('the value is not kept'), largestBytes: null }
    return { ...able, largestBytes: namespace === 'security' ? null : largestValue(system, file, name) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (typeof code !== 'string') throw error
    return { ...unable(code), largestBytes: null }
  }
}

/** vfs_cap_data of version 2 without any capability. */
const noCapabilities = Uint8Array.from([0, 0, 0, 2, ...Array<number>(16).fill(0)])
const largestByLinux = 65536

function largestValue(system: System, file: string, name: string): number {
  let [fits, tooLarge] = [2, largestByLinux + 1]
  for (let size = largestByLinux; tooLarge - fits > 1; size = (fits + tooLarge) >> 1) {
    try {
      system.lsetxattr(file, name, new Uint8Array(size))
      fits = size
    } catch (error) {
      if (!['ENOSPC', 'E2BIG', 'ERANGE', 'EDQUOT', 'EINVAL'].some(code => isCode(error, code))) throw error
      tooLarge = size
    }
  }
  return fits
}

/** The times that a file system keeps. */
export type TimeTrial = {
  /** Nanoseconds, not a coarser grain. */
  readonly nanoseconds: Ability
  /** Seconds since 1970 of the earliest and latest time that was kept; it was asked for far more. */
  readonly earliest: number | null
  readonly latest: number | null
}

/** Years -9999 and 275000: beyond what any disk format holds, and within what JavaScript dates do. */
const [farPast, farFuture] = [-377_000_000_000, 8_600_000_000_000]

/** Sets times of a new file in `workspace`: the kernel silently moves what is too far to the limit. */
export function tryTimes(workspace: string): TimeTrial {
  const system = loadSystem()
  if (system === null) return { nanoseconds: untried('needs koffi'), earliest: null, latest: null }
  const file = path.join(workspace, 'times')
  try {
    fs.writeFileSync(hostPath(file), '')
    const keep = (seconds: number, nanoseconds: number): bigint => {
      system.lutimens(file, seconds, nanoseconds)
      return fs.lstatSync(hostPath(file), { bigint: true }).mtimeNs
    }
    const isExact = keep(1_000_000_000, 123_456_789) === 1_000_000_000_123_456_789n
    return {
      nanoseconds: isExact ? able : unable('a coarser grain'),
      earliest: Number(keep(farPast, 0) / 1_000_000_000n),
      latest: Number(keep(farFuture, 0) / 1_000_000_000n),
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (typeof code !== 'string') throw error
    return { nanoseconds: unable(code), earliest: null, latest: null }
  }
}

/** True when a limit of `tryTimes` is not one of the file system. */
export function isBeyondTrial(seconds: number): boolean {
  return seconds === farPast || seconds === farFuture
}
