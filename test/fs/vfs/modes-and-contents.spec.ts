// Modes of new objects, writing, flags of chattr(1) and renaming: what random calls seldom meet.

import {
  ACL_GROUP_OBJ,
  ACL_OTHER,
  ACL_USER_OBJ,
  aclAccessName,
  aclDefaultName,
  type Credentials,
  type FileSystem,
  FS_APPEND_FL,
  FS_IMMUTABLE_FL,
  O_APPEND,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  root,
} from '../../../src/fs/index.ts'
import { acl, alice, describeDecisions, modeOf, open, type Row } from '../../support/decisions.ts'
import { outcome } from '../../support/tmpfs.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const modes: readonly Row[] = [
  ['mkdir has no set-group-ID', '41755', (fs, d) => (fs.mkdir(`${d}/x`, 0o7755), modeOf(fs, `${d}/x`))],
  [
    '... but inherits it',
    ['42755', 2000],
    (fs, d) => {
      fs.chown(d, 0, 2000)
      fs.chmod(d, 0o2755)
      fs.mkdir(`${d}/x`, 0o755)
      return [modeOf(fs, `${d}/x`), fs.stat(`${d}/x`).gid]
    },
  ],
  [
    'a file of a foreign group is not set-group-ID',
    '100755',
    (fs, d, as) => {
      fs.chown(d, 0, 3000)
      fs.chmod(d, 0o2777)
      open(as(alice), `${d}/f`, O_CREAT | O_WRONLY, 0o2755)
      return modeOf(fs, `${d}/f`)
    },
  ],
  [
    'chmod drops set-group-ID of a foreign group',
    '100755',
    (fs, d, as) => {
      fs.writeFile(`${d}/f`, '')
      fs.chown(`${d}/f`, 1000, 3000)
      as(alice).chmod(`${d}/f`, 0o2755)
      return modeOf(fs, `${d}/f`)
    },
  ],
  [
    'a default ACL stands in for the umask',
    '100660',
    (fs, d, as) => {
      fs.setxattr(d, aclDefaultName, acl([ACL_USER_OBJ, 7], [ACL_GROUP_OBJ, 6], [ACL_OTHER, 0]))
      open(as({ ...root, umask: 0o777 }), `${d}/f`, O_CREAT | O_WRONLY, 0o666)
      return modeOf(fs, `${d}/f`)
    },
  ],
  [
    'a list that a mode can say is none',
    ['100640', 'ENODATA'],
    (fs, d) => {
      fs.writeFile(`${d}/f`, '')
      fs.setxattr(`${d}/f`, aclAccessName, acl([ACL_USER_OBJ, 6], [ACL_GROUP_OBJ, 4], [ACL_OTHER, 0]))
      return [modeOf(fs, `${d}/f`), outcome(() => fs.getxattr(`${d}/f`, aclAccessName))]
    },
  ],
  [
    'a default list of a file',
    'EACCES',
    (fs, d) => {
      fs.writeFile(`${d}/f`, '')
      fs.setxattr(`${d}/f`, aclDefaultName, acl([ACL_USER_OBJ, 6], [ACL_GROUP_OBJ, 4], [ACL_OTHER, 0]))
    },
  ],
  [
    'a list in the wrong order',
    'EINVAL',
    (fs, d) => fs.setxattr(d, aclAccessName, acl([ACL_OTHER, 0], [ACL_USER_OBJ, 6], [ACL_GROUP_OBJ, 4])),
  ],
  ['a list of another version', 'EOPNOTSUPP', (fs, d) => fs.setxattr(d, aclAccessName, Uint8Array.of(1, 0, 0, 0))],
]

const writing: readonly Row[] = [
  [
    'writing takes set-user-ID from others than root',
    ['100755', '104755'],
    (fs, d, as) => {
      for (const name of ['a', 'b']) fs.writeFile(`${d}/${name}`, '')
      for (const name of ['a', 'b']) fs.chown(`${d}/${name}`, 1000, 1000)
      for (const name of ['a', 'b']) fs.chmod(`${d}/${name}`, 0o4755)
      const write = (by: Credentials, name: string): void => {
        const handle = as(by).open(`${d}/${name}`, O_WRONLY)
        handle.write(bytes('x'))
        handle.close()
      }
      write(alice, 'a')
      write(root, 'b')
      return [modeOf(fs, `${d}/a`), modeOf(fs, `${d}/b`)]
    },
  ],
  [
    '... again when it came back while the file was open',
    '100755',
    (fs, d, as) => {
      fs.writeFile(`${d}/f`, '')
      fs.chown(`${d}/f`, 1000, 1000)
      const handle = as(alice).open(`${d}/f`, O_WRONLY)
      handle.write(bytes('x'))
      fs.chmod(`${d}/f`, 0o4755)
      handle.write(bytes('y'))
      handle.close()
      return modeOf(fs, `${d}/f`)
    },
  ],
  [
    'truncating to the same size does so too',
    '100755',
    (fs, d, as) => {
      fs.writeFile(`${d}/f`, 'x')
      fs.chown(`${d}/f`, 1000, 1000)
      fs.chmod(`${d}/f`, 0o4755)
      as(alice).truncate(`${d}/f`, 1)
      return modeOf(fs, `${d}/f`)
    },
  ],
  [
    'opening alone does not',
    '104755',
    (fs, d, as) => {
      fs.writeFile(`${d}/f`, '')
      fs.chown(`${d}/f`, 1000, 1000)
      fs.chmod(`${d}/f`, 0o4755)
      open(as(alice), `${d}/f`, O_RDWR)
      return modeOf(fs, `${d}/f`)
    },
  ],
  [
    'O_APPEND writes at the end, wherever asked to',
    'abc',
    (fs, d) => {
      fs.writeFile(`${d}/f`, 'ab')
      const handle = fs.open(`${d}/f`, O_RDWR | O_APPEND)
      handle.write(bytes('c'), 0)
      handle.close()
      return Buffer.from(fs.readFile(`${d}/f`)).toString()
    },
  ],
  [
    'access mode 3 opens for nothing',
    ['EBADF', 'EBADF'],
    (fs, d) => {
      fs.writeFile(`${d}/f`, '')
      const handle = fs.open(`${d}/f`, 3)
      const seen = [outcome(() => handle.read(new Uint8Array(1))), outcome(() => handle.write(bytes('x')))]
      handle.close()
      return seen
    },
  ],
  [
    'a file without a name lives while it is open',
    ['x', 0],
    (fs, d) => {
      fs.writeFile(`${d}/f`, 'x')
      const handle = fs.open(`${d}/f`, O_RDWR)
      fs.unlink(`${d}/f`)
      const target = new Uint8Array(1)
      handle.read(target)
      const { nlink } = handle.stat()
      handle.close()
      return [Buffer.from(target).toString(), nlink]
    },
  ],
  [
    'O_TMPFILE gets a name, with O_EXCL none',
    ['done', 'ENOENT'],
    (fs, d) =>
      [0, O_EXCL].map(exclusive => {
        const handle = fs.open(d, O_TMPFILE | O_RDWR | exclusive, 0o600)
        const linked = outcome(() => handle.linkAs(`${d}/named${exclusive}`))
        handle.close()
        return linked
      }),
  ],
  [
    'a removed directory lists nothing',
    'ENOENT',
    (fs, d) => {
      fs.mkdir(`${d}/x`, 0o755)
      const handle = fs.open(`${d}/x`, O_RDONLY)
      fs.rmdir(`${d}/x`)
      const listed = outcome(() => handle.readdir())
      handle.close()
      return listed
    },
  ],
]

const flags: readonly Row[] = [
  [
    'an immutable file',
    ['EPERM', 'EPERM', 'EPERM', 'EPERM', 'EPERM', 'done'],
    (fs, d) =>
      withFlag(fs, `${d}/f`, FS_IMMUTABLE_FL, () => [
        outcome(() => open(fs, `${d}/f`, O_WRONLY)),
        outcome(() => fs.chmod(`${d}/f`, 0o600)),
        outcome(() => fs.unlink(`${d}/f`)),
        outcome(() => fs.link(`${d}/f`, `${d}/g`)),
        outcome(() => fs.setxattr(`${d}/f`, 'user.x', bytes('x'))),
        outcome(() => open(fs, `${d}/f`, O_RDONLY)),
      ]),
  ],
  [
    'an append-only file',
    ['EPERM', 'EPERM', 'EPERM', 'done'],
    (fs, d) =>
      withFlag(fs, `${d}/f`, FS_APPEND_FL, () => [
        outcome(() => open(fs, `${d}/f`, O_WRONLY)),
        outcome(() => open(fs, `${d}/f`, O_WRONLY | O_APPEND | O_TRUNC)),
        outcome(() => fs.truncate(`${d}/f`, 0)),
        outcome(() => open(fs, `${d}/f`, O_WRONLY | O_APPEND)),
      ]),
  ],
]

/** Puts the flag on a new file while `act` runs: a tmpfs with flags left on it would be hard to clean. */
function withFlag(fs: FileSystem, path: string, flag: number, act: () => unknown): unknown {
  fs.writeFile(path, '')
  const handle = fs.open(path, O_RDONLY)
  handle.setFlags(flag)
  try {
    return act()
  } finally {
    handle.setFlags(0)
    handle.close()
  }
}

const renaming: readonly Row[] = [
  [
    'two names of one file: nothing happens',
    ['done', 2],
    (fs, d) => {
      fs.writeFile(`${d}/a`, '')
      fs.link(`${d}/a`, `${d}/b`)
      return [outcome(() => fs.rename(`${d}/a`, `${d}/b`)), fs.stat(`${d}/a`).nlink]
    },
  ],
  ['into itself', 'EINVAL', (fs, d) => (fs.mkdir(`${d}/x`, 0o755), fs.rename(`${d}/x`, `${d}/x/y`))],
  [
    'over the directory that it is in',
    'ENOTEMPTY',
    (fs, d) => (fs.mkdir(`${d}/x`, 0o755), fs.mkdir(`${d}/x/y`, 0o755), fs.rename(`${d}/x/y`, `${d}/x`)),
  ],
  [
    'exchanged with the directory that it is in',
    'EINVAL',
    (fs, d) => {
      fs.mkdir(`${d}/x`, 0o755)
      fs.mkdir(`${d}/x/y`, 0o755)
      fs.rename(`${d}/x/y`, `${d}/x`, { flags: RENAME_EXCHANGE })
    },
  ],
  [
    'a file over a directory that it is in',
    'ENOTEMPTY',
    (fs, d) => (fs.mkdir(`${d}/x`, 0o755), fs.writeFile(`${d}/x/f`, ''), fs.rename(`${d}/x/f`, `${d}/x`)),
  ],
  [
    'NOREPLACE to the root',
    'EEXIST',
    (fs, d) => (fs.writeFile(`${d}/f`, ''), fs.rename(`${d}/f`, '/', { flags: RENAME_NOREPLACE })),
  ],
  [
    'NOREPLACE with EXCHANGE, before any path',
    'EINVAL',
    fs => fs.rename('/none', '/none', { flags: RENAME_NOREPLACE | RENAME_EXCHANGE }),
  ],
  [
    'a directory to a name with a slash',
    'done',
    (fs, d) => (fs.mkdir(`${d}/x`, 0o755), fs.rename(`${d}/x/`, `${d}/y/`)),
  ],
  [
    'exchange of a file with a name with a slash',
    'ENOTDIR',
    (fs, d) => {
      fs.mkdir(`${d}/x`, 0o755)
      fs.writeFile(`${d}/f`, '')
      fs.rename(`${d}/x`, `${d}/f/`, { flags: RENAME_EXCHANGE })
    },
  ],
]

describeDecisions('Vfs: modes and contents', { modes, writing, flags, renaming })
