// Random sequences of calls that meet each other: few names, few users, many kinds of paths and values.

import fc from 'fast-check'
import {
  ACL_GROUP_OBJ,
  ACL_MASK,
  ACL_OTHER,
  ACL_USER,
  ACL_USER_OBJ,
  type Credentials,
  encodeAcl,
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
  root,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFREG,
  S_IFSOCK,
  user,
} from '../../src/fs/index.ts'
import type { CallAs, FileSystemCall } from './file-system-calls.ts'

const callers: readonly Credentials[] = [
  root,
  { ...root, umask: 0 },
  user(1000, 1000, [2000]),
  { ...user(1001, 1001), umask: 0o077 },
  { ...root, capable: false },
]

const anyName = fc.constantFrom('a', 'b', 'c')
const component = fc.oneof({ weight: 12, arbitrary: anyName }, { weight: 1, arbitrary: fc.constantFrom('.', '..') })
const anyPath = fc
  .tuple(
    fc.constantFrom('/', '', '//'),
    fc.oneof(fc.array(component, { minLength: 1, maxLength: 2 }), fc.array(component, { minLength: 1, maxLength: 3 })),
    fc.oneof(
      { weight: 10, arbitrary: fc.constant('') },
      { weight: 1, arbitrary: fc.constantFrom('/', '/.', '/..', '//') },
    ),
  )
  .map(([start, parts, end]) => start + parts.join('/') + end)
const somePath = fc.oneof(
  { weight: 30, arbitrary: anyPath },
  { weight: 1, arbitrary: fc.constantFrom('/', '', '.', '/..', `/${'n'.repeat(256)}`) },
)

const anyMode = fc.oneof(
  fc.constantFrom(0o644, 0o755, 0o777, 0o1777, 0o2755, 0o2777, 0o4755, 0o6711, 0o600, 0o700, 0o2644, 0o070, 0o007, 0),
  fc.integer({ min: 0, max: 0o7777 }),
)
const anyUid = fc.constantFrom(-1, 0, 1000, 1001)
const anyGid = fc.constantFrom(-1, 0, 1000, 1001, 2000)
const anyTime = fc.constantFrom<bigint | 'now' | 'omit'>('now', 'omit', 1_000_000_000n, 123_456_789n)
const anySize = fc.constantFrom(0, 1, 5, 4097)
const anyContent = fc.constantFrom('', 'x', 'content', 'more content')
const anySlot = fc.integer({ min: 0, max: 1 })
const xattrFlags = fc.constantFrom(0, 0, 0, 1, 2, 3, 4)

const owner = { tag: ACL_USER_OBJ, permissions: 6, id: 0xffffffff }
const group = { tag: ACL_GROUP_OBJ, permissions: 4, id: 0xffffffff }
const mask = { tag: ACL_MASK, permissions: 5, id: 0xffffffff }
const other = { tag: ACL_OTHER, permissions: 0, id: 0xffffffff }
const named = { tag: ACL_USER, permissions: 7, id: 1001 }
const acls = [
  [owner, group, other],
  [owner, named, group, mask, other],
  [
    owner,
    { ...named, permissions: 0 },
    { ...group, permissions: 7 },
    { ...mask, permissions: 7 },
    { ...other, permissions: 7 },
  ],
  [owner, named, group, other],
  [named],
  [],
].map(encodeAcl)
const sets = [4, ...Buffer.alloc(15)]
const capability2 = Uint8Array.of(1, 0, 0, 2, ...sets)
const capability3 = Uint8Array.of(1, 0, 0, 3, ...sets, 0, 0, 0, 0)
const capability3of5 = Uint8Array.of(1, 0, 0, 3, ...sets, 5, 0, 0, 0)

const attributeName = fc.constantFrom(
  'user.x',
  'user.x',
  'user.x',
  'user.y',
  'trusted.x',
  'security.x',
  'security.capability',
  'system.posix_acl_access',
  'system.posix_acl_default',
  'user.',
  'system.x',
  'unknown.x',
  '',
  `user.${'n'.repeat(251)}`,
)
const plainValue = fc.constantFrom(Uint8Array.of(), Uint8Array.of(1), Uint8Array.of(1, 2, 3))
/** Values that their names can have, most of the time. */
const attribute = fc.oneof(
  fc.record({ name: attributeName, value: plainValue }),
  fc.record({ name: fc.constant('user.x'), value: plainValue }),
  fc.record({
    name: fc.constantFrom('system.posix_acl_access', 'system.posix_acl_default'),
    value: fc.constantFrom(...acls),
  }),
  fc.record({
    name: fc.constant('security.capability'),
    value: fc.constantFrom(capability2, capability3, capability3of5),
  }),
)

const accessMode = fc.constantFrom(O_RDONLY, O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, 3)
const openBits = fc.constantFrom(
  O_CREAT,
  O_CREAT,
  O_EXCL,
  O_TRUNC,
  O_APPEND,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_TMPFILE,
  O_NOATIME,
)
const openFlags = fc
  .tuple(accessMode, fc.array(openBits, { maxLength: 3 }))
  .map(([access, bits]) => bits.reduce((all, bit) => all | bit, access))

const byPath: readonly fc.Arbitrary<FileSystemCall>[] = [
  fc.record({
    op: fc.constantFrom('lstat', 'stat', 'readlink', 'readdir', 'unlink', 'rmdir', 'listxattr', 'readFile'),
    path: somePath,
  }),
  fc.record({ op: fc.constantFrom('unlink', 'rmdir'), path: somePath }),
  fc.record({ op: fc.constant('access'), path: somePath, number: fc.integer({ min: 0, max: 8 }) }),
  fc.record({ op: fc.constantFrom('mkdir', 'mkdir', 'chmod'), path: somePath, number: anyMode }),
  fc.record({ op: fc.constant('truncate'), path: somePath, number: fc.oneof(anySize, fc.constant(-1)) }),
  fc.record({
    op: fc.constant('mknod'),
    path: somePath,
    mode: fc
      .tuple(fc.constantFrom(0, S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK, S_IFDIR, 0o120000, 0o110000), anyMode)
      .map(([type, bits]) => type | bits),
    rdev: fc.constantFrom(0, 0x100003, 1),
  }),
  fc.record({ op: fc.constantFrom('symlink', 'link'), existing: somePath, path: somePath }),
  fc.record({
    op: fc.constant('rename'),
    path: somePath,
    to: somePath,
    flags: fc.constantFrom(0, 0, 0, 1, 2, 2, 3, 4, 5, 8),
  }),
  fc.record({ op: fc.constantFrom('chown', 'lchown'), path: somePath, uid: anyUid, gid: anyGid }),
  fc.record({ op: fc.constant('utimens'), path: somePath, atime: anyTime, mtime: anyTime, follow: fc.boolean() }),
  fc.record({ op: fc.constantFrom('getxattr', 'removexattr'), path: somePath, name: attributeName }),
  fc.tuple(somePath, attribute, xattrFlags).map(([path, given, flags]) => ({ op: 'setxattr', path, ...given, flags })),
  fc.record({ op: fc.constant('writeFile'), path: somePath, content: anyContent }),
  fc.record({ op: fc.constant('open'), slot: anySlot, path: somePath, flags: openFlags, mode: anyMode }),
]

const byHandle: readonly fc.Arbitrary<FileSystemCall>[] = [
  fc.record({ op: fc.constantFrom('close', 'fstat', 'freaddir', 'flistxattr', 'getFlags'), slot: anySlot }),
  fc.record({ op: fc.constant('read'), slot: anySlot, number: anySize }),
  fc.record({ op: fc.constant('fchmod'), slot: anySlot, number: anyMode }),
  fc.record({ op: fc.constant('ftruncate'), slot: anySlot, number: fc.oneof(anySize, fc.constant(-1)) }),
  fc.record({ op: fc.constant('setFlags'), slot: anySlot, number: fc.constantFrom(0, 0, 0, 0x10, 0x20) }),
  fc.record({
    op: fc.constant('write'),
    slot: anySlot,
    content: anyContent,
    position: fc.constantFrom(undefined, 0, 3, -1),
  }),
  fc.record({
    op: fc.constant('seek'),
    slot: anySlot,
    offset: fc.constantFrom(0, 3, -1),
    whence: fc.constantFrom('set', 'current', 'end'),
  }),
  fc.record({
    op: fc.constant('fallocate'),
    slot: anySlot,
    mode: fc.constantFrom(0, 1, 2, 3, 4),
    position: fc.constantFrom(0, 100, -1),
    lengthBytes: fc.constantFrom(0, 10, 5000),
  }),
  fc.record({ op: fc.constant('fchown'), slot: anySlot, uid: anyUid, gid: anyGid }),
  fc.record({ op: fc.constant('futimens'), slot: anySlot, atime: anyTime, mtime: anyTime }),
  fc.record({ op: fc.constantFrom('fgetxattr', 'fremovexattr'), slot: anySlot, name: attributeName }),
  fc.tuple(anySlot, attribute, xattrFlags).map(([slot, given, flags]) => ({ op: 'fsetxattr', slot, ...given, flags })),
  fc.record({ op: fc.constant('linkAs'), slot: anySlot, path: somePath }),
]

const anyCall = fc.oneof(
  { weight: 4, arbitrary: fc.oneof(...byPath) },
  { weight: 1, arbitrary: byPath.at(-1) as fc.Arbitrary<FileSystemCall> },
  { weight: 2, arbitrary: fc.oneof(...byHandle) },
)

/** What is there at first: one object for each name, and some in the directories among them. */
const object = fc.oneof(
  fc.record({ kind: fc.constantFrom<'dir'>('dir'), number: anyMode, uid: anyUid, gid: anyGid }),
  fc.record({
    kind: fc.constantFrom<'dir'>('dir'),
    number: fc.constantFrom(0o777, 0o1777, 0o2777, 0o3777),
    uid: anyUid,
    gid: anyGid,
  }),
  fc.record({ kind: fc.constantFrom<'file'>('file'), number: anyMode, uid: anyUid, gid: anyGid }),
  fc.record({ kind: fc.constantFrom<'symlink'>('symlink'), target: anyPath }),
)

function make(objectPath: string, given: typeof object extends fc.Arbitrary<infer T> ? T : never): readonly CallAs[] {
  const as = { ...root, umask: 0 }
  if (given.kind === 'symlink') return [{ as, call: { op: 'symlink', existing: given.target, path: objectPath } }]
  const { kind, number, ...ids } = given
  const making: FileSystemCall =
    kind === 'dir'
      ? { op: 'mkdir', path: objectPath, number: 0o755 }
      : { op: 'writeFile', path: objectPath, content: objectPath }
  const owning: FileSystemCall = { op: 'lchown', path: objectPath, ...ids }
  const allowing: FileSystemCall = { op: 'chmod', path: objectPath, number }
  return [making, owning, allowing].map(call => ({ as, call }))
}

const placed = (where: fc.Arbitrary<string>) =>
  fc
    .array(fc.tuple(where, object), { minLength: 2, maxLength: 6, size: 'max' })
    .map(list => list.flatMap(([at, given]) => make(at, given)))

const beginning = fc
  .tuple(
    placed(anyName.map(first => `/${first}`)),
    placed(fc.tuple(anyName, anyName).map(names => `/${names.join('/')}`)),
    fc.tuple(anyPath, anyPath, openFlags, openFlags),
  )
  .map(([top, below, [first, second, ...flags]]) => [
    ...top,
    ...below,
    ...[first, second].map(
      (at, slot): CallAs => ({
        as: root,
        call: { op: 'open', slot, path: at, flags: flags[slot] ?? 0, mode: 0o644 },
      }),
    ),
  ])

/** Calls of several users, by path and on open files, behind calls of root that make some objects. */
export const randomCalls: fc.Arbitrary<readonly CallAs[]> = fc
  .tuple(
    beginning,
    fc.array(fc.record({ as: fc.constantFrom(...callers), call: anyCall }), {
      minLength: 5,
      maxLength: 60,
      size: 'max',
    }),
  )
  .map(([first, then]) => [...first, ...then])
