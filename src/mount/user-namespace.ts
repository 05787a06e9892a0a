// A command in a user and mount namespace of its own (user_namespaces(7)): there an ordinary user may mount overlays,
// and every mount ends with the command.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { OvlError } from '../errors/index.ts'
import { type IdRange, probePrivileges } from '../host/index.ts'
import { encodeName } from '../path/index.ts'

/** What runs in the namespace. */
export type NamespaceOptions = {
  /** Runs first, with its standard output thrown away; when it fails the command does not start. */
  readonly prepare: readonly string[]
  readonly command: readonly string[]
  /** Current directory of both. */
  readonly cwd?: string
}

/** A run of ids: `count` ids from `inside` on are those from `outside` on. */
export type IdMapping = { readonly inside: number; readonly outside: number; readonly count: number }

/**
 * Runs a command as root of a new user namespace and resolves to its exit status (128 + n after signal n). Ids are
 * mapped as /etc/subuid and /etc/subgid allow, at least the user's own to root.
 *
 * Errors: UNSUPPORTED where user namespaces cannot be made.
 */
export async function runInUserNamespace({ prepare, command, cwd }: NamespaceOptions): Promise<number> {
  const args = ['--user', '--mount', '--', 'sh', '-c', waitingScript]
  const child = spawn('unshare', args, {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  })
  const ended = exitStatusOf(child)
  const release = passSignals(child)
  try {
    if (!(await isReady(child, ended))) throw noNamespace(await ended)
    writeMaps(child.pid ?? 0)
    const go = child.stdio[3] as Writable
    go.on('error', () => undefined) // the child may be gone: its status tells
    go.end(Buffer.from(encodeName(commandScript(prepare, command))))
    return await ended
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    release()
  }
}

/** Says that it is in the namespace, and waits there for the maps of ids and for what to do. */
const waitingScript = 'echo ready >&4; exec 4>&-; script=$(cat <&3); exec 3<&-; eval "$script"'

/**
 * Goes through a pipe and not as an argument, because arguments that node passes on are UTF-8. `exec` at the end: the
 * command itself receives signals and gives the status.
 */
function commandScript(prepare: readonly string[], command: readonly string[]): string {
  return `${quoteAll(prepare)} >/dev/null || exit\nexec ${quoteAll(command)}\n`
}

function quoteAll(parts: readonly string[]): string {
  return parts.map(singleQuote).join(' ')
}

/** Any shell takes every character between single quotes for itself. */
function singleQuote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}

function exitStatusOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', error => {
      reject(
        new OvlError('UNSUPPORTED', 'Cannot make a user namespace: the program unshare cannot be started', {
          hint: 'install util-linux',
          cause: error,
        }),
      )
    })
    child.once('exit', (status, signal) => {
      resolve(status ?? 128 + (signal === null ? 0 : os.constants.signals[signal]))
    })
  })
}

/** True when the child is in its namespace; false when it ended before. */
function isReady(child: ChildProcess, ended: Promise<number>): Promise<boolean> {
  const ready = child.stdio[4] as Readable
  return Promise.race([
    new Promise<boolean>(resolve => ready.once('data', () => resolve(true))),
    ended.then(() => false),
  ])
}

function noNamespace(status: number): OvlError {
  return new OvlError('UNSUPPORTED', 'Cannot make a user namespace: this system does not let you', {
    hint: 'look at /proc/sys/user/max_user_namespaces, and at kernel.unprivileged_userns_clone or AppArmor where they exist',
    data: { status },
  })
}

/** Ctrl-C reaches the command by itself; it decides whether that ends it. */
function passSignals(child: ChildProcess): () => void {
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
  const listeners: readonly (readonly [NodeJS.Signals, (signal: NodeJS.Signals) => void])[] = [
    ['SIGINT', ignoreSignal],
    ['SIGQUIT', ignoreSignal],
    ['SIGTERM', forward],
    ['SIGHUP', forward],
  ]
  for (const [signal, listener] of listeners) process.on(signal, listener)
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener)
  }
}

function ignoreSignal(): void {}

function writeMaps(pid: number): void {
  const { uid, gid, uids, gids, capabilities } = probePrivileges()
  if (capabilities.has('CAP_SETUID') && capabilities.has('CAP_SETGID')) {
    writeMap(pid, 'uid_map', identityOf(uids))
    writeMap(pid, 'gid_map', identityOf(gids))
    return
  }
  const name = userName()
  const users = withRanges(uid, readRanges('/etc/subuid', { name, id: uid }))
  const groups = withRanges(gid, readRanges('/etc/subgid', { name, id: uid }))
  if (users.length > 1 && groups.length > 1 && mapByProgram(pid, users, groups)) return
  // Without CAP_SETGID a group map is allowed only to who gives up setgroups(2).
  fs.writeFileSync(`/proc/${pid}/setgroups`, 'deny')
  writeMap(pid, 'uid_map', users.slice(0, 1))
  writeMap(pid, 'gid_map', groups.slice(0, 1))
}

function identityOf(ranges: readonly IdRange[]): IdMapping[] {
  return ranges.map(({ first, count }) => ({ inside: first, outside: first, count }))
}

/** The user is root inside; subordinate ids follow from 1 on. */
function withRanges(id: number, ranges: readonly IdRange[]): IdMapping[] {
  const mappings: IdMapping[] = [{ inside: 0, outside: id, count: 1 }]
  let inside = 1
  for (const { first, count } of ranges) {
    mappings.push({ inside, outside: first, count })
    inside += count
  }
  return mappings
}

function writeMap(pid: number, file: 'uid_map' | 'gid_map', mappings: readonly IdMapping[]): void {
  fs.writeFileSync(`/proc/${pid}/${file}`, mappings.map(map => `${words(map).join(' ')}\n`).join(''))
}

/** newuidmap(1) and newgidmap(1) may write what the files of subordinate ids allow; false when they are missing. */
function mapByProgram(pid: number, users: readonly IdMapping[], groups: readonly IdMapping[]): boolean {
  const run = (program: string, mappings: readonly IdMapping[]): boolean => {
    const args = [String(pid), ...mappings.flatMap(words)]
    return spawnSync(program, args, { stdio: ['ignore', 'ignore', 'ignore'] }).status === 0
  }
  return run('newgidmap', groups) && run('newuidmap', users)
}

function words({ inside, outside, count }: IdMapping): string[] {
  return [String(inside), String(outside), String(count)]
}

/** Lines `NAME:FIRST:COUNT` of subuid(5) for one user, by name or number. */
export function parseSubordinateIds(text: string, user: { readonly name: string; readonly id: number }): IdRange[] {
  return text.split('\n').flatMap(line => {
    const [owner, first, count] = line.split(':')
    const isOwn = owner === user.name || owner === String(user.id)
    if (!isOwn || first === undefined || count === undefined) return []
    const range = { first: Number(first), count: Number(count) }
    return Number.isSafeInteger(range.first) && Number.isSafeInteger(range.count) && range.count > 0 ? [range] : []
  })
}

function readRanges(file: string, user: { readonly name: string; readonly id: number }): IdRange[] {
  try {
    return parseSubordinateIds(fs.readFileSync(file, 'utf8'), user)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EACCES') return []
    throw error
  }
}

/** A user without an entry in passwd(5) has no name. */
function userName(): string {
  try {
    return os.userInfo().username
  } catch {
    return ''
  }
}
