// A thread's own working directory and umask (unshare(CLONE_FS)), so that paths are short and modes exact without
// touching the rest of the process.

import type { System } from '../host/index.ts'

/** How paths begin that lead into a directory, and the umask that counts for what is made there. */
export type Entered = { readonly prefix: string; readonly umask: number }

/** Makes the directory this thread's own working directory, or says how to reach it from outside. */
export function enterDirectory(system: System | null, { prefix, umask }: Entered): Entered {
  if (system === null) return { prefix, umask }
  try {
    system.unshareFs()
  } catch {
    return { prefix, umask } // refused by a seccomp profile: absolute paths and chmod do the same, slower
  }
  system.umask(0)
  system.chdir(prefix)
  return { prefix: '', umask: 0 }
}
