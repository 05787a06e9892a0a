// Mends what is found in the directories of an overlay, each in a way that leaves what the overlay shows as it is. A
// path is walked from the layer's root without following a symlink, whoever changes it meanwhile.
import fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import {
  hostPath,
  removeTree,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
  type System,
  type Timestamp,
} from '../../host/index.ts'
import type { Mend } from '../../overlay/index.ts'

/** What to mend, and where. */
export type MendTarget = {
  readonly mend: Mend
  /** The upperdir, workdir or lower directory. */
  readonly directory: string
  /** Below it; "" is the directory itself. */
  readonly path: string
  /** "trusted.overlay." or "user.overlay." */
  readonly prefix: string
  /** Written to its disk before a marker of a volatile mount goes. */
  readonly upper: string | null
  readonly system: System
}

/** Mends one finding; returns why it could not be. Errors: those without an errno. */
export async function mendFinding(target: MendTarget): Promise<string | null> {
  try {
    return await apply(target)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (typeof code !== 'string') throw error
    return code
  }
}

async function apply(target: MendTarget): Promise<string | null> {
  const { mend, directory, path, system, upper } = target
  switch (mend.kind) {
    case 'remove-tree':
      return reasonOf(await removeTree(join(directory, path)))
    case 'sync-and-remove':
      if (upper !== null) syncFileSystem(upper, system)
      return reasonOf(await removeTree(join(directory, dirname(path))))
    case 'unlink':
      return inParent(target, (parent, name) => unlinkWhiteout(parent, name, target))
    case 'remove-mark':
      return inParent(target, (parent, name) => system.lremovexattr(through(parent, name), target.prefix + mend.mark))
    case 'empty-mark':
      break
  }
  return inParent(target, (parent, name) =>
    system.lsetxattr(through(parent, name), target.prefix + mend.mark, new Uint8Array(0)),
  )
}

function reasonOf({ kept }: Awaited<ReturnType<typeof removeTree>>): string | null {
  return kept[0]?.reason ?? null
}

function syncFileSystem(directory: string, system: System): void {
  const fd = fs.openSync(hostPath(directory), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  try {
    system.syncfs(fd)
  } finally {
    fs.closeSync(fd)
  }
}

const O_PATH = 0o10000000

function inParent({ directory, path, system }: MendTarget, change: (parent: number, name: string) => void): null {
  const root = fs.openSync(hostPath(directory), O_PATH | fs.constants.O_DIRECTORY)
  let parent = -1
  try {
    parent = system.openat2(root, path === '' ? '.' : dirname(path), {
      flags: O_PATH | fs.constants.O_DIRECTORY,
      resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    })
    change(parent, path === '' ? '.' : basename(path))
    return null
  } finally {
    if (parent >= 0) fs.closeSync(parent)
    fs.closeSync(root)
  }
}

function through(parent: number, name: string): string {
  return `/proc/self/fd/${parent}/${name}`
}

/** The times of the directory show in the overlay, so they are put back. */
function unlinkWhiteout(parent: number, name: string, { system, prefix }: MendTarget): void {
  const whiteout = fs.lstatSync(hostPath(through(parent, name)))
  const isMark = whiteout.isFile() && whiteout.size === 0
  if (isMark)
    system.lgetxattr(through(parent, name), `${prefix}whiteout`) // ENODATA: it is none any more
  else if (!whiteout.isCharacterDevice() || whiteout.rdev !== 0) throw changed(name)
  const { atimeNs, mtimeNs } = fs.statSync(through(parent, '.'), { bigint: true })
  system.unlinkat(parent, name)
  system.utimensat(parent, '.', { accessed: timestamp(atimeNs), modified: timestamp(mtimeNs) })
}

function changed(name: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${name} is no whiteout any more`), { code: 'ESTALE' })
}

function timestamp(nanoseconds: bigint): Timestamp {
  const seconds = nanoseconds / 1_000_000_000n - (nanoseconds % 1_000_000_000n < 0n ? 1n : 0n)
  return { seconds: Number(seconds), nanoseconds: Number(nanoseconds - seconds * 1_000_000_000n) }
}
