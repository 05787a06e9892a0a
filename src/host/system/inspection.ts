import { decodeName } from '../../path/index.ts'
import type { Binding } from './binding.ts'
import { errnoOf, SystemError } from './system-error.ts'

/** Calls that look closer at a file system than programs usually do. Errors: SystemError. */
export type InspectionCalls = {
  /**
   * The raw types of the first names in an open directory, as getdents64(2) tells them: 0 is "unknown", which node:fs
   * hides by asking for each name. ENOSYS on processors whose number of the call is not known here.
   */
  entryTypes(fd: number): ReadonlyMap<string, number>
  /**
   * open_by_handle_at(2) with O_PATH. `mountFd` is any open file of the file system. ESTALE when the file is gone, EPERM
   * without CAP_DAC_READ_SEARCH in the first user namespace.
   */
  openByHandle(mountFd: number, handle: { readonly type: number; readonly bytes: Uint8Array }): number
}

/** getdents64, by process.arch. */
const getdentsNumbers: { readonly [arch: string]: number } = {
  x64: 217,
  arm64: 61,
  riscv64: 61,
  loong64: 61,
  ppc64: 202,
}
const O_PATH = 0o10000000
const O_CLOEXEC = 0o2000000
const largestHandleBytes = 128

/** Binds the calls. */
export function inspectionCalls({ bind, bindOptional, pointerTo, check }: Binding): InspectionCalls {
  const syscall = bind('syscall', 'long', ['long', 'int', 'pointer', 'size'])
  const open = bindOptional('open_by_handle_at', 'int', ['int', 'pointer', 'int'])
  const buffer = Buffer.allocUnsafeSlow(32 << 10)
  const address = pointerTo(buffer)
  return {
    entryTypes(fd) {
      const number = getdentsNumbers[process.arch]
      if (number === undefined) throw new SystemError('getdents64', errnoOf.ENOSYS)
      return readEntries(buffer, check(syscall(number, fd, address, buffer.length), 'getdents64'))
    },
    openByHandle(mountFd, { type, bytes }) {
      if (bytes.length > largestHandleBytes) throw new SystemError('open_by_handle_at', errnoOf.EINVAL)
      buffer.writeUInt32LE(bytes.length, 0)
      buffer.writeInt32LE(type, 4)
      buffer.set(bytes, 8)
      return check(open(mountFd, address, O_PATH | O_CLOEXEC), 'open_by_handle_at')
    },
  }
}

/** struct linux_dirent64: inode and offset of 8 bytes, length of the entry, type, name. */
function readEntries(buffer: Buffer, length: number): ReadonlyMap<string, number> {
  const types = new Map<string, number>()
  for (let at = 0; at < length; at += buffer.readUInt16LE(at + 16)) {
    const start = at + 19
    types.set(decodeName(buffer, start, buffer.indexOf(0, start)), buffer[at + 18] ?? 0)
  }
  return types
}
