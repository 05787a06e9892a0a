// How calls reach libc. Arguments are plain numbers, memory included: a path is written into a scratch buffer whose
// address is known, which is cheaper than having koffi convert it (futimens 290 ns against 340 with a buffer argument
// and 470 for fs.futimesSync; utimensat with its path 800 against 845 for fs.lutimesSync; tmpfs, Node 20).
import { encodeName, isUtf8Name } from '../../path/index.ts'
import { type Koffi, loadKoffi } from '../koffi.ts'
import { errnoOf, SystemError } from './system-error.ts'

/** libc of this process, and memory to pass arguments in. Not for use by two threads: each loads its own. */
export type Binding = {
  /** Binds a function of libc. Arguments of type 'pointer' are addresses from `path`, `memory` or `pointerTo`. */
  readonly bind: Binder
  /** As `bind`; where this libc lacks the function, a call fails with ENOSYS. */
  readonly bindOptional: Binder
  /**
   * Writes a path, NUL-terminated, for the next call and returns its address; `slot` keeps several of one call apart.
   * Errors: EINVAL for a NUL inside (C would use the part before it), ENAMETOOLONG beyond PATH_MAX.
   */
  readonly path: (syscall: string, path: string, slot?: 0 | 1) => number
  /** The address of these bytes, valid as long as they are referenced. */
  readonly pointerTo: (bytes: Uint8Array) => number
  /** Throws a SystemError with the current errno when the result of a call is negative. */
  readonly check: (result: number, syscall: string, path?: string) => number
  readonly errno: () => number
}

/** C types of arguments; each is passed as a number. */
export type ArgumentType = 'int' | 'uint' | 'long' | 'size' | 'offset' | 'uint64' | 'pointer'
/** Binds a function of libc by its name and types. */
export type Binder = (name: string, result: 'int' | 'long' | 'offset', args: readonly ArgumentType[]) => NativeCall
/** A bound function of libc. */
export type NativeCall = (...args: readonly number[]) => number

const koffiType = {
  int: 'int',
  uint: 'unsigned int',
  long: 'long',
  size: 'size_t',
  offset: 'int64_t',
  uint64: 'uint64_t',
  pointer: 'uintptr_t',
} as const

/**
 * Null where koffi is missing, off Linux, and on 32-bit machines, whose libc has 32-bit times under the names used
 * here.
 */
export function openBinding(): Binding | null {
  const koffi = process.platform === 'linux' ? loadKoffi() : null
  return koffi === null || koffi.sizeof('void *') !== 8 ? null : bindingOf(koffi)
}

const pathMax = 4096
/** UTF-8 takes at most 3 bytes for a UTF-16 unit. */
const slotBytes = 3 * pathMax + 1

function bindingOf(koffi: Koffi): Binding {
  // No library name: the symbols of this process, be its libc glibc or musl.
  const libc = koffi.load(null)
  const scratch = Buffer.allocUnsafeSlow(2 * slotBytes)
  const pointerTo = (bytes: Uint8Array): number => Number(koffi.address(bytes))
  const base = pointerTo(scratch)
  const bind: Binder = (name, result, args) =>
    libc.func(
      name,
      koffiType[result],
      args.map(type => koffiType[type]),
    )
  return {
    bind,
    bindOptional(name, result, args) {
      try {
        return bind(name, result, args)
      } catch {
        // koffi throws when libc has no such symbol
        return () => {
          throw new SystemError(name, errnoOf.ENOSYS)
        }
      }
    },
    path(syscall, path, slot = 0) {
      if (path.includes('\0')) throw new SystemError(syscall, errnoOf.EINVAL, path)
      if (path.length >= pathMax) throw new SystemError(syscall, errnoOf.ENAMETOOLONG, path)
      const start = slot * slotBytes
      scratch[start + writeName(scratch, start, path)] = 0
      return base + start
    },
    pointerTo,
    check(result, syscall, path) {
      if (result < 0) throw new SystemError(syscall, koffi.errno(), path)
      return result
    },
    errno: () => koffi.errno(),
  }
}

/** What Buffer.write() calls when it has looked at its arguments; for short names that takes as long as the call itself. */
type NativeWriter = { utf8Write(name: string, start: number): number }

function writeName(target: Buffer & Partial<NativeWriter>, start: number, name: string): number {
  if (isUtf8Name(name)) return target.utf8Write?.(name, start) ?? target.write(name, start)
  const bytes = encodeName(name)
  target.set(bytes, start)
  return bytes.length
}
