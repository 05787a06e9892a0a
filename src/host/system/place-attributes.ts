import { FsError } from '../../errors/index.ts'
import { errnoOf } from './system-error.ts'
import { kernelBufferBytes, type KernelMemory, splitNames } from './kernel-memory.ts'
import type { Place } from './place-calls.ts'

/**
 * Extended attributes of an object at a place, of a symlink itself. By the calls of Linux 6.13 (getxattrat and its
 * like), before it by paths through /proc/self/fd, which take twice the time (1.4 against 3.7 us for an attribute that
 * is not there). Errors: FsError.
 */
export type PlaceAttributeCalls = {
  /** Null: no such attribute. */
  getxattrat(place: Place, name: string): Uint8Array | null
  setxattrat(place: Place, name: string, how: { readonly value: Uint8Array; readonly flags: number }): void
  removexattrat(place: Place, name: string): void
  /** In the kernel's order. */
  listxattrat(place: Place): string[]
  /** False where there surely are none: of a name in an open directory that lies in memory. */
  mayHaveXattrs(fd: number, nameAddress: number): boolean
}

/** The same on every architecture. */
const numbers = { set: 463, get: 464, list: 465, remove: 466 } as const
const AT_SYMLINK_NOFOLLOW = 0x100

/** The four calls, one below the other: length or negative result of each. The value is in the memory. */
type RawCalls = {
  get(place: Place, name: string, sizeBytes: number): number
  set(place: Place, name: string, lengthBytes: number, flags: number): number
  remove(place: Place, name: string): number
  list(place: Place, sizeBytes: number): number
  /** The length of the list alone; null where the kernel has no call for it. */
  readonly listLength: ((fd: number, nameAddress: number) => number) | null
}

/** Binds the calls. */
export function placeAttributeCalls(memory: KernelMemory): PlaceAttributeCalls {
  const { ask, check, errno, buffer } = memory
  const raw = rawCalls(memory)
  return {
    getxattrat(place, name) {
      const length = ask(sizeBytes => raw.get(place, name, sizeBytes))
      if (length < 0 && errno() === errnoOf.ENODATA) return null
      return new Uint8Array(buffer.subarray(0, check(length, 'getxattr')))
    },
    setxattrat(place, name, { value, flags }) {
      if (value.length > kernelBufferBytes) throw new FsError('E2BIG', 'setxattr')
      buffer.set(value)
      check(raw.set(place, name, value.length, flags), 'setxattr')
    },
    removexattrat: (place, name) => void check(raw.remove(place, name), 'removexattr'),
    listxattrat(place) {
      const length = ask(sizeBytes => raw.list(place, sizeBytes))
      return splitNames(buffer.subarray(0, check(length, 'listxattr')))
    },
    mayHaveXattrs: (fd, nameAddress) => raw.listLength === null || raw.listLength(fd, nameAddress) !== 0,
  }
}

/** By place where the kernel can, through /proc for descriptors themselves: they may be of O_PATH. */
function rawCalls(memory: KernelMemory): RawCalls {
  const byPlace = callsByPlace(memory)
  if (byPlace === null) return callsByPath(memory)
  let byPath: RawCalls | null = null
  const of = ({ name }: Place): RawCalls => (name === '' ? (byPath ??= callsByPath(memory)) : byPlace)
  return {
    get: (place, name, sizeBytes) => of(place).get(place, name, sizeBytes),
    set: (place, name, lengthBytes, flags) => of(place).set(place, name, lengthBytes, flags),
    remove: (place, name) => of(place).remove(place, name),
    list: (place, sizeBytes) => of(place).list(place, sizeBytes),
    listLength: byPlace.listLength,
  }
}

/** Null where the kernel has no such calls, or a sandbox forbids them. */
function callsByPlace({ bind, path: put, errno, pointerTo, address }: KernelMemory): RawCalls | null {
  const withValue = bind('syscall', 'long', ['long', 'int', 'pointer', 'uint', 'pointer', 'pointer', 'size'])
  const list = bind('syscall', 'long', ['long', 'int', 'pointer', 'uint', 'pointer', 'size'])
  const remove = bind('syscall', 'long', ['long', 'int', 'pointer', 'uint', 'pointer'])
  // struct xattr_args: address of the value, its size, flags
  const bytes = Buffer.alloc(16)
  const argumentsPointer = pointerTo(bytes)
  bytes.writeBigUInt64LE(BigInt(address), 0)
  const call = (number: number, { fd, name }: Place, attribute: string): number => {
    const [path, key] = [put('xattr', name), put('xattr', attribute, 1)]
    return withValue(number, fd, path, AT_SYMLINK_NOFOLLOW, key, argumentsPointer, bytes.length)
  }
  const calls: RawCalls = {
    get(place, name, sizeBytes) {
      bytes.writeUInt32LE(sizeBytes, 8)
      bytes.writeUInt32LE(0, 12)
      return call(numbers.get, place, name)
    },
    set(place, name, lengthBytes, flags) {
      bytes.writeUInt32LE(lengthBytes, 8)
      bytes.writeUInt32LE(flags, 12)
      return call(numbers.set, place, name)
    },
    remove({ fd, name }, attribute) {
      return remove(numbers.remove, fd, put('xattr', name), AT_SYMLINK_NOFOLLOW, put('xattr', attribute, 1))
    },
    list: ({ fd, name }, sizeBytes) =>
      list(numbers.list, fd, put('xattr', name), AT_SYMLINK_NOFOLLOW, address, sizeBytes),
    listLength: (fd, nameAddress) => list(numbers.list, fd, nameAddress, AT_SYMLINK_NOFOLLOW, 0, 0),
  }
  calls.get({ fd: -1, name: 'a' }, 'user.a', 0)
  return errno() === errnoOf.EBADF ? calls : null
}

/** Through /proc: the calls that follow for a descriptor, whose link leads to its object, the others for a name in it. */
function callsByPath({ bind, path: put, address }: KernelMemory): RawCalls {
  const bound = (prefix: 'l' | '') => ({
    get: bind(`${prefix}getxattr`, 'long', ['pointer', 'pointer', 'pointer', 'size']),
    set: bind(`${prefix}setxattr`, 'int', ['pointer', 'pointer', 'pointer', 'size', 'int']),
    remove: bind(`${prefix}removexattr`, 'int', ['pointer', 'pointer']),
    list: bind(`${prefix}listxattr`, 'long', ['pointer', 'pointer', 'size']),
  })
  const [itself, inside] = [bound(''), bound('l')]
  const of = ({ name }: Place): typeof itself => (name === '' ? itself : inside)
  const path = ({ fd, name }: Place): number => put('xattr', `/proc/self/fd/${fd}${name === '' ? '' : '/'}${name}`)
  return {
    get: (place, name, sizeBytes) => of(place).get(path(place), put('xattr', name, 1), address, sizeBytes),
    set: (place, name, lengthBytes, flags) =>
      of(place).set(path(place), put('xattr', name, 1), address, lengthBytes, flags),
    remove: (place, name) => of(place).remove(path(place), put('xattr', name, 1)),
    list: (place, sizeBytes) => of(place).list(path(place), address, sizeBytes),
    listLength: null,
  }
}
