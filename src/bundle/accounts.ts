// /etc/passwd and /etc/group of an image (passwd(5), group(5)). Lines that are not well formed are passed over, as a
// C library does; ids beyond what a runtime accepts make a line malformed.

import { isCode } from '../errors/index.ts'
import { decodeName } from '../path/index.ts'
import { type RootfsReader, resolveInRootfs } from './rootfs-reader.ts'

export type Account = { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string }

export type Group = { readonly name: string; readonly gid: number; readonly members: readonly string[] }

/** The entries of one of the files. `problem` says why it could not be read; a missing file is only empty. */
export type AccountFile<T> = { readonly entries: readonly T[]; readonly problem: string | null }

/** 2³¹ − 1: runtimes keep ids in a signed 32-bit integer. */
export const largestID = 0x7fff_ffff

/** Real files have some kilobytes; more than this is no list of accounts. */
const maxFileBytes = 16 << 20

export function readPasswd(rootfs: RootfsReader): AccountFile<Account> {
  return readLines(rootfs, { path: '/etc/passwd', parse: parseAccount })
}

export function readGroup(rootfs: RootfsReader): AccountFile<Group> {
  return readLines(rootfs, { path: '/etc/group', parse: parseGroup })
}

type LineFile<T> = { readonly path: string; readonly parse: (fields: readonly string[]) => T | null }

function readLines<T>(rootfs: RootfsReader, { path, parse }: LineFile<T>): AccountFile<T> {
  const resolved = resolveInRootfs(rootfs, path)
  if (!resolved.found) return { entries: [], problem: notFoundProblem(path, resolved.reason) }
  const { kind, sizeBytes } = resolved.stat
  if (kind !== 'file') return { entries: [], problem: `${path} in the image is no regular file` }
  if (sizeBytes > maxFileBytes) return { entries: [], problem: `${path} in the image is larger than 16 MiB` }
  const text = readText(rootfs, resolved.path)
  if (text === null) return { entries: [], problem: `${path} in the image may not be read` }
  return { entries: parseLines(text, parse), problem: null }
}

function notFoundProblem(path: string, reason: 'missing' | 'loop' | 'forbidden'): string | null {
  if (reason === 'missing') return null
  return reason === 'loop'
    ? `${path} in the image is a loop of symbolic links`
    : `${path} in the image may not be looked up`
}

function readText(rootfs: RootfsReader, path: string): string | null {
  try {
    return decodeName(rootfs.readFile(path))
  } catch (error) {
    if (isCode(error, 'EACCES') || isCode(error, 'EPERM')) return null
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
