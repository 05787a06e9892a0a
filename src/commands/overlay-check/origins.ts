// Whether the files that overlay.origin and the names of index entries speak of are still there.
import fs from 'node:fs'
import { isCode } from '../../errors/index.ts'
import { hostPath, type System } from '../../host/index.ts'
import { parseOrigin } from '../../overlay/index.ts'

/** Finds lower files by their stored handles. */
export type OriginFinder = {
  /** Null when it cannot be told: without CAP_DAC_READ_SEARCH, or on a file system without handles. */
  readonly exists: (origin: Uint8Array) => boolean | null
  readonly close: () => void
}

/** Opens the lower directories, for `exists` to look in their file systems. */
export function openOriginFinder(lower: readonly string[], system: System): OriginFinder {
  const fds: number[] = []
  const devices = new Set<number>()
  for (const directory of lower) {
    const fd = fs.openSync(hostPath(directory), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
    const { dev } = fs.fstatSync(fd)
    if (devices.has(dev)) fs.closeSync(fd)
    else fds.push(fd)
    devices.add(dev)
  }
  return {
    exists(origin) {
      const handle = parseOrigin(origin)
      if (handle === null || handle === 'unknown') return null
      const verdicts = fds.map(fd => opens(fd, handle, system))
      return verdicts.includes(true) ? true : verdicts.includes(null) ? null : false
    },
    close() {
      for (const fd of fds.splice(0)) fs.closeSync(fd)
    },
  }
}

type Handle = { readonly type: number; readonly bytes: Uint8Array }

function opens(fd: number, handle: Handle, system: System): boolean | null {
  try {
    fs.closeSync(system.openByHandle(fd, handle))
    return true
  } catch (error) {
    // EINVAL and EOVERFLOW: a handle of another kind of file system.
    if (['ESTALE', 'ENOENT', 'EINVAL', 'EOVERFLOW'].some(code => isCode(error, code))) return false
    if (['EPERM', 'ENOTSUP', 'ENOSYS', 'EACCES'].some(code => isCode(error, code))) return null
    throw error
  }
}
