import type { Binding } from './binding.ts'
import { kernelBufferBytes, splitNames } from './kernel-memory.ts'
import { errnoOf, SystemError } from './system-error.ts'

/**
 * Extended attributes of a path, of the symlink itself if it is one (`l…`), or of an open file (`f…`).
 * Errors: SystemError; ENODATA for an attribute that is not there, ENOTSUP where namespace or file system has none.
 */
export type XattrCalls = {
  lsetxattr(path: string, name: string, value: Uint8Array): void
  fsetxattr(fd: number, name: string, value: Uint8Array): void
  lgetxattr(path: string, name: string): Uint8Array
  /** Names in the kernel's order. */
  llistxattr(path: string): string[]
  lremovexattr(path: string, name: string): void
}

/** Binds the calls about extended attributes. */
export function xattrCalls(binding: Binding): XattrCalls {
  const { bind, path: put, pointerTo, check } = binding
  const lset = bind('lsetxattr', 'int', ['pointer', 'pointer', 'pointer', 'size', 'int'])
  const fset = bind('fsetxattr', 'int', ['int', 'pointer', 'pointer', 'size', 'int'])
  const lget = bind('lgetxattr', 'long', ['pointer', 'pointer', 'pointer', 'size'])
  const llist = bind('llistxattr', 'long', ['pointer', 'pointer', 'size'])
  const lremove = bind('lremovexattr', 'int', ['pointer', 'pointer'])
  const buffer = Buffer.allocUnsafeSlow(kernelBufferBytes)
  const bufferPointer = pointerTo(buffer)
  /** Small values go through the buffer whose address is known. */
  const valuePointer = (syscall: string, value: Uint8Array): number => {
    if (value.length > kernelBufferBytes) throw new SystemError(syscall, errnoOf.E2BIG)
    buffer.set(value)
    return bufferPointer
  }
  return {
    lsetxattr(path, name, value) {
      const pointer = valuePointer('lsetxattr', value)
      check(lset(put('lsetxattr', path), put('lsetxattr', name, 1), pointer, value.length, 0), 'lsetxattr', path)
    },
    fsetxattr(fd, name, value) {
      const pointer = valuePointer('fsetxattr', value)
      check(fset(fd, put('fsetxattr', name, 1), pointer, value.length, 0), 'fsetxattr')
    },
    lgetxattr(path, name) {
      const result = lget(put('lgetxattr', path), put('lgetxattr', name, 1), bufferPointer, kernelBufferBytes)
      return new Uint8Array(buffer.subarray(0, check(result, 'lgetxattr', path)))
    },
    llistxattr(path) {
      const length = check(llist(put('llistxattr', path), bufferPointer, kernelBufferBytes), 'llistxattr', path)
      return splitNames(buffer.subarray(0, length))
    },
    lremovexattr(path, name) {
      check(lremove(put('lremovexattr', path), put('lremovexattr', name, 1)), 'lremovexattr', path)
    },
  }
}
