import { expect } from 'chai'
import { MemoryFs } from '../../src/fs/index.ts'
import { runSteps, type Step, type StepResult } from '../../src/scenario/index.ts'

function run(steps: readonly Step[], fs = new MemoryFs()): readonly StepResult[] {
  return runSteps(fs, steps, { startedNs: fs.superBlock.now() }).results
}

const ok = (value: unknown = null): unknown => ({ ok: value })
const refused = (errno: string): unknown => ({ errno })
const file = { type: 'file', mode: '0644', uid: 0, gid: 0 }

/** Steps with what each answers. */
const tables: { readonly [title: string]: readonly (readonly [Step, unknown])[] } = {
  'whole files': [
    [['write', '/f', 'text'], ok()],
    [['append', '/f', { base64: 'AP8=' }], ok()],
    [['read', '/f'], ok({ base64: 'dGV4dAD/' })],
    [['truncate', '/f', 2], ok()],
    [['read', '/f'], ok('te')],
    [['append', '/none', 'x'], refused('ENOENT')],
    [['read', '/'], refused('EISDIR')],
  ],
  'open files': [
    [['open', 'h', '/f', 'O_RDWR|O_CREAT', '0600'], ok()],
    [['pwrite', 'h', 3, 'abc'], ok()],
    [['pread', 'h', 2, 3], ok('\0ab')],
    [['ftruncate', 'h', 4], ok()],
    [['fchmod', 'h', '0644'], ok()],
    [['fstat', 'h'], ok({ ...file, size: 4, nlink: 1, ino: 'i1' })],
    [['fsync', 'h'], ok()],
    [['close', 'h'], ok()],
    [['close', 'h'], refused('EBADF')],
    [['pread', 'h', 0, 1], refused('EBADF')],
    [['open', 'h', '/f', 'O_RDONLY|O_DIRECTORY'], refused('ENOTDIR')],
  ],
  'labels of inodes': [
    [['write', '/a', ''], ok()],
    [['link', '/a', '/b'], ok()],
    [['mkdir', '/d', '0750'], ok()],
    [['lstat', '/d'], ok({ type: 'dir', mode: '0750', uid: 0, gid: 0, nlink: 2, ino: 'i1' })],
    [['lstat', '/a'], ok({ ...file, size: 0, nlink: 2, ino: 'i2' })],
    [['lstat', '/b'], ok({ ...file, size: 0, nlink: 2, ino: 'i2' })],
  ],
  'times that the scenario set': [
    [['write', '/a', ''], ok()],
    [['utimens', '/a', 'omit', '12.5'], ok()],
    [['lstat', '/a'], ok({ ...file, size: 0, nlink: 1, mtime: '12.500000000', ino: 'i1' })],
    [['utimens', '/a', 'now', '-1.5'], ok()],
    [['lstat', '/a'], ok({ ...file, size: 0, nlink: 1, mtime: '-1.500000000', ino: 'i1' })],
    [['utimens', '/a', 'now', 'now'], ok()],
    [['lstat', '/a'], ok({ ...file, size: 0, nlink: 1, ino: 'i1' })],
  ],
  'names and kinds': [
    [['symlink', 'a/b', '/l'], ok()],
    [['readlink', '/l'], ok('a/b')],
    [['lstat', '/l'], ok({ type: 'symlink', uid: 0, gid: 0, size: 3, nlink: 1, ino: 'i1' })],
    [['stat', '/l'], refused('ENOENT')],
    [['mknod', '/null', 'c', '0600', '1:3'], ok()],
    [['lstat', '/null'], ok({ type: 'char', mode: '0600', uid: 0, gid: 0, size: 0, nlink: 1, rdev: '1:3', ino: 'i2' })],
    [['mknod', '/p', 'p', '0600'], ok()],
    [['readdir', '/'], ok(['l', 'null', 'p'])],
    [['readdir', '/', { order: true }], ok(['p', 'null', 'l'])],
    [['rename', '/p', '/null', 'NOREPLACE'], refused('EEXIST')],
    [['rename', '/p', '/null', 'EXCHANGE'], ok()],
    [['unlink', '/p'], ok()],
    [['rmdir', '/null'], refused('ENOTDIR')],
    [['statfs', '/'], ok({ type: '0x1021994', nameMax: 255, readOnly: false })],
  ],
  attributes: [
    [['write', '/a', ''], ok()],
    [['setxattr', '/a', 'user.b', 'text'], ok()],
    [['setxattr', '/a', 'user.a', { base64: 'gA==' }, 'CREATE'], ok()],
    [['setxattr', '/a', 'user.a', '', 'CREATE'], refused('EEXIST')],
    [['listxattr', '/a'], ok(['user.a', 'user.b'])],
    [['getxattr', '/a', 'user.a'], ok({ base64: 'gA==' })],
    [['removexattr', '/a', 'user.a'], ok()],
    [['getxattr', '/a', 'user.a'], refused('ENODATA')],
  ],
  'other users': [
    [['mkdir', '/d', '0777'], ok()],
    [['chmod', '/d', '0777'], ok()],
    [['write', '/d/f', 'x', { as: { uid: 1000 } }], ok()],
    [['lstat', '/d/f'], ok({ ...file, uid: 1000, gid: 1000, size: 1, nlink: 1, ino: 'i1' })],
    [['chown', '/d/f', 0, 0, { as: { uid: 1000 } }], refused('EPERM')],
    [['chown', '/d/f', -1, 7, { as: { uid: 1000, gid: 1000, groups: [7] } }], ok()],
    [['unlink', '/d/f', { as: { uid: 1001, gid: 1001 } }], ok()],
  ],
  'a remount that nobody offers': [
    [['open', 'h', '/', 'O_RDONLY'], ok()],
    [['remount'], refused('EBUSY')],
    [['close', 'h'], ok()],
    [['remount'], refused('ENOSYS')],
  ],
}

describe('runSteps()', () => {
  for (const [title, table] of Object.entries(tables)) {
    it(`runs steps with ${title}`, () => {
      expect(run(table.map(([step]) => step))).to.deep.equal(table.map(([, answer]) => answer))
    })
  }

  it('creates with the umask of the scenario', () => {
    const fs = new MemoryFs()
    const steps: readonly Step[] = [
      ['mkdir', '/d', '0777'],
      ['write', '/f', ''],
    ]
    runSteps(fs, steps, { umask: '077', startedNs: 0n })
    expect([fs.lstat('/d').mode & 0o777, fs.lstat('/f').mode & 0o777]).to.deep.equal([0o700, 0o600])
  })

  it('goes on with the file system of a remount, and ends where that fails', () => {
    const first = new MemoryFs()
    const second = new MemoryFs()
    second.mkdir('/second', 0o755)
    const remounts = [() => second, () => second.lstat('/none') && second]
    const { results, fs } = runSteps(first, [['remount'], ['readdir', '/'], ['remount'], ['readdir', '/']], {
      startedNs: 0n,
      remount: () => (remounts.shift() ?? expect.fail())(),
    })
    expect(results).to.deep.equal([{ ok: null }, { ok: ['second'] }, { errno: 'ENOENT' }])
    expect(fs).to.equal(null)
  })
})
