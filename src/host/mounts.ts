// The mounts this thread sees, from /proc/thread-self/mountinfo (proc_pid_mountinfo(5)): what a path lies on, and what
// must not be touched because something else is mounted there.
import fs from 'node:fs'
import { decodeName } from '../path/index.ts'

/** One mount. Paths are ovl names. */
export type Mount = {
  readonly id: number
  readonly parentId: number
  /** "major:minor" of the file system; btrfs shows one number here and others in st_dev. */
  readonly device: string
  /** The directory of the file system that is mounted: "/" unless it is a bind mount. */
  readonly root: string
  readonly mountPoint: string
  /** Per-mount options: "rw", "nosuid", … */
  readonly options: readonly string[]
  /** Tagged fields such as "shared:1". */
  readonly tags: readonly string[]
  readonly type: string
  /** Device, name or whatever the mounter gave: "/dev/vda", "tmpfs", "overlay". */
  readonly source: string
  /** Per-file-system options, such as an overlay's lowerdir=…, one each. */
  readonly superOptions: readonly string[]
}

/** All mounts that the calling thread sees, in mount order; empty where /proc does not tell (other systems). */
export function readMounts(): readonly Mount[] {
  try {
    // A worker thread may have a mount namespace of its own, which /proc/self does not show.
    return parseMounts(fs.readFileSync('/proc/thread-self/mountinfo'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Parses mountinfo; lines of another form are left out. */
export function parseMounts(content: Uint8Array): readonly Mount[] {
  // latin1 keeps every byte until the octal escapes are undone.
  const lines = Buffer.from(content).toString('latin1').split('\n')
  return lines.flatMap(line => parseLine(line) ?? [])
}

/** The mount that a path lies on: of an absolute path without symlinks ("realpath"). */
export function findMount(mounts: readonly Mount[], realPath: string): Mount | undefined {
  let found: Mount | undefined
  for (const mount of mounts) {
    // Of several mounts over each other the last one is on top.
    const longer = found === undefined || mount.mountPoint.length >= found.mountPoint.length
    if (longer && isInside(realPath, mount.mountPoint)) found = mount
  }
  return found
}

/** True when `path` is `directory` or below it; both absolute and clean. */
export function isInside(path: string, directory: string): boolean {
  if (directory === '/') return true
  return path.startsWith(directory) && (path.length === directory.length || path[directory.length] === '/')
}

/** `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue` */
function parseLine(line: string): Mount | undefined {
  const fields = line.split(' ')
  const separator = fields.indexOf('-', 6)
  if (separator < 0 || fields.length < separator + 4) return undefined
  const [id, parentId, device = '', root = '', mountPoint = '', options = ''] = fields
  const [type = '', source = '', superOptions = ''] = fields.slice(separator + 1)
  return {
    id: Number(id),
    parentId: Number(parentId),
    device,
    root: unescape(root),
    mountPoint: unescape(mountPoint),
    options: options.split(','),
    tags: fields.slice(6, separator),
    type: unescape(type),
    source: unescape(source),
    // A comma inside a value stands as \054, so the commas are split at first.
    superOptions: superOptions.split(',').map(unescape),
  }
}

/** Space, tab, newline, backslash and "#" stand as \ooo. */
function unescape(field: string): string {
  const bytes = field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))
  return decodeName(Buffer.from(bytes, 'latin1'))
}
