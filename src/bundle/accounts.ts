// /etc/passwd and /etc/group of an image (passwd(5), group(5)). Lines that are not well formed are passed over, as a
// C library does; ids beyond what a runtime accepts make a line malformed.

import { isCode } from '../errors/index.ts'
import { decodeName } from '../path/index.ts'
import { type Resolved, type RootfsReader, resolveInRootfs } from './rootfs-reader.ts'

/** One line of /etc/passwd; `home` may be empty. */
export type Account = { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string }

/** One line of /etc/group. */
export type Group = { readonly name: string; readonly gid: number; readonly members: readonly string[] }

/** The entries of one of the files. `problem` says why it could not be read; that it is missing is no problem. */
export type AccountFile<T> = {
  readonly entries: readonly T[]
  readonly isMissing: boolean
  readonly problem: string | null
}

/** 2³¹ − 1: runtimes keep ids in a signed 32-bit integer. */
export const largestID = 0x7fff_ffff

/** Real files have some kilobytes; more than this is no list of accounts. */
const maxFileBytes = 16 << 20

/** The accounts of the image, in the order of the file. */
export function readPasswd(rootfs: RootfsReader): AccountFile<Account> {
  return readLines(rootfs, { path: '/etc/passwd', parse: parseAccount })
}

/** The groups of the image, in the order of the file. */
export function readGroup(rootfs: RootfsReader): AccountFile<Group> {
  return readLines(rootfs, { path: '/etc/group', parse: parseGroup })
}

type LineFile<T> = { readonly path: string; readonly parse: (fields: readonly string[]) => T | null }

type Found = Extract<Resolved, { readonly found: true }>

function readLines<T>(rootfs: RootfsReader, { path, parse }: LineFile<T>): AccountFile<T> {
  const resolved = resolveInRootfs(rootfs, path)
  if (!resolved.found && resolved.reason === 'missing') return { entries: [], isMissing: true, problem: null }
  const text = resolved.found ? readText(rootfs, resolved) : { problem: lookupProblems[resolved.reason] }
  if ('problem' in text) return { entries: [], isMissing: false, problem: `${path} in the image ${text.problem}` }
  return { entries: parseLines(text.lines, parse), isMissing: false, problem: null }
}

const lookupProblems = {
  missing: 'is missing',
  loop: 'is a loop of symbolic links',
  forbidden: 'may not be looked up',
} as const

function readText(
  rootfs: RootfsReader,
  { path, stat }: Found,
): { readonly lines: string } | { readonly problem: string } {
  if (stat.kind !== 'file') return { problem: 'is no regular file' }
  if (stat.sizeBytes > maxFileBytes) return { problem: 'is larger than 16 MiB' }
  try {
    return { lines: decodeName(rootfs.readFile(path)) }
  } catch (error) {
    if (isCode(error, 'EACCES') || isCode(error, 'EPERM')) return { problem: 'may not be read' }
    throw error
  }
}

function parseLines<T>(text: string, parse: LineFile<T>['parse']): readonly T[] {
  return text.split('\n').flatMap(line => parse(line.trim().split(':')) ?? [])
}

/** name:password:uid:gid:gecos:home:shell */
function parseAccount([name, , uid, gid, , home]: readonly string[]): Account | null {
  const ids = { uid: parseID(uid), gid: parseID(gid) }
  if (!isName(name) || ids.uid === null || ids.gid === null) return null
  return { name, uid: ids.uid, gid: ids.gid, home: home ?? '' }
}

/** name:password:gid:member,member */
function parseGroup([name, , text, members = '']: readonly string[]): Group | null {
  const gid = parseID(text)
  if (!isName(name) || gid === null) return null
  return { name, gid, members: members.split(',').filter(member => member !== '') }
}

/** A decimal id in the range that runtimes accept, else null. */
export function parseID(text: string | undefined): number | null {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return null
  return Number(text) <= largestID ? Number(text) : null
}

/** Not empty, no comment, no line of the old network accounts ("+", "-name"). */
function isName(name: string | undefined): name is string {
  return name !== undefined && name !== '' && !/^[#+-]/.test(name)
}
