// What sets a copy-up off, what it takes along, and what becomes of it without space (rules 93-102, 105, 116).
import { expect } from 'chai'
import {
  ACL_GROUP_OBJ,
  ACL_MASK,
  ACL_OTHER,
  ACL_USER,
  ACL_USER_OBJ,
  aclAccessName,
  aclDefaultName,
  encodeAcl,
  type FileSystem,
  FS_APPEND_FL,
  FS_IMMUTABLE_FL,
  MAY_WRITE,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  type Tree,
  XATTR_REPLACE,
} from '../../../src/fs/index.ts'
import {
  type Check,
  errno,
  names,
  type OverlayStage,
  overlayChecks,
  setXattr,
  text,
  TR,
  xattr,
  xattrs,
} from '../../support/overlay-stages.ts'
import { directory } from '../../support/overlay-trees.ts'

const rich: Tree = {
  f: {
    content: 'data'.repeat(100),
    mode: '4751',
    uid: 12,
    gid: 34,
    mtime: '1000000002.987654321',
    xattrs: { 'user.a': '1', 'trusted.b': '2', 'security.foo': '3' },
  },
}

/** A lower file with much to say, as it was and as it is in the upper layer. */
function copied(s: OverlayStage): { readonly m: FileSystem; readonly atimeNs: bigint } {
  s.make({ lower: [rich] })
  s.lower.utimens('f', { atime: 1_000_000_001_123_456_789n, mtime: 'omit' })
  // The clock of a file system has steps: the copy is to be made in a later one.
  do s.lower.chmod('', 0o755)
  while (s.lower.lstat('').ctimeNs <= s.lower.lstat('f').ctimeNs)
  const m = s.remount()
  m.open('f', O_WRONLY).close()
  return { m, atimeNs: 1_000_000_001_123_456_789n }
}

/** VFS_CAP_REVISION_2 with the effective bit; CAP_NET_RAW permitted. */
const capability = Uint8Array.from([1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])

function withCapability(s: OverlayStage, mode: string): FileSystem {
  s.make({ lower: [{ f: { content: 'x', mode } }] })
  s.lower.setxattr('f', 'security.capability', capability)
  return s.remount()
}

overlayChecks('what copy-up takes along', [
  [
    'C01',
    'mode with set-user-ID, owner and group',
    s => {
      copied(s)
      const { mode, uid, gid } = s.u.lstat('f')
      expect([mode & 0o7777, uid, gid]).to.deep.equal([0o4751, 12, 34])
    },
  ],
  [
    'C02',
    'access and modification time to the nanosecond',
    s => {
      const { atimeNs } = copied(s)
      expect(s.u.lstat('f')).to.include({ atimeNs, mtimeNs: 1_000_000_002_987_654_321n })
    },
  ],
  [
    'C03',
    'not the time of the last change, which is that of the copy',
    s => {
      const { m } = copied(s)
      const { ctimeNs } = s.u.lstat('f')
      expect(m.lstat('f').ctimeNs).to.equal(ctimeNs)
      expect(ctimeNs > s.lower.lstat('f').ctimeNs).to.equal(true)
    },
  ],
  [
    'C04',
    'attributes of user, trusted and security; overlay.origin comes on top',
    s => {
      copied(s)
      expect(xattrs(s.u, 'f')).to.deep.equal(['security.foo', 'trusted.b', `${TR}origin`, 'user.a'])
    },
  ],
  [
    'C05',
    'st_ino stays that of the lower file',
    s => {
      const { m } = copied(s)
      expect(m.lstat('f').ino).to.equal(s.lower.lstat('f').ino).and.not.equal(s.u.lstat('f').ino)
    },
  ],
  [
    'C06',
    'attributes of overlayfs are not shown by the overlay',
    s => expect(xattrs(copied(s).m, 'f')).to.deep.equal(['security.foo', 'trusted.b', 'user.a']),
  ],
  [
    'C07',
    'security.capability, when the mode changes',
    s => {
      withCapability(s, '0644').chmod('f', 0o755)
      expect(s.u.getxattr('f', 'security.capability')).to.deep.equal(s.lower.getxattr('f', 'security.capability'))
    },
  ],
  [
    'C08',
    'root’s writing leaves set-user-ID and set-group-ID and removes security.capability',
    s => {
      const handle = withCapability(s, '6755').open('f', O_RDWR)
      handle.write(new TextEncoder().encode('y'))
      handle.close()
      expect(s.u.lstat('f').mode & 0o7777).to.equal(0o6755)
      expect(xattr(s.u, 'f', 'security.capability')).to.equal('ENODATA')
    },
  ],
  [
    'C09',
    'access control lists; new files get the default list of a lower directory',
    s => {
      const none = 0xffffffff
      const list = encodeAcl([
        { tag: ACL_USER_OBJ, permissions: 6, id: none },
        { tag: ACL_USER, permissions: 4, id: 1000 },
        { tag: ACL_GROUP_OBJ, permissions: 4, id: none },
        { tag: ACL_MASK, permissions: 4, id: none },
        { tag: ACL_OTHER, permissions: 0, id: none },
      ])
      s.make({ lower: [{ f: 'x', d: directory }] })
      s.lower.setxattr('f', aclAccessName, list)
      s.lower.setxattr('d', aclDefaultName, list)
      const m = s.remount()
      m.utimens('f', { atime: 'now', mtime: 'now' })
      m.writeFile('d/n', '')
      expect([...s.u.getxattr('f', aclAccessName)]).to.deep.equal([...list])
      expect([...s.u.getxattr('d', aclDefaultName)]).to.deep.equal([...list])
      expect(xattrs(s.u, 'd/n')).to.deep.equal([aclAccessName])
    },
  ],
  [
    'C10',
    'holes',
    s => {
      const [mebibyte, sizeBytes] = [1 << 20, 64 << 20]
      s.make({ lower: [{ f: { content: '', size: sizeBytes } }] })
      const handle = s.lower.open('f', O_RDWR)
      handle.write(new Uint8Array(4096).fill(120), 10 * mebibyte)
      handle.close()
      s.remount().open('f', O_WRONLY).close()
      const { blocks } = s.u.lstat('f')
      expect(s.u.lstat('f').sizeBytes).to.equal(sizeBytes)
      expect(blocks * 512).to.be.within(4096, 3 * mebibyte)
      const copy = s.u.open('f', O_RDONLY)
      expect(copy.seek(0, 'data')).to.be.within(1, 10 * mebibyte)
      copy.close()
    },
  ],
  [
    'C11',
    'target and time of a symlink that gets another owner',
    s => {
      const m = s.mount({ lower: [{ s: { type: 'symlink', target: 'tt', uid: 3, gid: 4, mtime: '1000000000' } }] })
      m.lchown('s', 5, 5)
      expect(s.u.readlink('s')).to.equal('tt')
      expect(s.u.lstat('s')).to.include({ uid: 5, mtimeNs: 1_000_000_000_000_000_000n })
    },
  ],
  [
    'C12',
    'number of a device, kind of a fifo',
    s => {
      changeSpecials(s)
      expect(s.u.lstat('c').rdev).to.equal(s.lower.lstat('c').rdev).and.not.equal(0)
      expect(s.u.lstat('p').mode).to.equal(0o010600)
    },
  ],
  [
    'C13',
    'symlinks, devices and fifos get overlay.origin too',
    s => {
      changeSpecials(s)
      for (const name of ['s', 'c', 'p']) expect(xattrs(s.u, name), name).to.deep.equal([`${TR}origin`])
    },
  ],
  [
    'C14',
    'with userxattr symlinks get none, since they cannot have attributes of user',
    s => {
      const m = s.mount({ lower: [{ s: { target: 'tt' }, f: 'x', 'd/x': '' }], options: 'userxattr' })
      m.lchown('s', 5, 5)
      m.chmod('f', 0o600)
      m.writeFile('d/n', '')
      expect([xattrs(s.u, 's'), xattrs(s.u, 'f'), xattrs(s.u, 'd')]).to.deep.equal([
        [],
        ['user.overlay.origin'],
        ['user.overlay.origin'],
      ])
      expect(xattrs(s.u, '')).to.include('user.overlay.impure')
    },
  ],
])

/** Changes of a symlink, a device and a fifo of the lower layer. */
function changeSpecials(s: OverlayStage): void {
  const c = { type: 'char', rdev: '1:5', mode: '0640' } as const
  const m = s.mount({ lower: [{ s: { target: 'tt' }, c, p: { type: 'fifo', mode: '0600' } }] })
  m.lchown('s', 5, 5)
  m.chmod('c', 0o600)
  m.chown('p', 1, 1)
}

/** Whether something that is done with a lower object copies it up, and nothing else. */
function copyUp(
  id: string,
  fact: string,
  run: (m: FileSystem) => unknown,
  { upper, answer = 'OK' }: { readonly upper: readonly string[]; readonly answer?: string },
): Check {
  return [
    id,
    fact,
    s => {
      const m = s.mount({ lower: [{ f: '0123456789', d: directory, 'd/child': '' }] })
      expect(errno(() => run(m))).to.equal(answer)
      expect(listing(s.u)).to.deep.equal(upper)
    },
  ]
}

/** Paths of two levels. */
function listing(of: FileSystem): readonly string[] {
  return names(of).flatMap(name => [name, ...(name === 'd' ? names(of, 'd').map(child => `d/${child}`) : [])])
}

/** Something done with the open file f. */
function withOpen(run: (handle: ReturnType<FileSystem['open']>) => unknown): (m: FileSystem) => void {
  return m => {
    const handle = m.open('f', O_RDONLY)
    run(handle)
    handle.close()
  }
}

const times = (atime: 'now' | 'omit') => ({ atime, mtime: atime })

overlayChecks('what sets copy-up off', [
  copyUp('C15', 'chmod to the mode that it has', m => m.chmod('f', 0o644), { upper: ['f'] }),
  copyUp('C16', 'chown that leaves owner and group', m => m.chown('f', -1, -1), { upper: ['f'] }),
  copyUp('C17', 'not utimensat that leaves both times', m => m.utimens('f', times('omit')), { upper: [] }),
  copyUp('C18', 'utimensat to the present', m => m.utimens('f', times('now')), { upper: ['f'] }),
  copyUp('C19', 'truncate to the size that it has', m => m.truncate('f', 10), { upper: ['f'] }),
  copyUp('C20', 'setxattr', m => setXattr(m, 'f', 'user.a', '1'), { upper: ['f'] }),
  copyUp('C21', 'not removexattr of what is not there: ENODATA', m => m.removexattr('f', 'user.a'), {
    upper: [],
    answer: 'ENODATA',
  }),
  copyUp(
    'C22',
    'setxattr with XATTR_REPLACE of what is not there, though it fails with ENODATA',
    m => m.setxattr('f', 'user.a', new Uint8Array(1), XATTR_REPLACE),
    { upper: ['f'], answer: 'ENODATA' },
  ),
  copyUp('C23', 'not access with W_OK', m => m.access('f', MAY_WRITE), { upper: [] }),
  copyUp('C24', 'chmod of a directory: it alone', m => m.chmod('d', 0o700), { upper: ['d'] }),
  copyUp('C25', 'not stat and listing', m => [m.stat('d'), m.readdir('d'), m.readFile('d/child')], { upper: [] }),
  copyUp('C28', 'mkdir in a directory copies that up', m => m.mkdir('d/n', 0o755), { upper: ['d', 'd/n'] }),
  copyUp(
    'C29',
    'fchmod of a file that is open for reading',
    withOpen(handle => handle.chmod(0o600)),
    { upper: ['f'] },
  ),
  copyUp(
    'C30',
    'futimens of a file that is open for reading',
    withOpen(handle => handle.utimens(times('now'))),
    { upper: ['f'] },
  ),
  copyUp(
    'C31',
    'not fsync',
    withOpen(handle => handle.sync()),
    { upper: [] },
  ),
  copyUp(
    'C32',
    'not asking for the flags of chattr',
    withOpen(handle => handle.getFlags()),
    { upper: [] },
  ),
])

function setFlags(of: FileSystem, flags: number): number {
  const handle = of.open('f', O_RDONLY)
  handle.setFlags(flags)
  const now = handle.getFlags()
  handle.close()
  return now
}

function flagsOf(of: FileSystem): number {
  const handle = of.open('f', O_RDONLY)
  const flags = handle.getFlags()
  handle.close()
  return flags
}

overlayChecks('flags of chattr', [
  [
    'C33',
    '+a copies up and is kept in overlay.protattr, not on the upper file',
    s => {
      const m = s.mount({ lower: [{ f: '0123456789' }] })
      setFlags(m, FS_APPEND_FL)
      expect([xattr(s.u, 'f', `${TR}protattr`), flagsOf(s.u) & FS_APPEND_FL]).to.deep.equal(['a', 0])
    },
  ],
  [
    'C34',
    '+i likewise; the overlay refuses changes with EPERM',
    s => {
      const m = s.mount({ lower: [{ f: 'x' }] })
      expect(setFlags(m, FS_IMMUTABLE_FL) & FS_IMMUTABLE_FL).to.equal(FS_IMMUTABLE_FL)
      expect([xattr(s.u, 'f', `${TR}protattr`), flagsOf(s.u) & FS_IMMUTABLE_FL]).to.deep.equal(['i', 0])
      expect([errno(() => m.open('f', O_WRONLY)), errno(() => m.unlink('f'))]).to.deep.equal(['EPERM', 'EPERM'])
    },
  ],
  [
    'C35',
    'the next mount does so too',
    s => {
      setFlags(s.mount({ lower: [{ f: 'x' }] }), FS_IMMUTABLE_FL)
      expect(errno(() => s.remount().open('f', O_WRONLY))).to.equal('EPERM')
    },
  ],
  [
    'C36',
    '-i removes overlay.protattr',
    s => {
      const m = s.mount({ lower: [{ f: 'x' }] })
      setFlags(m, FS_IMMUTABLE_FL)
      setFlags(m, 0)
      expect(xattrs(s.u, 'f')).to.deep.equal([`${TR}origin`])
      expect(errno(() => m.open('f', O_WRONLY).close())).to.equal('OK')
    },
  ],
  [
    'C37',
    'a lower file with +i cannot be changed: opening for writing, chmod, unlink, rename give EPERM',
    s => {
      s.make({ lower: [{ f: 'x' }] })
      setFlags(s.lower, FS_IMMUTABLE_FL)
      const m = s.remount()
      const refused = [
        () => m.open('f', O_WRONLY),
        () => m.chmod('f', 0o600),
        () => m.unlink('f'),
        () => m.rename('f', 'g'),
      ].map(errno)
      setFlags(s.lower, 0)
      expect(refused).to.deep.equal(['EPERM', 'EPERM', 'EPERM', 'EPERM'])
      expect(names(s.u)).to.deep.equal([])
    },
  ],
])

/** A lower file that the upper file system has no space for. */
function tooBig(s: OverlayStage): FileSystem {
  return s.mount({ lower: [{ 'd/big': 'x'.repeat(3 << 20) }], upperOn: 'small' })
}

overlayChecks('copy-up without space', [
  [
    'C38',
    'ENOSPC: no part of the file stays, but its directory is copied up; the lower file can be read',
    s => {
      const m = tooBig(s)
      expect(errno(() => m.open('d/big', O_WRONLY))).to.equal('ENOSPC')
      expect([names(s.u), names(s.u, 'd'), names(s.w, 'work')]).to.deep.equal([['d'], [], []])
      expect(text(m, 'd/big').length).to.equal(3 << 20)
    },
  ],
  [
    'C39',
    'chmod copies the data too: ENOSPC',
    s => {
      const m = tooBig(s)
      expect(errno(() => m.chmod('d/big', 0o600))).to.equal('ENOSPC')
      expect([names(s.u, 'd'), m.lstat('d/big').mode & 0o777]).to.deep.equal([[], 0o644])
    },
  ],
])
