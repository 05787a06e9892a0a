// Paths of the tree as system calls take them: byte-exact, relative to the root, and of any length.

import * as fs from 'node:fs'
import { hostPath } from '../host/index.ts'
import { type LayerPath, nameByteLength } from '../path/index.ts'

// Just below PATH_MAX (4096), with room for "/proc/self/fd/N/" and one more name of 255 bytes.
const longestPath = 3800
const openPath = 0o10000000 // O_PATH: needs no permission on the directory itself

/** Turns paths of the tree into paths for system calls. `prefix` is '' when the thread's working directory is the root. */
export class HostPaths {
  readonly #prefix: string
  /** The last deep directory that was opened: the entries of a directory come together. */
  #deep: { readonly directory: LayerPath; readonly fd: number } | null = null

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** For node:fs: a string, or bytes where the name is no UTF-8. */
  of(path: LayerPath): string | Buffer {
    return hostPath(this.name(path))
  }

  /** For `System`: an ovl name. */
  name(path: LayerPath): string {
    const full = path === '' ? this.#prefix || '.' : this.#prefix + path
    // A string has at most three bytes a code unit.
    if (full.length * 3 <= longestPath || nameByteLength(full) <= longestPath) return full
    return this.#throughDescriptor(path)
  }

  close(): void {
    if (this.#deep !== null) fs.closeSync(this.#deep.fd)
    this.#deep = null
  }

  /** Longer than PATH_MAX: the directory is opened step by step, and the last name is taken relative to it. */
  #throughDescriptor(path: LayerPath): string {
    const slash = path.lastIndexOf('/')
    const directory = path.slice(0, slash)
    if (this.#deep?.directory !== directory) {
      this.close()
      this.#deep = { directory, fd: this.#openDeep(directory) }
    }
    return `/proc/self/fd/${this.#deep.fd}/${path.slice(slash + 1)}`
  }

  #openDeep(directory: LayerPath): number {
    const flags = openPath | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW
    let fd = fs.openSync(this.#prefix || '.', openPath | fs.constants.O_DIRECTORY)
    for (const step of splitPath(directory)) {
      try {
        const next = fs.openSync(hostPath(`/proc/self/fd/${fd}/${step}`), flags)
        fs.closeSync(fd)
        fd = next
      } catch (error) {
        fs.closeSync(fd)
        throw error
      }
    }
    return fd
  }
}

/** Gives the file `target` of the tree below `prefix` another name. Errors: those of node:fs. */
export function linkFile(prefix: string, target: LayerPath, name: string | Buffer): void {
  // Of its own: each HostPaths keeps one deep directory open, and two deep paths at once need two.
  const paths = new HostPaths(prefix)
  try {
    fs.linkSync(paths.of(target), name)
  } finally {
    paths.close()
  }
}

/** Pieces of a path, each short enough for one open(2). */
function splitPath(path: LayerPath): string[] {
  const pieces: string[] = []
  let piece = ''
  for (const name of path.split('/')) {
    const longer = piece === '' ? name : `${piece}/${name}`
    if (nameByteLength(longer) > longestPath) {
      pieces.push(piece)
      piece = name
    } else piece = longer
  }
  return [...pieces, piece]
}
