// What a failed write means to the user: the errno becomes an OvlError with the fact that helps, such as which file
// system is full and how much it lacks.
import path from 'node:path'
import { getSystemErrorMap } from 'node:util'
import { escapeControls, type ErrorDetails, OvlError } from '../errors/index.ts'
import { freeSpace, type Space } from './free-space.ts'

/** What was being written when a call failed. */
export type WriteContext = {
  /** What was done, for "Cannot <verb> …": "write" when absent. */
  readonly verb?: string
  /** What the user knows it as: "rootfs/bin/true", "bundle ./b". */
  readonly object: string
  /** Host path of the file, or of a directory on the same file system: where the space is looked up. */
  readonly path: string
  /** Bytes that are still to be written, as far as known. */
  readonly neededBytes?: number
  /** What a user without privileges can do about EPERM and EACCES; leave it out when it is done already. */
  readonly privilegeHint?: string
}

/**
 * The OvlError for a failed write: NO_SPACE, NEEDS_PRIVILEGE or WRITE_FAILED. Errors without an errno, OvlErrors
 * among them, come back as they are.
 */
export function diagnoseWriteError(error: unknown, context: WriteContext): unknown {
  if (error instanceof OvlError || !(error instanceof Error)) return error
  const { code, syscall } = error as NodeJS.ErrnoException
  if (typeof code !== 'string' || typeof syscall !== 'string') return error
  const { kind, fact, hint } = diagnosis(code, error, context)
  const details: ErrorDetails = {
    cause: error,
    data: { path: context.path, errno: code, ...spaceData(kind, context) },
    ...(hint === undefined ? {} : { hint }),
  }
  return new OvlError(kind, `Cannot ${context.verb ?? 'write'} ${escapeControls(context.object)}: ${fact}`, details)
}

type Diagnosis = {
  readonly kind: 'NO_SPACE' | 'NEEDS_PRIVILEGE' | 'WRITE_FAILED'
  readonly fact: string
  readonly hint?: string
}

function diagnosis(code: string, error: Error, context: WriteContext): Diagnosis {
  switch (code) {
    case 'ENOSPC':
      return { kind: 'NO_SPACE', fact: noSpace(context) }
    case 'EDQUOT':
      return {
        kind: 'NO_SPACE',
        fact: `the disk quota of uid ${process.geteuid?.() ?? 0} on ${place(context)} is used up`,
      }
    case 'EROFS':
      return { kind: 'WRITE_FAILED', fact: `${place(context)} is read-only` }
    case 'EACCES':
    case 'EPERM': {
      const { privilegeHint: hint } = context
      const fact = `not permitted for uid ${process.geteuid?.() ?? 0}`
      return { kind: 'NEEDS_PRIVILEGE', fact, ...(hint === undefined ? {} : { hint }) }
    }
    case 'EMFILE':
      return { kind: 'WRITE_FAILED', fact: 'too many open files', hint: 'raise the limit: ulimit -n 4096' }
    case 'EIO':
      return {
        kind: 'WRITE_FAILED',
        fact: `input/output error on ${place(context)}`,
        hint: 'look into dmesg for the device',
      }
    case 'ENAMETOOLONG':
      return { kind: 'WRITE_FAILED', fact: `the name is longer than ${place(context)} allows` }
    default:
      return { kind: 'WRITE_FAILED', fact: meaning(error) }
  }
}

/** `no space left on small (tmpfs, 16 KiB; 36 KiB more needed)` */
function noSpace(context: WriteContext): string {
  const space = spaceOf(context)
  if (space === null) return 'no space left'
  const facts = [`${space.type === null ? '' : `${space.type}, `}${formatSize(space.sizeBytes)}`]
  // A full file system may still have blocks: then it has no inodes, or a file would need more than is left.
  const outOfInodes = space.freeInodes === 0 && space.freeBytes > 0
  const missing = (context.neededBytes ?? 0) - space.freeBytes
  if (!outOfInodes && missing > 0) facts.push(`${formatSize(missing)} more needed`)
  return `no ${outOfInodes ? 'inodes' : 'space'} left on ${nameOf(space)} (${facts.join('; ')})`
}

function place(context: WriteContext): string {
  const space = spaceOf(context)
  if (space === null) return 'the file system'
  return space.type === null ? nameOf(space) : `${nameOf(space)} (${space.type})`
}

/** The mount point, relative when it lies below the current directory. */
function nameOf(space: Space): string {
  const relative = path.relative(process.cwd(), space.mountPoint)
  const isBelow = relative !== '' && !relative.startsWith('..')
  return escapeControls(isBelow ? relative : space.mountPoint)
}

function spaceOf(context: WriteContext): Space | null {
  try {
    return freeSpace(context.path)
  } catch {
    return null // this only describes another error, which must not be lost to one of its own
  }
}

function spaceData(kind: Diagnosis['kind'], context: WriteContext): { readonly [key: string]: number | string | null } {
  const space = kind === 'NO_SPACE' ? spaceOf(context) : null
  if (space === null) return {}
  const { mountPoint, type, sizeBytes, freeBytes, freeInodes } = space
  const needed = context.neededBytes === undefined ? {} : { neededBytes: context.neededBytes }
  return { mountPoint, type, sizeBytes, freeBytes, freeInodes, ...needed }
}

/** "no such file or directory": the text of the errno, without the call and the path. */
function meaning(error: Error): string {
  const { errno, message } = error as NodeJS.ErrnoException
  return getSystemErrorMap().get(errno ?? 0)?.[1] ?? escapeControls(message)
}

/** Whole numbers of the largest unit that keeps three digits: "16 KiB", "1.5 GiB". */
function formatSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${value < 10 && value % 1 !== 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}
