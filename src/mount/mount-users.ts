// Who keeps a mount busy, as fuser(1) finds it.
import fs from 'node:fs'
import { isCode } from '../errors/index.ts'
import { isInside, ovlName } from '../host/index.ts'

/** A process and a file that it holds. */
export type MountUser = { readonly pid: number; readonly name: string; readonly file: string }

const maxUsers = 5

/** The first few processes with a current directory, root or open file below a mount point, as far as this user sees. */
export function findUsers(mountPoint: string): readonly MountUser[] {
  const users: MountUser[] = []
  for (const entry of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const file = heldFile(`/proc/${entry}`, mountPoint)
    if (file !== null) users.push({ pid: Number(entry), name: processName(entry), file })
    if (users.length === maxUsers) break
  }
  return users
}

function heldFile(process: string, mountPoint: string): string | null {
  const links = ['cwd', 'root', ...list(`${process}/fd`).map(fd => `fd/${fd}`)]
  for (const link of links) {
    const file = target(`${process}/${link}`)
    if (file !== null && isInside(file, mountPoint)) return file
  }
  return null
}

function list(directory: string): readonly string[] {
  return read(() => fs.readdirSync(directory)) ?? []
}

function target(link: string): string | null {
  return read(() => ovlName(fs.readlinkSync(link, 'buffer')))
}

function processName(pid: string): string {
  return read(() => fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) ?? '?'
}

/** Processes end while one looks at them, and those of others cannot be looked into. */
function read<Value>(look: () => Value): Value | null {
  try {
    return look()
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR'].some(code => isCode(error, code))) return null
    throw error
  }
}
