// Removes a tree whatever is in it, as `rm -rf` should: names of any bytes, directories without permissions, paths
// beyond PATH_MAX, another process that swaps a directory for a symlink meanwhile. Everything is done relative to open
// directories. Too deep directories are moved up to the top of the tree first, so few descriptors are open at a time.
import fs from 'node:fs'
import path from 'node:path'
import { type DirectoryCalls, descriptorPath, directoryCalls, lookupFlags } from './directory-calls.ts'
import { hostPath, ovlName } from './host-path.ts'
import { isInside, readMounts } from './mounts.ts'

/** What `removeTree` did. */
export type Removal = {
  /** Names removed, directories included. */
  readonly removed: number
  /** What is still there, with the reason: errno names, and 'mount' for a directory where something is mounted. */
  readonly kept: readonly { readonly path: string; readonly reason: string }[]
  /** Failures beyond those listed in `kept`; one name may count more than once. */
  readonly keptMore: number
}

/**
 * Removes a file or a directory with everything below it. A path that does not exist is fine. Directories where
 * something is mounted stay, with what is mounted; so does what this user may not remove. Works in slices of some
 * milliseconds, so the event loop stays alive.
 *
 * Errors: those of node:fs when the path itself cannot be looked at.
 */
export async function removeTree(name: string, options: { readonly only?: 'system' | 'proc' } = {}): Promise<Removal> {
  const top = fs.lstatSync(hostPath(name), { throwIfNoEntry: false })
  if (top === undefined) return { removed: 0, kept: [], keptMore: 0 }
  if (!top.isDirectory()) {
    fs.unlinkSync(hostPath(name))
    return { removed: 1, kept: [], keptMore: 0 }
  }
  if (isRemovedEmpty(name)) return { removed: 1, kept: [], keptMore: 0 }
  if (process.platform === 'linux') return await new TreeRemover(name, top.dev, directoryCalls(options.only)).run()
  await fs.promises.rm(hostPath(name), { recursive: true, force: true })
  return { removed: 1, kept: [], keptMore: 0 }
}

/** What is empty needs none of the calls below, whose loading takes longer than they. */
function isRemovedEmpty(name: string): boolean {
  try {
    fs.rmdirSync(hostPath(name))
    return true
  } catch {
    return false // something is in it, or mounted on it, or it may not be removed: the long way says which
  }
}

/** Directories open at a time; deeper ones are moved up. */
const depthLimit = 32
const sliceMs = 8
/** Names read from a directory before they are removed. */
const batchNames = 1024
const keptLimit = 1000

/** A directory on the way down. */
type Place = {
  readonly fd: number
  /** Where it was when the run began: for messages, and to recognise mount points. */
  readonly path: string
  readonly depth: number
}

class TreeRemover {
  readonly #name: string
  readonly #device: number
  readonly #calls: DirectoryCalls
  /** Mount points in the tree, by real path. */
  #mountPoints: ReadonlySet<string> = new Set()
  #realTop = ''
  #topFd = -1
  /** Directories that were moved up: their name at the top, and where they came from. */
  readonly #moved = new Map<string, string>()
  #movedCount = 0
  #removed = 0
  /** Grows with everything that changes the tree: a pass without a change is the last. */
  #changes = 0
  /** Reason by path below the top; '' is the top. */
  readonly #kept = new Map<string, string>()
  #keptMore = 0
  #sliceEnd = performance.now() + sliceMs

  constructor(name: string, device: number, calls: DirectoryCalls) {
    this.#name = name
    this.#device = device
    this.#calls = calls
  }

  async run(): Promise<Removal> {
    this.#topFd = fs.openSync(hostPath(this.#name), lookupFlags)
    try {
      this.#realTop = ovlName(fs.readlinkSync(descriptorPath(this.#topFd), { encoding: 'buffer' }))
      const points = readMounts().map(({ mountPoint }) => mountPoint)
      this.#mountPoints = new Set(points.filter(point => isInside(point, this.#realTop)))
      if (this.#mountPoints.has(this.#realTop)) this.#keep('', 'mount')
      else await this.#empty({ fd: this.#topFd, path: '', depth: 0 })
    } catch (error) {
      this.#failed('', error)
    } finally {
      fs.closeSync(this.#topFd)
    }
    if (this.#kept.size === 0) this.#attempt('', () => fs.rmdirSync(hostPath(this.#name)))
    const kept = [...this.#kept].map(([at, reason]) => ({
      path: at === '' ? this.#name : path.join(this.#name, at),
      reason,
    }))
    return { removed: this.#removed, kept, keptMore: this.#keptMore }
  }

  /** Removes everything in a directory; again as long as names appear (moved up, or made by others) and go. */
  async #empty(place: Place): Promise<void> {
    this.#openUp(place)
    for (;;) {
      const before = this.#changes
      for (const batch of readBatches(place.fd)) {
        for (const { name, isDirectory } of batch) {
          await this.#remove(place, name, isDirectory)
        }
      }
      if (this.#changes === before) return
    }
  }

  async #remove(parent: Place, name: string, isDirectory: boolean): Promise<void> {
    if (performance.now() >= this.#sliceEnd) await this.#breathe()
    const at = this.#pathOf(parent, name)
    if (this.#mountPoints.has(`${this.#realTop}/${at}`)) return this.#keep(at, 'mount')
    if (!isDirectory) {
      const code = this.#attempt(at, () => this.#calls.unlink(parent.fd, name), 'EISDIR')
      if (code !== 'EISDIR') return
    }
    if (parent.depth === depthLimit) this.#moveUp(parent, name, at)
    else await this.#removeDirectory(parent, name, at)
  }

  async #removeDirectory(parent: Place, name: string, at: string): Promise<void> {
    let fd: number
    try {
      fd = this.#calls.open(parent.fd, name)
    } catch (error) {
      return this.#failed(at, error)
    }
    try {
      // Also a mount that came after the run began, unless it is of the same file system.
      if (fs.fstatSync(fd).dev !== this.#device) return this.#keep(at, 'mount')
      await this.#empty({ fd, path: at, depth: parent.depth + 1 })
    } catch (error) {
      return this.#failed(at, error)
    } finally {
      fs.closeSync(fd)
    }
    const code = this.#attempt(at, () => this.#calls.rmdir(parent.fd, name), 'ENOTEMPTY')
    // Of a directory that holds what is kept, only that is told.
    if (code === 'ENOTEMPTY' && ![...this.#kept.keys()].some(kept => isInside(kept, at))) this.#keep(at, code)
  }

  /** Moves a directory to the top of the tree, where the pass that is running, or the next one, meets it. */
  #moveUp(parent: Place, name: string, at: string): void {
    for (;;) {
      const target = `.ovl-removing-${this.#movedCount++}`
      try {
        this.#openUpChild(parent, name)
        this.#calls.rename(parent.fd, name, this.#topFd, target)
        this.#moved.set(target, at)
        this.#changes++
        return
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code !== 'EEXIST' && code !== 'ENOTEMPTY' && code !== 'ENOTDIR') return this.#failed(at, error)
      }
    }
  }

  /** An ordinary user must be able to read, search and change a directory to empty it. */
  #openUp({ fd }: Place): void {
    const { mode } = fs.fstatSync(fd)
    if ((mode & 0o700) === 0o700) return
    try {
      fs.chmodSync(descriptorPath(fd), 0o700)
    } catch (error) {
      // Somebody else's directory, or nothing can be changed here: what can be removed will show.
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EPERM' && code !== 'EROFS') throw error
    }
  }

  /** A directory that changes its parent must be writable itself. */
  #openUpChild(parent: Place, name: string): void {
    const fd = this.#calls.open(parent.fd, name)
    try {
      this.#openUp({ fd, path: '', depth: 0 })
    } finally {
      fs.closeSync(fd)
    }
  }

  #pathOf(parent: Place, name: string): string {
    if (parent.depth > 0) return `${parent.path}/${name}`
    return this.#moved.get(name) ?? name
  }

  /** Runs a removal; returns the errno name of a failure, which is recorded unless it is the one expected. */
  #attempt(at: string, removal: () => void, expected?: string): string | null {
    try {
      removal()
      this.#removed++
      this.#changes++
      this.#kept.delete(at)
      return null
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === undefined) throw error
      if (code !== expected) this.#failed(at, error)
      return code
    }
  }

  #failed(at: string, error: unknown): void {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    // Gone already: somebody else removed it.
    if (code !== 'ENOENT') this.#keep(at, code)
  }

  #keep(at: string, reason: string): void {
    if (this.#kept.size < keptLimit || this.#kept.has(at)) this.#kept.set(at, reason)
    else this.#keptMore++
  }

  async #breathe(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
    this.#sliceEnd = performance.now() + sliceMs
  }
}

type Name = { readonly name: string; readonly isDirectory: boolean }

/** The names in a directory, in batches: a directory may hold millions. */
function* readBatches(fd: number): Generator<Name[], void, void> {
  const directory = fs.opendirSync(descriptorPath(fd), { encoding: 'buffer' as BufferEncoding, bufferSize: batchNames })
  try {
    let batch: Name[] = []
    for (;;) {
      const entry = directory.readSync()
      if (entry === null) break
      // File systems that do not tell types say neither: unlink finds out.
      batch.push({ name: ovlName(entry.name as unknown as Buffer), isDirectory: entry.isDirectory() })
      if (batch.length === batchNames) {
        yield batch
        batch = []
      }
    }
    if (batch.length > 0) yield batch
  } finally {
    directory.closeSync()
  }
}
