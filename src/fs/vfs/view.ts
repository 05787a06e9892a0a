// What every part of the Vfs works on: one caller's sight of a file system, and the names of errors.
import { type Errno, FsError } from '../../errors/index.ts'
import type { Credentials } from '../credentials.ts'
import type { Ownership } from '../stat.ts'
import type { Inode, SuperBlock } from '../super-block.ts'

/** A file system as one caller sees it. */
export type View = {
  readonly superBlock: SuperBlock
  readonly caller: Credentials
  readonly state: SharedState
}

/** Which object a call is about, and what its errors say. */
export type Subject = { readonly inode: Inode; readonly syscall: string; readonly path?: string }

/** What the kernel keeps in struct inode and no file system stores; one for each super block. */
export type SharedState = {
  /** Directories that were removed while some directory was open: S_DEAD. */
  readonly dead: WeakSet<Inode>
  /** Open directories, of whichever caller. A weak set costs more than the removal, so it is kept for them only. */
  openDirectories: number
  /** Files of O_TMPFILE that may get a name: I_LINKABLE. */
  readonly linkable: WeakSet<Inode>
  /** Grows whenever some file may have gained privileges that a write takes away: the reverse of S_NOSEC. */
  privilegeChanges: number
}

const states = new WeakMap<SuperBlock, SharedState>()

/** The sight of `caller`; all views of a super block share its state. */
export function viewOf(superBlock: SuperBlock, caller: Credentials): View {
  let state = states.get(superBlock)
  if (state === undefined) {
    state = { dead: new WeakSet(), openDirectories: 0, linkable: new WeakSet(), privilegeChanges: 0 }
    states.set(superBlock, state)
  }
  return { superBlock, caller, state }
}

/** Remembers that a directory is gone, where an open one could be it. */
export function markRemoved({ state }: View, dir: Inode): void {
  if (state.openDirectories > 0) state.dead.add(dir)
}

/** Mode and owner of an object, for whoever checks permissions. */
export function ownershipOf({ superBlock }: View, inode: Inode): Ownership {
  return superBlock.ownership === undefined ? superBlock.stat(inode) : superBlock.ownership(inode)
}

/** Throws the refusal, if there is one. */
export function check(refusal: Errno | null, syscall: string, path?: string): void {
  if (refusal !== null) throw new FsError(refusal, syscall, path)
}

/** Runs an operation; errors of the file system, which knows no paths, get the name of the call and the path. */
export function named<T>(syscall: string, path: string, operation: () => T): T {
  try {
    return operation()
  } catch (error) {
    if (error instanceof FsError && error.path === undefined) throw new FsError(error.code, syscall, path)
    throw error
  }
}
