// The calls that removing a tree needs, each on a name in an open directory, so that no path is walked twice and no
// symlink is ever followed. With koffi they are the *at calls; without it the same through /proc/self/fd.
import fs from 'node:fs'
import { hostPath } from './host-path.ts'
import { loadSystem, type System } from './system/system.ts'

/** Calls on a name in an open directory; names are ovl names. Errors: with an errno, as of node:fs. */
export type DirectoryCalls = {
  /** A descriptor for looking up names in a directory; needs no permission on it. Errors: ENOTDIR, also for a symlink. */
  readonly open: (directory: number, name: string) => number
  readonly unlink: (directory: number, name: string) => void
  readonly rmdir: (directory: number, name: string) => void
  readonly rename: (fromDirectory: number, from: string, toDirectory: number, to: string) => void
}

const { O_DIRECTORY, O_NOFOLLOW } = fs.constants
const O_PATH = 0o10000000
/** open(2) flags of a descriptor that serves for looking up names only. */
export const lookupFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW

/** `only` chooses one kind, for tests. */
export function directoryCalls(only?: 'system' | 'proc'): DirectoryCalls {
  const system = only === 'proc' ? null : loadSystem()
  return system === null ? throughProc : throughSystem(system)
}

/** The path by which node:fs reaches a name in an open directory. */
export function descriptorPath(directory: number, name?: string): string {
  return name === undefined ? `/proc/self/fd/${directory}` : `/proc/self/fd/${directory}/${name}`
}

function throughSystem(system: System): DirectoryCalls {
  return {
    open: (directory, name) => system.openat(directory, name, { flags: lookupFlags }),
    unlink: (directory, name) => system.unlinkat(directory, name),
    rmdir: (directory, name) => system.rmdirat(directory, name),
    rename: (fromDirectory, from, toDirectory, to) => system.renameat2(fromDirectory, from, toDirectory, to, 0),
  }
}

const throughProc: DirectoryCalls = {
  open: (directory, name) => fs.openSync(hostPath(descriptorPath(directory, name)), lookupFlags),
  unlink: (directory, name) => fs.unlinkSync(hostPath(descriptorPath(directory, name))),
  rmdir: (directory, name) => fs.rmdirSync(hostPath(descriptorPath(directory, name))),
  rename(fromDirectory, from, toDirectory, to) {
    fs.renameSync(hostPath(descriptorPath(fromDirectory, from)), hostPath(descriptorPath(toDirectory, to)))
  },
}
