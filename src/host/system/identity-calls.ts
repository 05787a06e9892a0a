import type { KernelMemory } from './kernel-memory.ts'

/**
 * Who the calling thread is and where its paths start. libc changes the ids of every thread of a process; these are the
 * raw calls, for the calling thread alone. Errors: FsError.
 */
export type IdentityCalls = {
  /** unshare(CLONE_NEWNS), with nothing propagated any more: mounts made afterwards vanish with the process. */
  enterMountNamespace(): void
  chroot(path: string): void
  chdir(path: string): void
  fchdir(fd: number): void
  /** Returns the umask before. */
  umask(mask: number): number
  setgroups(groups: readonly number[]): void
  /** Real, effective and saved id; the id for files follows the effective one. */
  setresgid(real: number, effective: number, saved: number): void
  /** Effective capabilities go when the effective id leaves 0, and come back with it. */
  setresuid(real: number, effective: number, saved: number): void
  /** capset(2): all permitted capabilities become effective, or none; the permitted stay. */
  setCapable(capable: boolean): void
}

/** Numbers of the raw calls, by process.arch. */
const numbers: { readonly [arch: string]: { setresuid: number; setresgid: number; setgroups: number } } = {
  x64: { setresuid: 117, setresgid: 119, setgroups: 116 },
  arm64: { setresuid: 147, setresgid: 149, setgroups: 159 },
  riscv64: { setresuid: 147, setresgid: 149, setgroups: 159 },
  loong64: { setresuid: 147, setresgid: 149, setgroups: 159 },
  ppc64: { setresuid: 164, setresgid: 169, setgroups: 81 },
}
/** Answered with ENOSYS. */
const noNumbers = { setresuid: -1, setresgid: -1, setgroups: -1 }
const CLONE_NEWNS = 0x20000
const MS_REC = 0x4000
const MS_PRIVATE = 0x40000
/** _LINUX_CAPABILITY_VERSION_3: two words of 32 capabilities. */
const capabilityVersion = 0x20080522

/** Binds the calls. */
export function identityCalls(memory: KernelMemory): IdentityCalls {
  const { bind, path: put, check } = memory
  const unshare = bind('unshare', 'int', ['int'])
  const mount = bind('mount', 'int', ['pointer', 'pointer', 'pointer', 'size', 'pointer'])
  const chroot = bind('chroot', 'int', ['pointer'])
  const chdir = bind('chdir', 'int', ['pointer'])
  const fchdir = bind('fchdir', 'int', ['int'])
  const umask = bind('umask', 'int', ['uint'])
  return {
    enterMountNamespace() {
      check(unshare(CLONE_NEWNS), 'unshare')
      check(mount(0, put('mount', '/'), 0, MS_REC | MS_PRIVATE, 0), 'mount', '/')
    },
    chroot: path => void check(chroot(put('chroot', path)), 'chroot', path),
    chdir: path => void check(chdir(put('chdir', path)), 'chdir', path),
    fchdir: fd => void check(fchdir(fd), 'fchdir'),
    umask: mask => umask(mask),
    ...ids(memory),
  }
}

function ids(memory: KernelMemory): Pick<IdentityCalls, 'setgroups' | 'setresgid' | 'setresuid' | 'setCapable'> {
  const { bind, bindOptional, check, view, address } = memory
  const number = numbers[process.arch] ?? noNumbers
  const syscall = bind('syscall', 'long', ['long', 'uint', 'uint', 'uint'])
  const setgroups = bind('syscall', 'long', ['long', 'size', 'pointer'])
  const capget = bindOptional('capget', 'int', ['pointer', 'pointer'])
  const capset = bindOptional('capset', 'int', ['pointer', 'pointer'])
  return {
    setgroups(groups) {
      groups.forEach((group, index) => view.setUint32(index * 4, group, true))
      check(setgroups(number.setgroups, groups.length, address), 'setgroups')
    },
    setresgid: (real, effective, saved) => void check(syscall(number.setresgid, real, effective, saved), 'setresgid'),
    setresuid: (real, effective, saved) => void check(syscall(number.setresuid, real, effective, saved), 'setresuid'),
    setCapable(capable) {
      // struct __user_cap_header_struct, then two of effective, permitted, inheritable.
      view.setUint32(0, capabilityVersion, true)
      view.setUint32(4, 0, true)
      check(capget(address, address + 8), 'capget')
      for (const at of [8, 20]) view.setUint32(at, capable ? view.getUint32(at + 4, true) : 0, true)
      check(capset(address, address + 8), 'capset')
    },
  }
}
