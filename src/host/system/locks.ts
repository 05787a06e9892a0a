import type { Binding } from './binding.ts'
import { errnoOf } from './system-error.ts'

/** Locks of open files, which end with the process however it ends. Errors: SystemError. */
export type LockCalls = {
  /** flock(2), exclusive, without waiting: false when another open file of the same inode holds the lock. */
  tryLock(fd: number): boolean
}

const LOCK_EX = 2
const LOCK_NB = 4

/** Binds the calls about locks. */
export function lockCalls({ bind, check, errno }: Binding): LockCalls {
  const flock = bind('flock', 'int', ['int', 'int'])
  return {
    tryLock(fd) {
      const result = flock(fd, LOCK_EX | LOCK_NB)
      if (result < 0 && errno() === errnoOf.EWOULDBLOCK) return false
      check(result, 'flock')
      return true
    },
  }
}
