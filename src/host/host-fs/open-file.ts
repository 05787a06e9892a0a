// Open regular files. They are opened by name with O_NOFOLLOW and O_NONBLOCK (a FIFO that has taken the name must not
// hold the process up), and only used when the descriptor shows the object that was meant; truncating is left to `change`.
import fs from 'node:fs'
import { FsError, isErrno } from '../../errors/index.ts'
import { copiedRanges, type InodeFile, O_ACCMODE, O_APPEND, O_NOATIME, O_RDWR, O_WRONLY } from '../../fs/index.ts'
import { hostRefusal } from './host-refusal.ts'
import type { HostInode, OpenDescriptor } from './host-inode.ts'
import { checkIdentity, type Host, isByName, placeOf } from './places.ts'

const { O_NONBLOCK } = fs.constants

/** `flags` as of `SuperBlock.openFile`. */
type OpenOptions = { readonly flags: number; readonly onClose: (file: HostFile) => void }

/** Opens the file of a node. Errors: those of open(2), ENOENT and ESTALE for a node that leads elsewhere. */
export function openFile(host: Host, node: HostInode, options: OpenOptions): HostFile {
  const { flags, onClose } = options
  const wanted = (flags & (O_ACCMODE | O_APPEND | O_NOATIME)) | O_NONBLOCK
  const fd = host.descriptors.withRoom(() => openNode(host, node, wanted))
  try {
    checkIdentity(node, host.calls.identify({ fd, name: '' }))
  } catch (error) {
    fs.closeSync(fd)
    throw error
  }
  const file = new HostFile(host, node, { fd, isWritable: isWritable(flags), onClose })
  node.open = [...node.open, file]
  return file
}

/** Access mode 3 is for neither reading nor writing. */
function isWritable(flags: number): boolean {
  const mode = flags & O_ACCMODE
  return mode === O_WRONLY || mode === O_RDWR
}

function openNode(host: Host, node: HostInode, flags: number): number {
  const place = placeOf(host, node)
  try {
    return isByName(place) ? host.calls.openat(place, flags) : host.calls.reopen(place.fd, flags)
  } catch (error) {
    // Only the owner may leave access times alone.
    if (!isErrno(error, 'EPERM') || (flags & O_NOATIME) === 0) throw error
    return openNode(host, node, flags & ~O_NOATIME)
  }
}

type Opened = { readonly fd: number; readonly isWritable: boolean; readonly onClose: (file: HostFile) => void }

/** An open regular file of the host. */
export class HostFile implements InodeFile, OpenDescriptor {
  readonly fd: number
  readonly isWritable: boolean
  readonly isPath = false
  readonly #host: Host
  readonly #node: HostInode
  readonly #onClose: (file: HostFile) => void
  #isOpen = true

  constructor(host: Host, node: HostInode, open: Opened) {
    this.#host = host
    this.#node = node
    this.fd = open.fd
    this.isWritable = open.isWritable
    this.#onClose = open.onClose
  }

  read(target: Uint8Array, position: number): number {
    return transfer(target.length, done => fs.readSync(this.#fd(), target, done, target.length - done, position + done))
  }

  write(source: Uint8Array, position: number): number {
    return transfer(source.length, done =>
      fs.writeSync(this.#fd(), source, done, source.length - done, position + done),
    )
  }

  sync(): void {
    this.#host.calls.fsync(this.#fd())
  }

  seekData(position: number): number {
    return this.#host.calls.lseek(this.#fd(), position, 3)
  }

  seekHole(position: number): number {
    return this.#host.calls.lseek(this.#fd(), position, 4)
  }

  allocate(mode: number, position: number, lengthBytes: number): void {
    this.#host.calls.fallocate(this.#fd(), mode, { position, lengthBytes })
  }

  /** Of another host file: all blocks shared where the file system can, else copied inside the kernel. */
  copyFrom(source: InodeFile, lengthBytes: number): boolean {
    if (!(source instanceof HostFile)) return false
    const [from, to] = [source.#fd(), this.#fd()]
    return this.#clone(source) || copyData(this.#host, { from, to, lengthBytes })
  }

  /** File systems that have refused are not asked again. */
  #clone(source: HostFile): boolean {
    const { dev } = this.#node
    if (source.#node.dev !== dev || withoutClones.has(dev)) return false
    if (this.#host.calls.clone(source.fd, this.fd)) return true
    withoutClones.add(dev)
    return false
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#node.open = this.#node.open.filter(open => open !== this)
    this.#onClose(this)
    fs.closeSync(this.fd)
  }

  #fd(): number {
    if (!this.#isOpen) throw new FsError('EBADF', 'read')
    return this.fd
  }
}

/** read(2) and write(2) may do less than they are asked for. Errors: of the first call that does nothing. */
function transfer(lengthBytes: number, step: (done: number) => number): number {
  let done = 0
  while (done < lengthBytes) {
    try {
      const moved = step(done)
      if (moved === 0) break
      done += moved
    } catch (error) {
      // What was written before the disk was full counts.
      if (done > 0) break
      throw hostRefusal(error, 'read')
    }
  }
  return done
}

/** Devices on which blocks cannot be shared. */
const withoutClones = new Set<number>()
/** Up to here one read and one write are faster than finding the data and having it copied. */
const smallBytes = 128 << 10

type Copy = { readonly from: number; readonly to: number; readonly lengthBytes: number }

/** False when the kernel does not copy between these files; nothing has been written then. */
function copyData({ calls }: Host, { from, to, lengthBytes }: Copy): boolean {
  if (lengthBytes <= smallBytes) return false
  for (const { start, end } of copiedRanges(lengthBytes, position => nextData(calls.lseek, from, position))) {
    for (let position = start; position < end; ) {
      const copied = calls.copyRange(from, to, { position, lengthBytes: end - position })
      if (copied === null) return false
      if (copied === 0) return true // the source became shorter
      position += copied
    }
  }
  return true
}

function nextData(lseek: Host['calls']['lseek'], fd: number, position: number): number | null {
  try {
    return lseek(fd, position, 3)
  } catch (error) {
    if (isErrno(error, 'ENXIO')) return null // only a hole is left
    throw error
  }
}
