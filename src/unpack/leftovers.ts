// Workspaces beside (or, of a mount point, inside) destinations: `NAME.ovl-tmp-PID-XXXX`. The pid tells whether the run
// is still at it.
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { isCode } from '../errors/index.ts'
import { hostPath, ovlName } from '../host/index.ts'

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
  return `${start}${workspaceMark}${process.pid}-${randomBytes(2).toString('hex')}`
}

/** Workspaces in a directory whose names begin with `start`, of processes that are gone. Errors: those of node:fs. */
export function findLeftovers(directory: string, start: string): string[] {
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

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isCode(error, 'EPERM') // it exists and belongs to somebody else
  }
}
