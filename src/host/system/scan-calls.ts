// Reading whole trees: each call is made as often as there are files, so names stay where the kernel put them and
// nothing is made that is not asked for. Everything is relative to an open directory; no symlink is followed.
import { decodeName } from '../../path/index.ts'
import { type Binding, openBinding } from './binding.ts'
import { lseekCall } from './descriptor-calls.ts'
import { kernelBufferBytes, type KernelMemory, kernelMemory } from './kernel-memory.ts'
import { type PlaceAttributeCalls, placeAttributeCalls } from './place-attributes.ts'
import { beneathOpener, numbersHere, type PlaceCalls, readlinkCall } from './place-calls.ts'
import { errnoOf } from './system-error.ts'

/** Fields of struct statx, read where they lie: the next call overwrites them. */
export type StatxFields = {
  /** With type bits. */
  readonly mode: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number
  readonly mtimeSec: number
  readonly mtimeNsec: number
  readonly rdevMajor: number
  readonly rdevMinor: number
  /** Equal for the names of one object of the machine. */
  readonly identity: string
}

/** Calls for reading files. Errors: FsError. */
export type ReadCalls = Pick<PlaceCalls, 'openBeneath'> & {
  /** openat(2) of a name, never of a symlink's target. */
  open(directory: number, name: string, flags: number): number
  /** pread(2) into bytes from `start` on. */
  pread(fd: number, target: Uint8Array, position: number): number
  /** sendfile(2) from where `from` stands to where `to` stands; returns how many bytes it copied, 0 at the end. */
  sendfile(to: number, from: number, count: number): number
  close(fd: number): void
}

/** Calls for reading trees. Errors: FsError. */
export type ScanCalls = ReadCalls &
  Pick<PlaceCalls, 'listxattrat' | 'getxattrat' | 'readlink' | 'lseek'> & {
    /** Calls `found` for every name of a directory that is open for reading, "." and ".." left out. */
    scan(directory: number, found: Found): void
    /** Null: no such name. '' is the directory itself. */
    stat(directory: number, name: string): StatxFields | null
  }

/** Takes a name of a directory; without `mayHaveXattrs` it has no extended attributes. */
type Found = (name: string, stat: StatxFields, mayHaveXattrs: boolean) => void

let loaded: ScanCalls | null | undefined

/** The calls, or null without koffi. Cached, once for each thread. */
export function loadScanCalls(): ScanCalls | null {
  if (loaded === undefined) {
    const binding = openBinding()
    loaded = binding === null ? null : scanCalls(binding)
  }
  return loaded
}

/** Those that a thread needs which reads files; binding the others takes milliseconds. Null without koffi. */
export function loadReadCalls(): ReadCalls | null {
  const binding = openBinding()
  return binding === null ? null : readCalls(binding, kernelMemory(binding, { strange: 'EIO' }))
}

function scanCalls(binding: Binding): ScanCalls {
  const memory = kernelMemory(binding, { strange: 'EIO' })
  const attributes = placeAttributeCalls(memory)
  return {
    ...readCalls(binding, memory),
    ...attributes,
    readlink: readlinkCall(memory),
    lseek: lseekCall(memory),
    ...scanning(binding, attributes),
  }
}

const AT_SYMLINK_NOFOLLOW = 0x100
const AT_NO_AUTOMOUNT = 0x800
const AT_EMPTY_PATH = 0x1000
const STATX_BASIC_STATS = 0x7ff
const O_NOFOLLOW = 0o400000
const O_CLOEXEC = 0o2000000
/** Where the name begins in struct linux_dirent64, and its length in. */
const [nameAt, lengthAt] = [19, 16]
const dot = 0x2e

function scanning(
  binding: Binding,
  attributes: Pick<PlaceAttributeCalls, 'mayHaveXattrs'>,
): Pick<ScanCalls, 'scan' | 'stat'> {
  // Memory of its own: names stay in it while the caller asks for other things.
  const { bind, path: put, check, errno, buffer: names, address } = kernelMemory(binding, { strange: 'EIO' })
  const { getdents64, statx: statxNumber } = numbersHere
  const getdents = bind('syscall', 'long', ['long', 'int', 'pointer', 'size'])
  const statx = bind('syscall', 'long', ['long', 'int', 'pointer', 'int', 'uint', 'pointer'])
  const answer = new Uint8Array(new ArrayBuffer(256))
  const answerAddress = binding.pointerTo(answer)
  const fields = new StatxMemory(answer)
  const flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT
  /** False: no such name, or no longer. */
  const ask = (fd: number, name: number, more: number): boolean => {
    const result = statx(statxNumber, fd, name, flags | more, STATX_BASIC_STATS, answerAddress)
    if (result < 0 && errno() === errnoOf.ENOENT) return false
    check(result, 'statx')
    return true
  }
  return {
    stat: (fd, name) => (ask(fd, put('statx', name), name === '' ? AT_EMPTY_PATH : 0) ? fields : null),
    scan(fd, found) {
      for (;;) {
        const length = check(getdents(getdents64, fd, address, kernelBufferBytes), 'getdents64')
        if (length === 0) return
        for (let at = 0; at < length; at += lengthOf(names, at)) {
          const start = at + nameAt
          const end = names.indexOf(0, start)
          if (isDots(names, start, end)) continue
          if (!ask(fd, address + start, 0)) continue
          found(decodeName(names, start, end), fields, attributes.mayHaveXattrs(fd, address + start))
        }
      }
    },
  }
}

function lengthOf(entries: Uint8Array, at: number): number {
  return (entries[at + lengthAt] as number) | ((entries[at + lengthAt + 1] as number) << 8)
}

function isDots(names: Uint8Array, start: number, end: number): boolean {
  return names[start] === dot && (end - start === 1 || (end - start === 2 && names[start + 1] === dot))
}

function readCalls(binding: Binding, memory: KernelMemory): ReadCalls {
  const { bind, path: put, check } = memory
  const addressOf = rememberAddress(binding)
  const open = bind('openat', 'int', ['int', 'pointer', 'int', 'uint'])
  const pread = bind('pread', 'long', ['int', 'pointer', 'size', 'offset'])
  const sendfile = bind('sendfile', 'long', ['int', 'int', 'pointer', 'size'])
  const close = bind('close', 'int', ['int'])
  return {
    openBeneath: beneathOpener(memory),
    open: (fd, name, flags) => check(open(fd, put('open', name), flags | O_NOFOLLOW | O_CLOEXEC, 0), 'open'),
    pread: (fd, target, position) => check(pread(fd, addressOf(target), target.length, position), 'read'),
    sendfile: (to, from, count) => check(sendfile(to, from, 0, count), 'sendfile'),
    close: fd => void close(fd),
  }
}

/** Reads go into parts of few buffers: to ask for an address costs as much as the call. */
function rememberAddress({ pointerTo }: Binding): (bytes: Uint8Array) => number {
  let buffer: ArrayBufferLike | null = null
  let address = 0
  return bytes => {
    if (bytes.buffer !== buffer) {
      buffer = bytes.buffer
      address = pointerTo(new Uint8Array(buffer))
    }
    return address + bytes.byteOffset
  }
}

/** struct statx, in words: all machines that koffi runs on are little-endian. */
class StatxMemory implements StatxFields {
  readonly #words: Uint32Array

  constructor(memory: Uint8Array) {
    this.#words = new Uint32Array(memory.buffer)
  }

  get mode(): number {
    return this.#word(28) & 0xffff
  }
  get nlink(): number {
    return this.#word(16)
  }
  get uid(): number {
    return this.#word(20)
  }
  get gid(): number {
    return this.#word(24)
  }
  get sizeBytes(): number {
    return this.#word(40) + this.#word(44) * 2 ** 32
  }
  get mtimeSec(): number {
    return this.#word(112) + (this.#word(116) | 0) * 2 ** 32
  }
  get mtimeNsec(): number {
    return this.#word(120)
  }
  get rdevMajor(): number {
    return this.#word(128)
  }
  get rdevMinor(): number {
    return this.#word(132)
  }
  get identity(): string {
    return `${this.#word(136)}:${this.#word(140)}:${this.#word(36)}:${this.#word(32)}`
  }

  #word(offset: number): number {
    return this.#words[offset / 4] as number
  }
}
