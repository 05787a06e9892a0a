// The kinds of arguments that steps take: how each is written, and what it means.
import {
  bytesFromJson,
  isBytesJson,
  makeDevice,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOATIME,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK,
  type TimeChange,
  XATTR_CREATE,
  XATTR_REPLACE,
} from '../fs/index.ts'

/** A kind of argument. */
export type ArgumentKind<T> = {
  /** As the documentation names it. */
  readonly name: string
  /** What is expected, for the message when it is something else. */
  readonly expects: string
  /** Undefined: not understood. */
  readonly parse: (value: unknown) => T | undefined
  /** May be left away at the end. */
  readonly otherwise?: { readonly value: T }
}

/** Makes the last arguments of a step optional. */
export function optional<T>(kind: ArgumentKind<T>, value: T): ArgumentKind<T> {
  return { ...kind, otherwise: { value } }
}

const maxSizeBytes = 2 ** 40

/** A path inside the overlay: absolute, or from its root on. The empty one is ENOENT. */
export const path = textKind('path')
/** What a symlink says. */
export const target = textKind('target')
/** An extended attribute with its namespace. */
export const attribute = textKind('name')
/** The name of an open file. */
export const handle: ArgumentKind<string> = {
  name: 'handle',
  expects: 'the name of an open file',
  parse: value => (typeof value === 'string' && value !== '' ? value : undefined),
}

/** Permission bits in octal; a number is taken as it is. */
export const mode: ArgumentKind<number> = {
  name: 'mode',
  expects: 'an octal mode such as "0644"',
  parse(value) {
    const number = typeof value === 'string' && /^[0-7]{1,5}$/.test(value) ? Number.parseInt(value, 8) : value
    return isInteger(number, 0, 0o7777) ? number : undefined
  },
}

/** Where in a file, or how much of it. */
export const offset = integerKind('offset', 0, maxSizeBytes)
/** How many bytes to read. */
export const length = integerKind('length', 0, 1 << 20)
/** A new size; a negative one is EINVAL. */
export const size = integerKind('size', -maxSizeBytes, maxSizeBytes)
/** A user; -1 keeps the one there is. */
export const uid = integerKind('uid', -1, 2 ** 32 - 2)
/** A group; -1 keeps the one there is. */
export const gid = integerKind('gid', -1, 2 ** 32 - 2)

/** Bytes of a file or an attribute. */
export const content: ArgumentKind<Uint8Array> = {
  name: 'content',
  expects: 'text, or {"base64": …}',
  parse: value => (isBytesJson(value) ? bytesFromJson(value) : undefined),
}

/** "now", "omit", or seconds since 1970 with up to nine digits behind a point. */
export const time: ArgumentKind<TimeChange> = {
  name: 'time',
  expects: '"SECONDS[.NANOSECONDS]", "now" or "omit"',
  parse(value) {
    if (value === 'now' || value === 'omit') return value
    return parseTime(typeof value === 'number' && Number.isInteger(value) ? String(value) : value)
  },
}

/** What mknod makes, as type bits. */
export const nodeType = wordKind('type', { c: S_IFCHR, b: S_IFBLK, p: S_IFIFO, s: S_IFSOCK })

/** "MAJOR:MINOR" */
export const rdev: ArgumentKind<number> = {
  name: 'rdev',
  expects: 'a device number such as "1:3"',
  parse(value) {
    const parts = typeof value === 'string' ? /^(\d{1,4}):(\d{1,7})$/.exec(value) : null
    const [major, minor] = [Number(parts?.[1]), Number(parts?.[2])]
    return isInteger(major, 0, 0xfff) && isInteger(minor, 0, 0xfffff) ? makeDevice(major, minor) : undefined
  },
}

/** Flags of open(2). */
export const openFlags = flagsKind({
  O_RDONLY,
  O_WRONLY,
  O_RDWR,
  O_CREAT,
  O_EXCL,
  O_TRUNC,
  O_APPEND,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NOATIME,
  O_PATH,
  O_TMPFILE,
})
/** Flags of renameat2(2). */
export const renameFlags = flagsKind({
  NOREPLACE: RENAME_NOREPLACE,
  EXCHANGE: RENAME_EXCHANGE,
  WHITEOUT: RENAME_WHITEOUT,
})
/** Flags of setxattr(2). */
export const xattrFlags = flagsKind({ CREATE: XATTR_CREATE, REPLACE: XATTR_REPLACE })

/** Seconds since 1970 with up to nine digits behind a point, as nanoseconds. */
export function parseTime(value: unknown): bigint | undefined {
  const parts = typeof value === 'string' ? /^(-?)(\d{1,12})(?:\.(\d{1,9}))?$/.exec(value) : null
  if (parts === null) return undefined
  const nanoseconds = BigInt(parts[2] ?? '') * 1_000_000_000n + BigInt((parts[3] ?? '').padEnd(9, '0'))
  return parts[1] === '-' ? -nanoseconds : nanoseconds
}

function textKind(name: string): ArgumentKind<string> {
  return {
    name,
    expects: 'text without a NUL',
    parse: value => (typeof value === 'string' && !value.includes('\0') ? value : undefined),
  }
}

function integerKind(name: string, least: number, most: number): ArgumentKind<number> {
  return {
    name,
    expects: `an integer from ${least} to ${most}`,
    parse: value => (isInteger(value, least, most) ? value : undefined),
  }
}

function wordKind(name: string, words: { readonly [word: string]: number }): ArgumentKind<number> {
  return {
    name,
    expects: `one of ${Object.keys(words).join(', ')}`,
    parse: value => (typeof value === 'string' && Object.hasOwn(words, value) ? words[value] : undefined),
  }
}

/** Words joined by "|"; none is "". */
function flagsKind(words: { readonly [word: string]: number }): ArgumentKind<number> {
  return {
    name: 'flags',
    expects: `flags joined by "|", of ${Object.keys(words).join(', ')}`,
    parse(value) {
      if (typeof value !== 'string') return undefined
      const names = value === '' ? [] : value.split('|').map(word => word.trim())
      if (!names.every(name => Object.hasOwn(words, name))) return undefined
      return names.reduce((flags, name) => flags | (words[name] ?? 0), 0)
    },
  }
}

function isInteger(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
}
