// Where a path leads and who may go there: what random calls seldom meet.

import {
  ACL_GROUP,
  ACL_GROUP_OBJ,
  ACL_MASK,
  ACL_OTHER,
  ACL_USER,
  ACL_USER_OBJ,
  aclAccessName,
  type FileSystem,
  MAY_EXEC,
  MAY_READ,
  MAY_WRITE,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  root,
  S_IFIFO,
  S_IFSOCK,
  user,
} from '../../../src/fs/index.ts'
import { acl, alice, bob, describeDecisions, modeOf, open, type Row } from '../../support/decisions.ts'
import { outcome } from '../../support/tmpfs.ts'

/** Symlinks c0 to c40, each to the one before; c0 leads to a file. */
function chain(fs: FileSystem, d: string): void {
  fs.writeFile(`${d}/f`, '')
  fs.symlink('f', `${d}/c0`)
  for (let at = 1; at <= 40; at++) fs.symlink(`c${at - 1}`, `${d}/c${at}`)
}

/** A file with an access ACL: alice may read and write, the group 2000 may execute, the mask allows all. */
function guarded(fs: FileSystem, path: string, mask = 7): void {
  fs.writeFile(path, '')
  const entries = [
    [ACL_USER_OBJ, 6],
    [ACL_USER, 6, 1000],
    [ACL_GROUP_OBJ, 0],
    [ACL_GROUP, 1, 2000],
    [ACL_MASK, mask],
    [ACL_OTHER, 0],
  ] as const
  fs.setxattr(path, aclAccessName, acl(...entries))
}

const paths: readonly Row[] = [
  ['40 symlinks in a row are followed', 'done', (fs, d) => (chain(fs, d), open(fs, `${d}/c39`, O_RDONLY))],
  ['41 are not', 'ELOOP', (fs, d) => (chain(fs, d), open(fs, `${d}/c40`, O_RDONLY))],
  [
    'symlinks on the way count as well',
    'ELOOP',
    (fs, d) => (chain(fs, d), fs.symlink('.', `${d}/dot`), fs.stat(`${d}/dot/c39`)),
  ],
  [
    '".." of the root is the root',
    '40755',
    (fs, d) => (fs.mkdir(`${d}/s`, 0o755), modeOf(fs, `/../..${d}/s/../../..${d}/s`)),
  ],
  [
    '".." behind a symlink goes up from its target',
    'deep',
    (fs, d) => {
      fs.mkdir(`${d}/x`, 0o755)
      fs.mkdir(`${d}/x/y`, 0o755)
      fs.writeFile(`${d}/x/f`, 'deep')
      fs.symlink('x/y', `${d}/l`)
      return Buffer.from(fs.readFile(`${d}/l/../f`)).toString()
    },
  ],
  [
    'a symlink to "/" is the root',
    true,
    (fs, d) => (fs.symlink('/', `${d}/l`), fs.stat(`${d}/l`).ino === fs.stat('/').ino),
  ],
  [
    'lstat of a symlink with a slash follows it',
    '40755',
    (fs, d) => (fs.mkdir(`${d}/x`, 0o755), fs.symlink('x', `${d}/l`), modeOf(fs, `${d}/l/`)),
  ],
  [
    'a symlink to a file with a slash',
    'ENOTDIR',
    (fs, d) => (fs.writeFile(`${d}/x`, ''), fs.symlink('x', `${d}/l`), fs.lstat(`${d}/l/`)),
  ],
  [
    'a target that ends in a slash asks for a directory',
    'ENOTDIR',
    (fs, d) => (fs.writeFile(`${d}/x`, ''), fs.symlink('x/', `${d}/l`), fs.stat(`${d}/l`)),
  ],
  ['a component of 255 bytes', 'ENOENT', (fs, d) => fs.stat(`${d}/${'é'.repeat(127)}x`)],
  ['a component of 256 bytes', 'ENAMETOOLONG', (fs, d) => fs.stat(`${d}/${'é'.repeat(128)}`)],
  ['a path of 4095 bytes', 'done', (fs, d) => fs.access(`${d}${'/'.repeat(4095 - d.length)}`, 0)],
  ['a path of 4096 bytes', 'ENAMETOOLONG', (fs, d) => fs.access(`${d}${'/'.repeat(4096 - d.length)}`, 0)],
  ['a target of 4095 bytes', 'done', (fs, d) => fs.symlink('x'.repeat(4095), `${d}/l`)],
  ['a target of 4096 bytes', 'ENAMETOOLONG', (fs, d) => fs.symlink('x'.repeat(4096), `${d}/l`)],
  ['an empty target', 'ENOENT', (fs, d) => fs.symlink('', `${d}/l`)],
  ['mkdir with slashes behind', 'done', (fs, d) => fs.mkdir(`${d}/n//`, 0o755)],
  ['mknod with a slash behind', 'ENOENT', (fs, d) => fs.mknod(`${d}/n/`, 0o100644)],
  [
    'O_CREAT through a dangling symlink makes its target',
    '100644',
    (fs, d) => {
      fs.symlink('target', `${d}/l`)
      open(fs, `${d}/l`, O_CREAT | O_WRONLY)
      return modeOf(fs, `${d}/target`)
    },
  ],
  [
    'with O_EXCL the symlink exists',
    'EEXIST',
    (fs, d) => (fs.symlink('target', `${d}/l`), open(fs, `${d}/l`, O_CREAT | O_EXCL)),
  ],
  ['O_NOFOLLOW of a symlink', 'ELOOP', (fs, d) => (fs.symlink('target', `${d}/l`), open(fs, `${d}/l`, O_NOFOLLOW))],
  [
    'O_PATH names the symlink',
    '120777',
    (fs, d) => {
      fs.symlink('target', `${d}/l`)
      const handle = fs.open(`${d}/l`, O_PATH | O_NOFOLLOW)
      const mode = handle.stat().mode.toString(8)
      handle.close()
      return mode
    },
  ],
]

const permissions: readonly Row[] = [
  [
    'a directory without x is searched by nobody',
    'EACCES',
    (fs, d, as) => (fs.mkdir(`${d}/x`, 0o755), fs.chmod(`${d}/x`, 0o666), as(bob).stat(`${d}/x/y`)),
  ],
  ['... but by a capable caller', 'ENOENT', (fs, d) => (fs.mkdir(`${d}/x`, 0), fs.stat(`${d}/x/y`))],
  [
    'the owner has only the bits of the owner',
    'EACCES',
    (fs, d, as) => {
      fs.writeFile(`${d}/f`, '')
      fs.chown(`${d}/f`, 1000, 1000)
      fs.chmod(`${d}/f`, 0o077)
      as(alice).access(`${d}/f`, MAY_READ)
    },
  ],
  [
    'a member has only the bits of the group',
    'EACCES',
    (fs, d, as) => {
      fs.writeFile(`${d}/f`, '')
      fs.chown(`${d}/f`, 0, 2000)
      fs.chmod(`${d}/f`, 0o707)
      as(alice).access(`${d}/f`, MAY_READ)
    },
  ],
  [
    'root executes what somebody may execute',
    'done',
    (fs, d) => (fs.writeFile(`${d}/f`, ''), fs.chmod(`${d}/f`, 0o001), fs.access(`${d}/f`, MAY_EXEC)),
  ],
  [
    '... and nothing else',
    'EACCES',
    (fs, d) => (fs.writeFile(`${d}/f`, ''), fs.chmod(`${d}/f`, 0o666), fs.access(`${d}/f`, MAY_EXEC)),
  ],
  [
    'root without capabilities is a user',
    'EACCES',
    (fs, d, as) => {
      fs.writeFile(`${d}/f`, '')
      fs.chown(`${d}/f`, 1000, 1000)
      fs.chmod(`${d}/f`, 0o600)
      as({ ...root, capable: false }).access(`${d}/f`, MAY_READ)
    },
  ],
  [
    'an ACL names a user',
    'done',
    (fs, d, as) => (guarded(fs, `${d}/f`), as(alice).access(`${d}/f`, MAY_READ | MAY_WRITE)),
  ],
  [
    '... who is not looked up as a member',
    'EACCES',
    (fs, d, as) => (guarded(fs, `${d}/f`), as(alice).access(`${d}/f`, MAY_EXEC)),
  ],
  [
    'an ACL names a group',
    'done',
    (fs, d, as) => (guarded(fs, `${d}/f`), as(user(7, 7, [2000])).access(`${d}/f`, MAY_EXEC)),
  ],
  [
    '... whose members are not others',
    'EACCES',
    (fs, d, as) => (guarded(fs, `${d}/f`), as(user(7, 2000)).access(`${d}/f`, MAY_READ)),
  ],
  ['the mask limits them', 'EACCES', (fs, d, as) => (guarded(fs, `${d}/f`, 4), as(alice).access(`${d}/f`, MAY_WRITE))],
  [
    'chmod sets the mask',
    'EACCES',
    (fs, d, as) => {
      guarded(fs, `${d}/f`)
      fs.chmod(`${d}/f`, 0o614)
      as(alice).access(`${d}/f`, MAY_READ)
    },
  ],
  [
    'a mask of nothing makes them others',
    'done',
    (fs, d, as) => {
      guarded(fs, `${d}/f`)
      fs.chmod(`${d}/f`, 0o604)
      as(alice).access(`${d}/f`, MAY_READ)
    },
  ],
  [
    'an entry of another in a sticky directory',
    'EPERM',
    (fs, d, as) => {
      fs.chmod(d, 0o1777)
      fs.writeFile(`${d}/f`, '')
      as(bob).unlink(`${d}/f`)
    },
  ],
  [
    '... cannot be renamed or replaced',
    ['EPERM', 'EPERM'],
    (fs, d, as) => {
      fs.chmod(d, 0o1777)
      fs.writeFile(`${d}/f`, '')
      as(bob).writeFile(`${d}/mine`, '')
      const renamed = outcome(() => as(bob).rename(`${d}/f`, `${d}/g`))
      return [renamed, outcome(() => as(bob).rename(`${d}/mine`, `${d}/f`))]
    },
  ],
  [
    'a directory of another moves only within its parent',
    ['EACCES', 'done'],
    (fs, d, as) => {
      for (const name of ['a', 'b']) fs.mkdir(`${d}/${name}`, 0o777)
      for (const name of ['a', 'b']) fs.chmod(`${d}/${name}`, 0o777)
      fs.mkdir(`${d}/a/x`, 0o755)
      const moved = outcome(() => as(bob).rename(`${d}/a/x`, `${d}/b/x`))
      return [moved, outcome(() => as(bob).rename(`${d}/a/x`, `${d}/a/y`))]
    },
  ],
  [
    'hard links of a file that cannot be written',
    'EPERM',
    (fs, d, as) => {
      fs.chmod(d, 0o777)
      fs.writeFile(`${d}/f`, '')
      as(bob).link(`${d}/f`, `${d}/g`)
    },
  ],
  [
    '... of one that can',
    'done',
    (fs, d, as) => {
      fs.chmod(d, 0o777)
      fs.writeFile(`${d}/f`, '')
      fs.chmod(`${d}/f`, 0o666)
      as(bob).link(`${d}/f`, `${d}/g`)
    },
  ],
  [
    '... of a set-user-ID file',
    'EPERM',
    (fs, d, as) => {
      fs.chmod(d, 0o777)
      fs.writeFile(`${d}/f`, '')
      fs.chmod(`${d}/f`, 0o4666)
      as(bob).link(`${d}/f`, `${d}/g`)
    },
  ],
  [
    '... of a FIFO',
    'EPERM',
    (fs, d, as) => {
      fs.chmod(d, 0o777)
      fs.mknod(`${d}/p`, S_IFIFO | 0o666)
      fs.chmod(`${d}/p`, 0o666)
      as(bob).link(`${d}/p`, `${d}/g`)
    },
  ],
  [
    'O_CREAT on the socket of another in a sticky directory',
    ['EACCES', 'ENXIO'],
    (fs, d, as) => {
      fs.chmod(d, 0o1777)
      as(alice).mknod(`${d}/s`, S_IFSOCK | 0o666)
      fs.chmod(`${d}/s`, 0o666)
      return [O_CREAT, 0].map(create => outcome(() => open(as(bob), `${d}/s`, create | O_RDWR)))
    },
  ],
  [
    'utimens: the present needs write permission',
    ['EACCES', 'EPERM'],
    (fs, d, as) => {
      fs.writeFile(`${d}/f`, '')
      const now = outcome(() => as(bob).utimens(`${d}/f`, { atime: 'now', mtime: 'now' }))
      return [now, outcome(() => as(bob).utimens(`${d}/f`, { atime: 'now', mtime: 'omit' }))]
    },
  ],
  [
    'utimens of nothing does not even look',
    'done',
    (fs, d) => fs.utimens(`${d}/none`, { atime: 'omit', mtime: 'omit' }),
  ],
  [
    'anyone may chown to the owner that is there',
    ['done', 'EPERM'],
    (fs, d, as) => {
      fs.writeFile(`${d}/f`, '')
      const kept = outcome(() => as(bob).chown(`${d}/f`, -1, -1))
      return [kept, outcome(() => as(bob).chown(`${d}/f`, 0, -1))]
    },
  ],
  [
    '... but not take set-user-ID away with it',
    'EPERM',
    (fs, d, as) => {
      fs.writeFile(`${d}/f`, '')
      fs.chmod(`${d}/f`, 0o4755)
      as(bob).chown(`${d}/f`, -1, -1)
    },
  ],
]

describeDecisions('Vfs: paths and permissions', { paths, permissions })
