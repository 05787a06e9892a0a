// The refusals of a mount that the kernel and the emulator share: same code, same errno, the kernel's own sentence.
// What is known of the directories (mounts, devices) differs and is handed in.
import type { ErrorDetails, Json } from '../../errors/index.ts'
import type { LayerRole } from '../options.ts'
import { refusal, shown } from '../refusal.ts'

/** A directory of an overlay, as sentences name it. */
export type NamedDirectory = { readonly role: LayerRole; readonly path: string }

/** What an error says besides its sentence. */
export type About = {
  readonly target: string | null
  readonly facts?: readonly string[]
  readonly data: { readonly [key: string]: Json }
}

/** How an error says which directories it is about. */
export type Describe<D extends NamedDirectory> = (directories: readonly D[]) => Omit<About, 'target'>

/** Directories and data for programs; enough where a directory is nothing but a path. */
export function describeByPath(directories: readonly NamedDirectory[]): Omit<About, 'target'> {
  return {
    facts: directories.map(({ role, path }) => `${role}  ${shown(path)}`),
    data: { directories: directories.map(({ role, path }) => ({ role, path })) },
  }
}

/** Rule 30. */
export function upperOnOverlay({ role, path }: NamedDirectory, about: About): Error {
  return refusal('OVL_UPPER_ON_OVERLAY', `${role} ${shown(path)} is on an overlay`, {
    ...about,
    errno: 'EINVAL',
    kernel: `filesystem on ${path} not supported as upperdir`,
    hint: 'put upperdir and workdir on another file system, a tmpfs for example',
  })
}

/** Rule 29. */
export function upperReadOnly({ role, path }: NamedDirectory, about: About): Error {
  return refusal('OVL_UPPER_READ_ONLY', `${role} ${shown(path)} is on a read-only mount`, {
    ...about,
    errno: 'EINVAL',
    kernel: `filesystem on ${path} is read-only`,
    hint: 'leave upperdir and workdir away for a read-only overlay of two or more lower layers',
  })
}

/** Rule 36. FILESYSTEM_MAX_STACK_DEPTH: an overlay on an overlay is as far as it goes. */
export function tooDeep({ role, path }: NamedDirectory, about: About): Error {
  return refusal('OVL_TOO_DEEP', `${role} ${shown(path)} is on an overlay that itself lies on an overlay`, {
    ...about,
    errno: 'EINVAL',
    kernel: 'maximum fs stacking depth exceeded',
    hint: 'give the layers of that overlay instead of the overlay',
  })
}

/** Rule 27. */
export function notADirectory({ role, path }: NamedDirectory, target: string | null): Error {
  return refusal('OVL_NOT_A_DIRECTORY', `${role} ${shown(path)} is not a directory`, {
    errno: 'EINVAL',
    kernel: `${path} is not a directory`,
    target,
    data: { role, path },
  })
}

/** Who uses a directory already: `where` continues "is in use as". */
export type Use = { readonly where: string; readonly hint: string }

/** Rule 34 with index=on. */
export function inUse({ role, path }: NamedDirectory, { where, hint }: Use, about: About): Error {
  return refusal('OVL_IN_USE', inUseFact({ role, path }, where), {
    ...about,
    errno: 'EBUSY',
    kernel: `${role} is in-use as upperdir/workdir of another mount, mount with '-o index=off' to override exclusive upperdir protection.`,
    hint,
  })
}

/** Rule 34 with index=off: said, not refused. */
export function inUseNote({ role, path }: NamedDirectory, where: string): { about: string; message: string } {
  return { about: role, message: `${inUseFact({ role, path }, where)}: files changed through both are undefined` }
}

function inUseFact({ role, path }: NamedDirectory, where: string): string {
  return `${role} ${shown(path)} is in use as ${where}`
}

/** Rule 50. */
export function volatileLeftover({ path }: NamedDirectory, feature: string, about: About): Error {
  const leftover = `${path}/work/incompat`
  return refusal('OVL_VOLATILE_LEFTOVER', `workdir ${shown(path)} was in use by a ${feature} mount`, {
    ...about,
    errno: 'EINVAL',
    kernel: `overlay with incompat feature '${feature}' cannot be mounted`,
    facts: ['such a mount does not sync: after a crash files of the upperdir may be empty or torn'],
    hint: `if the machine did not crash since: rm -r ${shown(leftover)}`,
    data: { ...about.data, path: leftover, feature },
  })
}

/** Rule 35: the upperdir belongs to another lower layer. */
export function staleOrigin(upper: NamedDirectory, top: NamedDirectory, about: About): Error {
  const fact = `upperdir ${shown(upper.path)} was used with another lower layer than ${shown(top.path)}`
  return refusal('OVL_STALE_ORIGIN', fact, {
    ...about,
    errno: 'ESTALE',
    kernel: 'failed to verify upper root origin',
    hint: 'mount it with index=off, or give the top-most lower layer that it was used with',
  })
}

/** The index belongs to another upperdir. */
export function staleIndex(work: NamedDirectory, about: About): Error {
  return refusal('OVL_STALE_INDEX', `the index in workdir ${shown(work.path)} belongs to another upperdir`, {
    ...about,
    errno: 'ESTALE',
    kernel: "failed to verify index dir 'upper' xattr",
    hint: `use the workdir that belongs to the upperdir, or an empty one, or remove ${shown(`${work.path}/index`)}`,
  })
}

/** Details of an error of the system that says why a directory cannot be opened. */
export type Unopened = Pick<ErrorDetails, 'cause'> & {
  readonly errno: string
  /** The number of the errno, negative. */
  readonly number: number
  readonly target: string | null
}

const missingCodes = {
  lowerdir: 'OVL_LOWER_NOT_FOUND',
  datadir: 'OVL_LOWER_NOT_FOUND',
  upperdir: 'OVL_UPPER_NOT_FOUND',
  workdir: 'OVL_WORKDIR_NOT_FOUND',
} as const

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'its name is too long',
}

/** Rule 28; null for an errno that paths do not give. */
export function cannotOpen({ role, path }: NamedDirectory, { errno, number, target, cause }: Unopened): Error | null {
  const details = { kernel: `failed to resolve '${path}': ${number}`, target, data: { role, path }, cause }
  if (errno === 'ENOENT' || errno === 'ENOTDIR') {
    const fact = `${role} ${shown(path)} does not exist`
    return refusal(missingCodes[role], fact, { ...details, errno, ...missingHint({ role, path }) })
  }
  const reason = reasons[errno]
  if (reason === undefined) return null
  return refusal('OVL_LAYER_UNREACHABLE', `${role} ${shown(path)} cannot be opened: ${reason}`, {
    ...details,
    errno: errno as 'EACCES' | 'ELOOP' | 'ENAMETOOLONG',
  })
}

function missingHint({ role, path }: NamedDirectory): { readonly hint?: string } {
  if (role === 'upperdir' || role === 'workdir') return { hint: `make it with: mkdir ${shown(path)}` }
  if (path.startsWith('/') || path === '') return {}
  return { hint: 'a relative path counts from the current directory' }
}
