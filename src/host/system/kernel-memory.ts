// Arguments and results of calls in memory whose address is known, and errors under Linux's names.
import { type Errno, errnoNumbers, FsError } from '../../errors/index.ts'
import { decodeName } from '../../path/index.ts'
import type { Binding } from './binding.ts'
import { errnoOf, SystemError } from './system-error.ts'

/** What the calls of one thread share. */
export type KernelMemory = Pick<Binding, 'bind' | 'bindOptional' | 'pointerTo'> & {
  /** Writes a path or a name for the next call; `slot` keeps two of one call apart. Errors: FsError. */
  readonly path: (syscall: string, path: string, slot?: 0 | 1) => number
  /** Throws the FsError of the current errno when the result of a call is negative. */
  readonly check: (result: number, syscall: string, path?: string) => number
  /**
   * The result of a call that answers with bytes: asked with little room first. The kernel allocates, and for values
   * clears, as much as it is offered (64 KiB take 2 us).
   */
  readonly ask: (call: (sizeBytes: number) => number) => number
  /** Of the last call that failed. */
  readonly errno: () => number
  /** For structures and small values: its content is lost at the next call. */
  readonly buffer: Buffer
  readonly view: DataView
  readonly address: number
}

/** XATTR_SIZE_MAX and XATTR_LIST_MAX: the most that one call moves through the buffer. */
export const kernelBufferBytes = 65536
/** What nearly every answer fits in. */
const usualBytes = 512

/**
 * Memory for the calls of this thread. A number that no file system should answer with is a bug of the caller, or,
 * with `strange: 'EIO'`, the failure of a file system that a program cannot do anything about (FUSE, a network).
 */
export function kernelMemory(binding: Binding, options: { readonly strange?: 'EIO' } = {}): KernelMemory {
  const errnoName = (number: number): Errno => {
    const name = names.get(number) ?? options.strange
    if (name === undefined) throw new Error(`Unexpected errno ${number}`)
    return name
  }
  const buffer = Buffer.allocUnsafeSlow(kernelBufferBytes)
  const { bind, bindOptional, pointerTo, errno } = binding
  return {
    bind,
    bindOptional,
    pointerTo,
    path(syscall, path, slot = 0) {
      try {
        return binding.path(syscall, path, slot)
      } catch (error) {
        if (error instanceof SystemError) throw new FsError(errnoName(-error.errno), syscall, path)
        throw error
      }
    },
    check(result, syscall, path) {
      if (result < 0) throw new FsError(errnoName(errno()), syscall, path)
      return result
    },
    ask(call) {
      const length = call(usualBytes)
      return length < 0 && errno() === errnoOf.ERANGE ? call(kernelBufferBytes) : length
    },
    errno,
    buffer,
    view: new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength),
    address: pointerTo(buffer),
  }
}

/** Linux's names. */
const names = new Map<number, Errno>(
  Object.entries(errnoNumbers).map(([name, number]) => [number, name as Errno] as const),
)

/** Strings with a NUL behind each, as the xattr calls list names. */
export function splitNames(list: Uint8Array): string[] {
  const found: string[] = []
  for (let start = 0; start < list.length; ) {
    const end = list.indexOf(0, start)
    found.push(decodeName(list, start, end))
    start = end + 1
  }
  return found
}
