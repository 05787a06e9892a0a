import type { Binding } from './binding.ts'

/**
 * State that a process shares among its threads: umask and current directory. After `unshareFs` the calling thread
 * has its own, so a worker can create files with exact modes and enter directories without touching the others (whose
 * node:fs promises run on yet other threads). Errors: SystemError.
 */
export type ThreadCalls = {
  /** unshare(CLONE_FS): needs no privilege. For worker threads; the main thread would part from libuv's. */
  unshareFs(): void
  /** Sets the umask and returns the one before. process.umask(…) may not do this in a worker. */
  umask(mask: number): number
  chdir(path: string): void
  fchdir(fd: number): void
}

const CLONE_FS = 0x200

/** Binds the calls about the calling thread. */
export function threadCalls({ bind, path: put, check }: Binding): ThreadCalls {
  const unshare = bind('unshare', 'int', ['int'])
  const umask = bind('umask', 'int', ['uint'])
  const chdir = bind('chdir', 'int', ['pointer'])
  const fchdir = bind('fchdir', 'int', ['int'])
  return {
    unshareFs: () => void check(unshare(CLONE_FS), 'unshare'),
    umask: mask => umask(mask),
    chdir: path => void check(chdir(put('chdir', path)), 'chdir', path),
    fchdir: fd => void check(fchdir(fd), 'fchdir'),
  }
}
