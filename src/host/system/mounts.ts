import fs from 'node:fs'
import { decodeName, encodeName } from '../../path/index.ts'
import type { Binding } from './binding.ts'
import { errnoOf, SystemError } from './system-error.ts'

/** umount2(2): take the mount out of the tree now, end it when nobody uses it any more. */
export const MNT_DETACH = 2
/** umount2(2): do not follow a symlink. */
export const UMOUNT_NOFOLLOW = 8

/**
 * Calls that mount and unmount, and what a preflight of mounts asks the kernel. The arguments are ovl names, of any
 * length where the kernel takes it. Errors: SystemError; ENOSYS for the calls of the newer interface before Linux 5.2.
 */
export type MountCalls = {
  /** fsopen(2) */
  fsopen(type: string): FilesystemContext
  /** mount(2); the kernel takes no more than 4095 bytes of `options` and silently cuts what is longer. */
  mount(
    type: string,
    target: string,
    how: { readonly source: string; readonly flags: number; readonly options: string },
  ): void
  /** umount2(2) with MNT_DETACH, UMOUNT_NOFOLLOW. */
  umount2(target: string, flags: number): void
  /** name_to_handle_at(2) of an open file, or null where the file system has no file handles. */
  fileHandle(fd: number): FileHandle | null
  /** ioctl(FS_IOC_GETFLAGS): the bits of chattr(1), or null where there are none. Not for a descriptor with O_PATH. */
  inodeFlags(fd: number): number | null
  /** Moves the position of a descriptor to its end, where that means something (/dev/kmsg). */
  seekEnd(fd: number): void
}

/** A mount in the making: a descriptor of fsopen(2). Nothing of it stays when it is closed before `attach`. */
export type FilesystemContext = {
  setString(key: string, value: string): void
  setFlag(key: string): void
  /** Gives a directory by its descriptor, O_PATH or not. */
  setFd(key: string, fd: number): void
  /** FSCONFIG_CMD_CREATE: here the file system checks what it was told. */
  create(): void
  /** fsmount(2) and move_mount(2): the mount appears on an open directory. `attributes`: MOUNT_ATTR_… */
  attach(directory: number, attributes: number): void
  /** What the file system has said so far, one message each, without the letter of its severity. Each comes once. */
  messages(): string[]
  close(): void
}

/** What tells one file of a file system from all others, also after a remount. */
export type FileHandle = { readonly type: number; readonly bytes: Uint8Array; readonly mountID: number }

/** These numbers are the same on every architecture that koffi runs on. */
const numbers = { move_mount: 429, fsopen: 430, fsconfig: 431, fsmount: 432 } as const
const FSCONFIG = { flag: 0, string: 1, fd: 5, create: 6 } as const
const CLOEXEC = 1
const MOVE_MOUNT_F_EMPTY_PATH = 0x04
const MOVE_MOUNT_T_EMPTY_PATH = 0x40
const AT_EMPTY_PATH = 0x1000
const FS_IOC_GETFLAGS = 0x80086601
const SEEK_END = 2
const largestHandleBytes = 128
/** Room for an option string and three paths, longer than the kernel takes. */
const argumentBytes = 64 << 10

/** Binds the calls. */
export function mountCalls(binding: Binding): MountCalls {
  const { bind, check } = binding
  const memory = argumentMemory(binding)
  const mount = bind('mount', 'int', ['pointer', 'pointer', 'pointer', 'size', 'pointer'])
  const umount2 = bind('umount2', 'int', ['pointer', 'int'])
  const lseek = bind('lseek', 'offset', ['int', 'offset', 'int'])
  return {
    fsopen: contextOpener(binding, memory),
    mount(type, target, { source, flags, options }) {
      const [from, at, kind, data] = memory.texts('mount', [source, target, type, options])
      check(mount(from ?? 0, at ?? 0, kind ?? 0, flags, data ?? 0), 'mount', target)
    },
    umount2(target, flags) {
      const [at] = memory.texts('umount2', [target])
      check(umount2(at ?? 0, flags), 'umount2', target)
    },
    ...inodeCalls(binding, memory),
    seekEnd: fd => void check(lseek(fd, 0, SEEK_END), 'lseek'),
  }
}

/** Memory for the arguments of one call; it stays referenced, so the collector cannot take it during the call. */
type ArgumentMemory = {
  readonly bytes: Buffer
  readonly address: number
  /** Writes strings, NUL-terminated, one behind the other, and returns their addresses. Errors: EINVAL, E2BIG. */
  texts(syscall: string, texts: readonly string[]): number[]
}

function argumentMemory({ pointerTo }: Binding): ArgumentMemory {
  const bytes = Buffer.allocUnsafeSlow(argumentBytes)
  const address = pointerTo(bytes)
  return {
    bytes,
    address,
    texts(syscall, texts) {
      let at = 0
      return texts.map(text => {
        if (text.includes('\0')) throw new SystemError(syscall, errnoOf.EINVAL, text)
        const encoded = encodeName(text)
        if (at + encoded.length + 1 > argumentBytes) throw new SystemError(syscall, errnoOf.E2BIG)
        const start = at
        bytes.set(encoded, start)
        at += encoded.length + 1
        bytes[at - 1] = 0
        return address + start
      })
    },
  }
}

function contextOpener({ bind, check }: Binding, memory: ArgumentMemory): MountCalls['fsopen'] {
  const open = bind('syscall', 'long', ['long', 'pointer', 'uint'])
  const configure = bind('syscall', 'long', ['long', 'int', 'uint', 'pointer', 'pointer', 'int'])
  const make = bind('syscall', 'long', ['long', 'int', 'uint', 'uint'])
  const move = bind('syscall', 'long', ['long', 'int', 'pointer', 'int', 'pointer', 'uint'])
  return type => {
    const [name] = memory.texts('fsopen', [type])
    const fd = check(open(numbers.fsopen, name ?? 0, CLOEXEC), 'fsopen')
    const set = (command: number, texts: readonly string[], number = 0): void => {
      const [key, value] = memory.texts('fsconfig', texts)
      check(configure(numbers.fsconfig, fd, command, key ?? 0, value ?? 0, number), 'fsconfig', texts[1])
    }
    return {
      setString: (key, value) => set(FSCONFIG.string, [key, value]),
      setFlag: key => set(FSCONFIG.flag, [key]),
      setFd: (key, directory) => set(FSCONFIG.fd, [key], directory),
      create: () => set(FSCONFIG.create, []),
      attach(directory, attributes) {
        const mounted = check(make(numbers.fsmount, fd, CLOEXEC, attributes), 'fsmount')
        try {
          const [empty] = memory.texts('move_mount', [''])
          const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH
          check(move(numbers.move_mount, mounted, empty ?? 0, directory, empty ?? 0, flags), 'move_mount')
        } finally {
          fs.closeSync(mounted)
        }
      },
      messages: () => readMessages(fd),
      close: () => fs.closeSync(fd),
    }
  }
}

function inodeCalls(binding: Binding, memory: ArgumentMemory): Pick<MountCalls, 'fileHandle' | 'inodeFlags'> {
  const { bind, bindOptional, check, errno } = binding
  const nameToHandle = bindOptional('name_to_handle_at', 'int', ['int', 'pointer', 'pointer', 'pointer', 'int'])
  const ioctl = bind('ioctl', 'int', ['int', 'size', 'pointer'])
  const { bytes, address } = memory
  return {
    fileHandle(fd) {
      // Mount id, then struct file_handle (uint32 size, int32 type, bytes), then an empty path.
      const [handleAt, pathAt] = [8, 16 + largestHandleBytes]
      bytes.fill(0, 0, pathAt + 1)
      bytes.writeUInt32LE(largestHandleBytes, handleAt)
      const result = nameToHandle(fd, address + pathAt, address + handleAt, address, AT_EMPTY_PATH)
      if (result < 0 && errno() === errnoOf.EOPNOTSUPP) return null
      check(result, 'name_to_handle_at')
      const start = handleAt + 8
      return {
        type: bytes.readInt32LE(handleAt + 4),
        bytes: new Uint8Array(bytes.subarray(start, start + bytes.readUInt32LE(handleAt))),
        mountID: bytes.readInt32LE(0),
      }
    },
    inodeFlags(fd) {
      bytes.fill(0, 0, 8)
      return ioctl(fd, FS_IOC_GETFLAGS, address) < 0 ? null : bytes.readUInt32LE(0)
    },
  }
}

/** `e overlay: …`: the letter is the severity. ENODATA when there are no more. */
function readMessages(fd: number): string[] {
  const messages: string[] = []
  const buffer = Buffer.alloc(4096)
  for (;;) {
    try {
      const length = fs.readSync(fd, buffer)
      if (length === 0) return messages
      messages.push(
        decodeName(buffer, 0, length)
          .trim()
          .replace(/^[ewi] /, ''),
      )
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENODATA') return messages
      // A message that does not fit: the next one may.
      if ((error as NodeJS.ErrnoException).code !== 'EMSGSIZE') throw error
    }
  }
}
