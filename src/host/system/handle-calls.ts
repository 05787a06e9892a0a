import type { StoredFileHandle } from '../../fs/index.ts'
import type { KernelMemory } from './kernel-memory.ts'
import type { Place } from './place-calls.ts'
import { errnoOf } from './system-error.ts'

/** File handles: open_by_handle_at(2). Errors: FsError. */
export type HandleCalls = {
  /** Null where the file system has none. */
  nameToHandle(place: Place): StoredFileHandle | null
  /**
   * A descriptor of O_PATH; `mountFd` is an open file of the file system, not of O_PATH. Null when the file is gone,
   * the handle is none of this file system, or the process may not (CAP_DAC_READ_SEARCH in the first user namespace).
   */
  openHandle(mountFd: number, handle: StoredFileHandle): number | null
}

const AT_EMPTY_PATH = 0x1000
const O_CLOEXEC = 0o2000000
const O_PATH = 0o10000000
const largestHandleBytes = 128

/** Binds the calls. */
export function handleCalls(memory: KernelMemory): HandleCalls {
  const { bindOptional, path: put, check, errno, buffer, address } = memory
  const toHandle = bindOptional('name_to_handle_at', 'int', ['int', 'pointer', 'pointer', 'pointer', 'int'])
  const open = bindOptional('open_by_handle_at', 'int', ['int', 'pointer', 'int'])
  const noHandles = new Set([errnoOf.EOPNOTSUPP, errnoOf.EOVERFLOW, errnoOf.ENOSYS])
  const notOpened = new Set([errnoOf.ESTALE, errnoOf.EPERM, errnoOf.EINVAL, errnoOf.ENOSYS, errnoOf.EOPNOTSUPP])
  return {
    nameToHandle({ fd, name }) {
      // struct file_handle: size, type, bytes; the mount id goes behind it.
      buffer.writeUInt32LE(largestHandleBytes, 0)
      const mountID = address + 8 + largestHandleBytes
      const result = toHandle(fd, put('name_to_handle_at', name), address, mountID, name === '' ? AT_EMPTY_PATH : 0)
      if (result < 0 && noHandles.has(errno())) return null
      check(result, 'name_to_handle_at')
      return { type: buffer.readInt32LE(4), bytes: new Uint8Array(buffer.subarray(8, 8 + buffer.readUInt32LE(0))) }
    },
    openHandle(mountFd, { type, bytes }) {
      if (bytes.length > largestHandleBytes) return null
      buffer.writeUInt32LE(bytes.length, 0)
      buffer.writeInt32LE(type, 4)
      buffer.set(bytes, 8)
      const result = open(mountFd, address, O_PATH | O_CLOEXEC)
      if (result < 0 && notOpened.has(errno())) return null
      return check(result, 'open_by_handle_at')
    },
  }
}
