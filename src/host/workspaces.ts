// Workspaces beside (or, of a mount point, inside) destinations: `NAME.ovl-tmp-PID-XXXX`. The pid tells whether the run
// is still at it.
import * as fs from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { isCode, type Warn } from '../errors/index.ts'
import { hostPath, ovlName } from './host-path.ts'
import { removeTree } from './remove-tree.ts'

/** What every name of a workspace has in it. */
export const workspaceMark = '.ovl-tmp-'

/** A workspace of this or another run. */
export type FoundWorkspace = {
  readonly path: string
  readonly pid: number
  /** A process of that pid exists: the run may go on. */
  readonly isAlive: boolean
}

/** A new name for a workspace of this process, beginning with `start`. */
export function workspaceName(start: string): string {
  // Whoever makes it wants it to be new: nothing depends on nobody guessing it.
  const random = Math.floor(Math.random() * 0x10000)
  return `${start}${workspaceMark}${process.pid}-${random.toString(16).padStart(4, '0')}`
}

/** Workspaces in a directory whose names begin with `start`, of processes that are gone. */
function findLeftovers(directory: string, start: string): string[] {
  const prefix = `${start}${workspaceMark}`
  const names = fs.readdirSync(directory).filter(name => name.startsWith(prefix))
  return names
    .filter(name => !isAlive(Number.parseInt(name.slice(prefix.length), 10)))
    .map(name => join(directory, name))
}

/**
 * All workspaces in a directory. What was put aside while a bundle was replaced (`…-old`) is none: it is the bundle of a
 * user. Errors: those of node:fs.
 */
export function findAllWorkspaces(directory: string): readonly FoundWorkspace[] {
  const entries = fs.readdirSync(hostPath(directory), { withFileTypes: true, encoding: 'buffer' as BufferEncoding })
  return entries.flatMap(entry => {
    const name = ovlName(entry.name as unknown as Uint8Array)
    const pid = Number(/\.ovl-tmp-(\d+)-[\da-f]{4}$/.exec(name)?.[1])
    if (!Number.isSafeInteger(pid) || !entry.isDirectory()) return []
    return [{ path: join(directory, name), pid, isAlive: isAlive(pid) }]
  })
}

/**
 * Removes what killed runs have left in a directory under names that begin with `start`, or only names it.
 * Errors: those of node:fs.
 */
export async function clearLeftovers(
  { directory, start }: { readonly directory: string; readonly start: string },
  { remove, warn }: { readonly remove: boolean; readonly warn: Warn },
): Promise<void> {
  for (const leftover of findLeftovers(directory, start)) {
    if (remove) await removeTree(leftover)
    else {
      const message = `${leftover} is left from a run that was killed; --force or ovl doctor --clean removes it`
      warn({ code: 'LEFTOVER', message, path: leftover })
    }
  }
}

/** Workspaces of this process beside (or, for a mount point or a layout, inside) a destination: what a hard stop leaves. */
export function ownWorkspaces(destination: string): readonly string[] {
  const path = resolve(destination)
  const mark = `${workspaceMark}${process.pid}-`
  return [
    ...namesIn(dirname(path), `${basename(path)}${mark}`).map(name => join(dirname(destination), name)),
    ...namesIn(path, mark).map(name => join(destination, name)),
  ]
}

function namesIn(directory: string, start: string): readonly string[] {
  try {
    return fs.readdirSync(directory).filter(name => name.startsWith(start))
  } catch {
    return [] // it is not there, or may not be read: then nothing can have been left in it
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isCode(error, 'EPERM') // it exists and belongs to somebody else
  }
}
