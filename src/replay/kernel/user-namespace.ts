// A user namespace in which root of the machine is root as well, and the first 65536 ids are those of the machine: who
// runs in it has every capability over their files, and none that counts outside of it. A program with threads cannot
// enter one itself: unshare(1) and nsenter(1) do it.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import fs from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'

const mappedIds = '0 0 65536'
const patienceMs = 5000
const pauseMs = 2

/** A process in a user namespace, and how to end the namespace. */
export type NamespacedProcess = { readonly child: ChildProcessByStdio<Writable, Readable, Readable>; end(): void }

/** Starts node with a program in a new user namespace. Null where that is not allowed, or a tool is missing. */
export async function spawnInUserNamespace(
  program: string,
  args: readonly string[],
): Promise<NamespacedProcess | null> {
  // It holds the namespace until somebody is in it.
  const holder = spawn('unshare', ['--user', 'cat'], { stdio: ['pipe', 'ignore', 'ignore'] })
  holder.once('error', () => undefined) // there is no pid then
  holder.stdin.on('error', () => undefined)
  const end = (): void => void holder.stdin.end()
  const { pid } = holder
  if (pid === undefined || !(await isMade(pid)) || !mapIds(pid)) {
    end()
    return null
  }
  const enter = [`--user=${namespaceOf(pid)}`, process.execPath, program, ...args]
  return { child: spawn('nsenter', enter, { stdio: ['pipe', 'pipe', 'pipe'] }), end }
}

/** False when the process has ended without a namespace of its own, or takes too long. */
async function isMade(pid: number): Promise<boolean> {
  for (let tries = 0; tries < patienceMs / pauseMs; tries++) {
    const namespace = readLink(namespaceOf(pid))
    if (namespace === null) return false
    if (namespace !== readLink('/proc/self/ns/user')) return true
    await setTimeout(pauseMs)
  }
  return false
}

function namespaceOf(pid: number): string {
  return `/proc/${pid}/ns/user`
}

function readLink(file: string): string | null {
  try {
    return fs.readlinkSync(file)
  } catch {
    return null // the process is gone
  }
}

function mapIds(pid: number): boolean {
  try {
    for (const file of ['uid_map', 'gid_map']) fs.writeFileSync(`/proc/${pid}/${file}`, mappedIds)
    return true
  } catch {
    return false // a container that may not hand ids on
  }
}
