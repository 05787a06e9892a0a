// Being another for one call: inside a directory, with somebody's ids and umask, and back.
import type { Credentials } from '../../fs/index.ts'
import type { KernelCalls } from '../../host/index.ts'

const O_PATH = 0o10000000
const O_DIRECTORY = 0o200000

/** The way into one directory, and back. */
export class Visit {
  readonly calls: KernelCalls
  readonly #inside: number
  readonly #outside: number
  /** Where the process works: the current directory is left by a visit. */
  readonly #home: number
  readonly #groups: readonly number[] = process.getgroups?.() ?? []

  constructor(calls: KernelCalls, directory: string) {
    this.calls = calls
    this.#inside = calls.open(directory, O_PATH | O_DIRECTORY, 0)
    this.#outside = calls.open('/', O_PATH | O_DIRECTORY, 0)
    this.#home = calls.open('.', O_PATH | O_DIRECTORY, 0)
  }

  /** Makes a synchronous call inside, as the caller. */
  run<T>(caller: Credentials, call: () => T): T {
    const { calls } = this
    calls.fchdir(this.#inside)
    calls.chroot('.')
    const umask = calls.umask(caller.umask)
    try {
      return isRoot(caller) ? call() : this.#runAs(caller, call)
    } finally {
      calls.umask(umask)
      calls.fchdir(this.#outside)
      calls.chroot('.')
      calls.fchdir(this.#home)
    }
  }

  close(): void {
    for (const fd of [this.#inside, this.#outside, this.#home]) this.calls.close(fd)
  }

  /** 0 is kept as the saved id, and with it all permitted capabilities. */
  #runAs<T>({ uid, gid, groups, capable }: Credentials, call: () => T): T {
    const { calls } = this
    calls.setgroups(groups)
    calls.setresgid(gid, gid, 0)
    calls.setresuid(uid, uid, 0)
    try {
      if (capable !== (uid === 0)) calls.setCapable(capable)
      return call()
    } finally {
      if (uid === 0 && !capable) calls.setCapable(true)
      calls.setresuid(0, 0, 0)
      calls.setresgid(0, 0, 0)
      calls.setgroups(this.#groups)
    }
  }
}

function isRoot({ uid, gid, groups, capable }: Credentials): boolean {
  return uid === 0 && gid === 0 && groups.length === 0 && capable
}
