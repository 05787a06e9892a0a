// The extended attribute in which containers/storage and fuse-overlayfs keep what an ordinary user cannot give a
// file: its owner, and its type where a device could not be made. Their format: "UID:GID:0MODE[:TYPE]", mode in octal
// with setuid, setgid and sticky. The type is written only where the file on disk has another one, so that readers
// from before types were added understand the rest.

/** Name of the attribute; only regular files and directories can carry it. */
export const overrideStatName = 'user.containers.override_stat'

/** All names that programs have for it, the one that fuse-overlayfs believes first. */
export const overrideStatNames = [
  'security.fuseoverlayfs.override_stat',
  'user.fuseoverlayfs.override_stat',
  overrideStatName,
] as const

/** What a file is in the image. */
export type OverrideStat = {
  /** Ids inside the image; -1 for one that fuse-overlayfs did not know. */
  readonly uid: number
  readonly gid: number
  /** Permission bits, 0 … 0o7777. */
  readonly mode: number
  /** What the file is in the image, when an ordinary file stands in for it. */
  readonly standsFor?: StandsFor
}

/** File types that an ordinary user cannot always make. */
export type StandsFor =
  | { readonly type: 'charDevice' | 'blockDevice'; readonly major: number; readonly minor: number }
  | { readonly type: 'fifo' | 'socket' }

/** The value of the attribute. */
export function formatOverrideStat({ uid, gid, mode, standsFor }: OverrideStat): string {
  const owner = `${uid}:${gid}:0${(mode & 0o7777).toString(8)}`
  return standsFor === undefined ? owner : `${owner}:${formatType(standsFor)}`
}

function formatType(file: StandsFor): string {
  if (!('major' in file)) return file.type === 'fifo' ? 'pipe' : 'socket'
  return `${file.type === 'charDevice' ? 'char' : 'block'}-${file.major}-${file.minor}`
}

/** Reads a value as anyone may have written it; null when it is none. Types that match the disk are left out. */
export function parseOverrideStat(text: string): OverrideStat | null {
  const fields = /^(-1|[0-9]{1,10}):(-1|[0-9]{1,10}):([0-7]{1,7})(?::(.+))?$/.exec(text)
  if (fields === null || Number(fields[1]) > maxID || Number(fields[2]) > maxID) return null
  const standsFor = parseType(fields[4] ?? '')
  const stat = { uid: Number(fields[1]), gid: Number(fields[2]), mode: Number.parseInt(fields[3] ?? '0', 8) & 0o7777 }
  return standsFor === null ? stat : { ...stat, standsFor }
}

const maxID = 0xffff_fffe

function parseType(text: string): StandsFor | null {
  if (text === 'pipe') return { type: 'fifo' }
  if (text === 'socket') return { type: 'socket' }
  const device = /^(char|block)-([0-9]{1,10})-([0-9]{1,10})$/.exec(text)
  if (device === null) return null
  const type = device[1] === 'char' ? 'charDevice' : 'blockDevice'
  return { type, major: Number(device[2]), minor: Number(device[3]) }
}
