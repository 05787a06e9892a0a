// Who the process of the container is: the image config's User, looked up in the image's own /etc/passwd and
// /etc/group and nowhere else (image-spec conversion.md, "Config.User").
//
// Numbers are never names. A number that /etc/passwd knows gets the group, home and supplementary groups of its
// account, as Docker, Podman and containerd do (conversion.md advises against the groups, but images rely on them).
// A group that is named switches the supplementary groups off. The first line of a name or number counts.

import { OvlError, quote, type Warn } from '../errors/index.ts'
import { type Account, type AccountFile, type Group, largestID, parseID, readGroup, readPasswd } from './accounts.ts'
import type { RootfsReader } from './rootfs-reader.ts'

/** The ids of the process, as the image means them. */
export type ResolvedUser = {
  readonly uid: number
  readonly gid: number
  /** In the order of /etc/group, without the gid. */
  readonly additionalGids: readonly number[]
  /** '' when the user has no account. */
  readonly home: string
}

/** Where to look users up. */
export type ResolveUserOptions = {
  /** Null when there is no rootfs to look in: names then become root, with a warning. */
  readonly rootfs: RootfsReader | null
  readonly warn: Warn
}

const root: ResolvedUser = { uid: 0, gid: 0, additionalGids: [], home: '' }
const shownNames = 10

/**
 * Resolves `''`, `name`, `uid`, `name:group`, `uid:gid` and mixtures of them. Errors: BAD_USER, when a name has no
 * entry or a number is out of range.
 */
export function resolveUser(text: string, options: ResolveUserOptions): ResolvedUser {
  const colon = text.indexOf(':')
  const userText = colon < 0 ? text : text.slice(0, colon)
  const groupText = colon < 0 ? '' : text.slice(colon + 1)
  const { rootfs, warn } = options
  if (rootfs === null) return resolveWithoutRootfs(text, { userText, groupText, warn })

  const passwd = readPasswd(rootfs)
  const account = findAccount(userText, passwd, text)
  const user = account ?? { name: '', uid: parseID(userText) ?? 0, gid: 0, home: '' }
  warnOfProblem(passwd, warn)
  if (account === undefined && groupText === '') return { ...root, uid: user.uid }

  const group = readGroup(rootfs)
  const gid = groupText === '' ? user.gid : findGroup(groupText, group, text)
  warnOfProblem(group, warn)
  const additionalGids = groupText === '' ? membershipsOf(user.name, group.entries).filter(each => each !== gid) : []
  return { uid: user.uid, gid, additionalGids, home: user.home }
}

type UserParts = { readonly userText: string; readonly groupText: string; readonly warn: Warn }

function resolveWithoutRootfs(text: string, { userText, groupText, warn }: UserParts): ResolvedUser {
  const uid = isNumber(userText) ? checkedID(userText, text) : userText === '' ? 0 : null
  const gid = isNumber(groupText) ? checkedID(groupText, text) : groupText === '' ? 0 : null
  if (uid !== null && gid !== null) return { ...root, uid, gid }
  warn({ code: 'CONFIG_USER', message: `user ${quote(text)} cannot be looked up without a rootfs: root is used` })
  return root
}

function findAccount(userText: string, passwd: AccountFile<Account>, user: string): Account | undefined {
  if (userText === '') return passwd.entries.find(({ uid }) => uid === 0)
  if (isNumber(userText)) {
    const wanted = checkedID(userText, user)
    return passwd.entries.find(({ uid }) => uid === wanted)
  }
  const account = passwd.entries.find(({ name }) => name === userText)
  if (account === undefined) throw unknown({ kind: 'user', name: userText, file: passwd, path: '/etc/passwd' })
  return account
}

function findGroup(groupText: string, group: AccountFile<Group>, user: string): number {
  if (isNumber(groupText)) return checkedID(groupText, user)
  const found = group.entries.find(({ name }) => name === groupText)
  if (found === undefined) throw unknown({ kind: 'group', name: groupText, file: group, path: '/etc/group' })
  return found.gid
}

function membershipsOf(name: string, groups: readonly Group[]): readonly number[] {
  return [...new Set(groups.filter(({ members }) => members.includes(name)).map(({ gid }) => gid))]
}

/** Go's integer parser takes a sign; "-1" and "+5" are numbers that are out of range, not names. */
function isNumber(text: string): boolean {
  return /^[+-]?[0-9]+$/.test(text)
}

function checkedID(text: string, user: string): number {
  const id = parseID(text.replace(/^\+?0*(?=[0-9])/, ''))
  if (id !== null) return id
  throw new OvlError('BAD_USER', `Cannot use user ${quote(user)} of the image config: ${text} is out of range`, {
    facts: [`ids go from 0 to ${largestID}`],
    data: { user },
  })
}

/** A file that cannot be read matters only to what is not looked up by name: a name has failed before. */
function warnOfProblem({ problem }: AccountFile<unknown>, warn: Warn): void {
  if (problem !== null) warn({ code: 'CONFIG_USER', message: `${problem}: no accounts are taken from it` })
}

type UnknownName = {
  readonly kind: 'user' | 'group'
  readonly name: string
  readonly file: AccountFile<{ readonly name: string }>
  readonly path: string
}

function unknown({ kind, name, file, path }: UnknownName): OvlError {
  const names = file.entries.map(entry => entry.name)
  const fact =
    file.problem ?? (file.isMissing ? `the image has no ${path}` : `${path} in the image has no such ${kind}`)
  const more = names.length > shownNames ? ` and ${names.length - shownNames} more` : ''
  return new OvlError('BAD_USER', `Cannot use ${kind} ${quote(name)} of the image config: ${fact}`, {
    ...(names.length === 0 ? {} : { facts: [`it has ${names.slice(0, shownNames).map(quote).join(', ')}${more}`] }),
    hint: 'unpack without config.json with --no-config',
    data: { [kind]: name, path },
  })
}
