// One writer at a time in a directory, by flock(2) on the directory itself: nothing is left behind when the holder is
// killed, and nothing has to be cleaned up.
import { closeSync, constants, openSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { hostPath } from './host-path.ts'
import { loadSystem } from './system/system.ts'

/**
 * Runs `use` while no other process runs one for the same directory. `use` is synchronous, so that the lock is held for
 * moments only. Where flock(2) cannot be called (see `loadSystem`) there is no lock. Errors: those of node:fs when the
 * directory cannot be opened, of `use`, and the reason of `signal`.
 */
export async function withDirectoryLock<T>(
  directory: string,
  { signal }: { readonly signal?: AbortSignal | undefined },
  use: () => T,
): Promise<T> {
  const { O_RDONLY, O_DIRECTORY } = constants
  const fd = openSync(hostPath(directory), O_RDONLY | O_DIRECTORY)
  try {
    const tryLock = (): boolean => loadSystem()?.tryLock(fd) ?? true
    for (let delayMs = 2; !tryLock(); delayMs = Math.min(50, delayMs * 2)) {
      signal?.throwIfAborted()
      await wait(delayMs)
    }
    signal?.throwIfAborted()
    return use()
  } finally {
    closeSync(fd)
  }
}
