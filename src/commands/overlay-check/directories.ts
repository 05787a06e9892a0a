// The directories of an overlay as a user names them, and who uses them now.
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { isCode, OvlError, quote } from '../../errors/index.ts'
import { hostPath, probePrivileges, readMounts } from '../../host/index.ts'
import { findUsedDirectories, layersOf, lookAt, preflight, readOptions } from '../../mount/index.ts'
import { escapeLower, escapeUpper, splitLowerdir } from '../../overlay/index.ts'

/** The directories, as the user wrote them. */
export type Directories = {
  readonly upper: string | null
  /** Top-most first. */
  readonly lower: readonly string[]
  readonly data: readonly string[]
  readonly work: string | null
  readonly userxattr: boolean
}

/** Reads the flags, `lower` in the form of `lowerdir=`. Errors: USAGE, INPUT_NOT_FOUND, OVL_BAD_LOWERDIR. */
export function readDirectories({
  upper,
  lower,
  work,
  userxattr,
}: Pick<Directories, 'upper' | 'lower' | 'work' | 'userxattr'>): Directories {
  const layers = splitLowerdir(lower.join(':'))
  if (typeof layers === 'string') {
    throw new OvlError(
      'OVL_BAD_LOWERDIR',
      `Cannot check the overlay: --lower ${quote(lower.join(':'))} has a ${layers}`,
    )
  }
  if (layers.lower.length === 0) throw new OvlError('USAGE', '--overlay needs --lower')
  if (upper === null && work !== null) throw new OvlError('USAGE', '--work needs --upper')
  for (const directory of [upper, ...layers.lower, ...layers.data, work]) {
    if (directory !== null) checkDirectory(directory)
  }
  // Who cannot read trusted.* can have made an overlay with userxattr only.
  const onlyUser = !probePrivileges().canSetTrustedXattrs
  return { upper, ...layers, work, userxattr: userxattr || onlyUser }
}

/** Errors: INPUT_NOT_FOUND for what is no directory. */
export function checkDirectory(directory: string): void {
  let fact = 'no such directory'
  try {
    if (statSync(hostPath(directory)).isDirectory()) return
    fact = 'it is no directory'
  } catch (error) {
    if (!isCode(error, 'ENOENT') && !isCode(error, 'ENOTDIR')) throw error
  }
  throw new OvlError('INPUT_NOT_FOUND', `Cannot check ${quote(directory)}: ${fact}`, { data: { path: directory } })
}

/** Where an overlay that writes to these directories is mounted; `withLower`: or one that reads from the lower ones. */
export function findMountPoint({ upper, lower, work }: Directories, withLower: boolean): string | null {
  const mounts = readMounts()
  const identities = (paths: readonly (string | null)[]): ReadonlySet<string> =>
    new Set(paths.flatMap(path => (path === null ? [] : (lookAt(resolve(path), mounts)?.identity ?? []))))
  const written = identities([upper, work])
  const user = findUsedDirectories(mounts).find(({ directory }) => written.has(directory.identity))
  if (user !== undefined) return user.mount.mountPoint
  if (!withLower) return null
  const own = identities(lower)
  const overlays = mounts.filter(({ type }) => type === 'overlay')
  return overlays.find(mount => [...identities(layersOf(mount))].some(each => own.has(each)))?.mountPoint ?? null
}

/** Why the kernel would refuse to mount the directories; null when it would not, or they are not enough to tell. */
export function findRefusal({ upper, lower, data, work, userxattr }: Directories): OvlError | null {
  if (upper === null ? lower.length + data.length < 2 : work === null) return null
  const lowerText = [lower.map(escapeLower).join(':'), ...data.map(each => `:${escapeLower(each)}`)].join(':')
  const written =
    upper === null || work === null ? [] : [`upperdir=${escapeUpper(upper)}`, `workdir=${escapeUpper(work)}`]
  const options = [`lowerdir=${lowerText}`, ...written, ...(userxattr ? ['userxattr'] : [])]
  try {
    preflight(readOptions(options.join(','), '/'), '/').close()
    return null
  } catch (error) {
    if (error instanceof OvlError) return error
    throw error
  }
}
