// A file system in memory against the tmpfs of the running kernel: the same calls must be seen to do the same.
import { expect } from 'chai'
import fc from 'fast-check'
import {
  aclAccessName,
  aclDefaultName,
  encodeAcl,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  type FileSystem,
  FS_APPEND_FL,
  makeDevice,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_NOATIME,
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
} from '../../../src/fs/index.ts'
import { changedTimes, look, needsTmpfs, openTmpfs, outcome, type Tmpfs } from '../../support/tmpfs.ts'

type Call = (fs: FileSystem) => unknown

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** Opens, calls, closes. */
function withFile(
  fs: FileSystem,
  path: string,
  flags: number,
  call: (file: ReturnType<FileSystem['open']>) => unknown,
): unknown {
  const file = fs.open(path, flags, 0o644)
  try {
    return call(file)
  } finally {
    file.close()
  }
}

const acl = (...entries: readonly (readonly [tag: number, permissions: number, id?: number])[]): Uint8Array =>
  encodeAcl(entries.map(([tag, permissions, id = 0xffffffff]) => ({ tag, permissions, id })))

/** Kinds of tests by what is compared after each row: everything that `look` sees. Every row builds on those above it. */
const steps: readonly (readonly [string, Call])[] = [
  ['files', fs => ['a', 'b', 'c'].forEach(name => fs.writeFile(`/${name}`, name.repeat(3)))],
  ['a directory', fs => fs.mkdir('/d', 0o755)],
  ['a symlink', fs => fs.symlink('where', '/short')],
  ['a symlink that fits into its inode', fs => fs.symlink('x'.repeat(127), '/127')],
  ['a symlink that does not', fs => fs.symlink('é'.repeat(64), '/128')],
  [
    'devices',
    fs => [
      fs.mknod('/null', S_IFCHR | 0o666, makeDevice(1, 3)),
      fs.mknod('/blk', S_IFBLK | 0o600, makeDevice(259, 70000)),
    ],
  ],
  ['a whiteout', fs => fs.mknod('/wh', S_IFCHR, 0)],
  ['a fifo and a socket', fs => [fs.mknod('/fifo', S_IFIFO | 0o644), fs.mknod('/sock', S_IFSOCK | 0o644)]],
  ['rename to a new name', fs => fs.rename('/a', '/a2')],
  ['rename over a file', fs => fs.rename('/b', '/c')],
  ['a hard link', fs => fs.link('/a2', '/l')],
  ['rename between two names of one file', fs => fs.rename('/a2', '/l')],
  ['rename into another directory', fs => fs.rename('/c', '/d/c')],
  ['a directory moved', fs => [fs.mkdir('/d/e', 0o700), fs.mkdir('/f', 0o755), fs.rename('/d/e', '/f/e')]],
  ['a directory over an empty one', fs => [fs.mkdir('/g', 0o755), fs.rename('/f/e', '/g')]],
  ['a directory over one that is not empty', fs => fs.rename('/g', '/d')],
  ['exchange in one directory', fs => fs.rename('/l', '/g', { flags: RENAME_EXCHANGE })],
  ['exchange across directories, file and directory', fs => fs.rename('/l', '/d/c', { flags: RENAME_EXCHANGE })],
  ['exchange with nothing', fs => fs.rename('/d/c', '/none', { flags: RENAME_EXCHANGE })],
  ['whiteout behind a rename', fs => fs.rename('/short', '/d/short', { flags: RENAME_WHITEOUT })],
  [
    'whiteout behind a rename over a file',
    fs => [fs.writeFile('/v', ''), fs.rename('/v', '/d/short', { flags: RENAME_WHITEOUT })],
  ],
  ['no replacing', fs => fs.rename('/fifo', '/sock', { flags: RENAME_NOREPLACE })],
  ['unlink and make again', fs => [fs.unlink('/fifo'), fs.writeFile('/fifo', '')]],
  ['rmdir', fs => fs.rmdir('/f')],
  ['rmdir of one that is not empty', fs => fs.rmdir('/d')],
  [
    'setgid is handed down',
    fs => [
      fs.mkdir('/sg', 0o755),
      fs.chown('/sg', 1, 7),
      fs.chmod('/sg', 0o2755),
      fs.mkdir('/sg/d', 0o700),
      fs.writeFile('/sg/f', ''),
    ],
  ],
  [
    'a file without a name',
    fs => withFile(fs, '/d', O_TMPFILE | O_RDWR, file => [file.write(text('tmp')), file.linkAs('/d/named')]),
  ],
  [
    'attributes in the order of tmpfs',
    fs =>
      ['user.b', 'trusted.z', 'user.a', 'security.foo', 'user.A', 'user.aa', 'user.a\udcff'].forEach(name =>
        fs.setxattr('/fifo', name, text(name)),
      ),
  ],
  [
    'an attribute changed and one removed',
    fs => [fs.setxattr('/fifo', 'user.a', text('new')), fs.removexattr('/fifo', 'user.b')],
  ],
  ['an attribute that is there, to be created', fs => fs.setxattr('/fifo', 'user.a', text(''), 1)],
  ['an attribute that is not there, to be replaced', fs => fs.setxattr('/fifo', 'user.none', text(''), 2)],
  ['an attribute that is not there, removed', fs => fs.removexattr('/fifo', 'user.none')],
  ['an access list', fs => fs.setxattr('/fifo', aclAccessName, acl([1, 6], [2, 4, 5], [4, 4], [0x10, 5], [0x20, 0]))],
  ['its mask follows chmod', fs => fs.chmod('/fifo', 0o731)],
  [
    'an access list that says no more than a mode',
    fs => fs.setxattr('/fifo', aclAccessName, acl([1, 7], [4, 5], [0x20, 1])),
  ],
  ['an access list that is not there, removed', fs => fs.removexattr('/fifo', aclAccessName)],
  [
    'a default list is handed down',
    fs => [
      fs.mkdir('/acl', 0o755),
      fs.setxattr('/acl', aclDefaultName, acl([1, 7], [2, 6, 5], [4, 5], [0x10, 7], [0x20, 0])),
      fs.mkdir('/acl/d', 0o750),
      fs.writeFile('/acl/f', ''),
      fs.symlink('x', '/acl/l'),
      fs.mknod('/acl/p', S_IFIFO | 0o666),
    ],
  ],
  [
    'a default list that says no more than a mode',
    fs => [
      fs.mkdir('/acl2', 0o755),
      fs.setxattr('/acl2', aclDefaultName, acl([1, 7], [4, 5], [0x20, 4])),
      fs.mkdir('/acl2/d', 0o777),
      fs.writeFile('/acl2/f', '', 0o666),
    ],
  ],
  ['flags', fs => withFile(fs, '/d', O_RDONLY, file => [file.setFlags(0xc0), file.getFlags()])],
  [
    'flags are handed down',
    fs => [fs.mkdir('/d/flagged', 0o755), withFile(fs, '/d/flagged', O_RDONLY, file => file.getFlags())],
  ],
  ['flags that tmpfs has not', fs => withFile(fs, '/d', O_RDONLY, file => file.setFlags(1))],
  ['append only', fs => withFile(fs, '/c2', O_CREAT | O_RDWR, file => [file.setFlags(FS_APPEND_FL), file.setFlags(0)])],
  ['a hole', fs => withFile(fs, '/sp', O_CREAT | O_RDWR, file => file.write(text('x'), 10_000))],
  ['a longer hole', fs => fs.truncate('/sp', 100_000)],
  ['cut within a page', fs => [fs.truncate('/sp', 10_001), fs.truncate('/sp', 20_000)]],
  ['room reserved: a hole for readers', fs => withFile(fs, '/sp', O_RDWR, file => file.allocate(0, 40_000, 10_000))],
  ['part of it reserved again: data', fs => withFile(fs, '/sp', O_RDWR, file => file.allocate(0, 44_000, 3000))],
  ['written into reserved room', fs => withFile(fs, '/sp', O_RDWR, file => file.write(text('y'), 45_000))],
  [
    'reserved behind the end',
    fs => withFile(fs, '/sp', O_RDWR, file => file.allocate(FALLOC_FL_KEEP_SIZE, 60_000, 10_000)),
  ],
  ['cut to the size it has: frees what is behind', fs => fs.truncate('/sp', 50_000)],
  [
    'a hole punched over pages',
    fs =>
      withFile(fs, '/sp', O_RDWR, file => [
        file.write(text('z'.repeat(20_000)), 4000),
        file.allocate(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 5000, 9000),
      ]),
  ],
  [
    'a hole punched within a page',
    fs => withFile(fs, '/sp', O_RDWR, file => file.allocate(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 20_500, 100)),
  ],
  [
    'other ways to allocate',
    fs => withFile(fs, '/sp', O_RDWR, file => [8, 0x10, 0x20].map(mode => outcome(() => file.allocate(mode, 0, 4096)))),
  ],
  [
    '64 GiB of hole',
    fs =>
      withFile(fs, '/huge', O_CREAT | O_RDWR, file => [
        file.truncate(2 ** 36),
        file.write(text('end'), 2 ** 36 - 4097),
        file.seek(0, 'data'),
      ]),
  ],
  [
    'seeking in an empty file',
    fs =>
      withFile(fs, '/empty', O_CREAT | O_RDWR, file => [
        outcome(() => file.seek(0, 'data')),
        outcome(() => file.seek(0, 'hole')),
      ]),
  ],
  [
    'open, unlinked, written, read',
    fs =>
      withFile(fs, '/gone', O_CREAT | O_RDWR, file => {
        fs.unlink('/gone')
        file.write(text('still'))
        const read = new Uint8Array(9)
        return [file.read(read, 0), [...read], file.stat().nlink, file.stat().blocks]
      }),
  ],
  ['emptied when opened', fs => withFile(fs, '/sp', O_WRONLY | O_TRUNC, () => undefined)],
  [
    'a directory removed while it is open',
    fs => [
      fs.mkdir('/dead', 0o755),
      withFile(fs, '/dead', O_RDONLY | O_DIRECTORY, file => {
        fs.rmdir('/dead')
        return [outcome(() => file.readdir().length), file.stat().nlink, file.stat().sizeBytes]
      }),
    ],
  ],
]

/** Which times change: the object, its directory, and others. */
const timed: readonly (readonly [string, readonly string[], Call])[] = [
  ['create', ['/', '/d'], fs => fs.writeFile('/d/new', '')],
  ['write', ['/d', '/d/f'], fs => withFile(fs, '/d/f', O_WRONLY, file => file.write(text('x')))],
  ['write of nothing', ['/d/f'], fs => withFile(fs, '/d/f', O_WRONLY, file => file.write(text('')))],
  ['append', ['/d/f'], fs => withFile(fs, '/d/f', O_WRONLY | O_APPEND, file => file.write(text('x')))],
  ['read', ['/d/f'], fs => fs.readFile('/d/f')],
  [
    'read without access time',
    ['/d/g'],
    fs => withFile(fs, '/d/g', O_RDONLY | O_NOATIME, file => file.read(new Uint8Array(1))),
  ],
  ['read of nothing', ['/d/g'], fs => withFile(fs, '/d/g', O_RDONLY, file => file.read(new Uint8Array(0)))],
  ['read behind the end', ['/d/g'], fs => withFile(fs, '/d/g', O_RDONLY, file => file.read(new Uint8Array(5), 100))],
  ['readdir', ['/d'], fs => fs.readdir('/d')],
  ['readlink', ['/d/s', '/d/f'], fs => fs.readlink('/d/s')],
  ['a symlink followed', ['/d/s2', '/d/f'], fs => fs.stat('/d/s2')],
  ['chmod', ['/d', '/d/f'], fs => fs.chmod('/d/f', 0o600)],
  ['chmod to the same', ['/d/f'], fs => fs.chmod('/d/f', 0o600)],
  ['chown', ['/d/f'], fs => fs.chown('/d/f', 1, 1)],
  ['chown to the same', ['/d/f'], fs => fs.chown('/d/f', -1, -1)],
  ['utimens of one', ['/d/f'], fs => fs.utimens('/d/f', { atime: 'omit', mtime: 5n })],
  ['setxattr', ['/d/f'], fs => fs.setxattr('/d/f', 'user.a', text('1'))],
  ['removexattr', ['/d/f'], fs => fs.removexattr('/d/f', 'user.a')],
  [
    'an access list set',
    ['/d/f'],
    fs => fs.setxattr('/d/f', aclAccessName, acl([1, 6], [2, 4, 5], [4, 4], [0x10, 5], [0x20, 0])),
  ],
  ['chmod with an access list', ['/d/f'], fs => fs.chmod('/d/f', 0o640)],
  ['an access list removed', ['/d/f'], fs => fs.removexattr('/d/f', aclAccessName)],
  ['flags', ['/d/f'], fs => withFile(fs, '/d/f', O_RDONLY, file => file.setFlags(0))],
  ['link', ['/d', '/', '/d/f'], fs => fs.link('/d/f', '/hard')],
  ['unlink', ['/d', '/', '/d/f'], fs => fs.unlink('/hard')],
  ['rename over', ['/', '/d', '/d/f', '/d/g', '/x'], fs => [fs.writeFile('/x', ''), fs.rename('/x', '/d/g')]],
  ['rename', ['/', '/d', '/d/g', '/y'], fs => fs.rename('/d/g', '/y')],
  ['exchange', ['/', '/d', '/y', '/d/f'], fs => fs.rename('/y', '/d/f', { flags: RENAME_EXCHANGE })],
  ['mkdir', ['/', '/d'], fs => fs.mkdir('/d/sub', 0o755)],
  ['rmdir', ['/', '/d'], fs => fs.rmdir('/d/sub')],
  ['symlink', ['/', '/d'], fs => fs.symlink('x', '/d/new-link')],
  ['truncate longer', ['/e'], fs => fs.truncate('/e', 10)],
  ['truncate to the same size, nothing allocated', ['/e'], fs => fs.truncate('/e', 10)],
  ['truncate to the same size, something allocated', ['/d/f'], fs => fs.truncate('/d/f', fs.stat('/d/f').sizeBytes)],
  ['ftruncate to the same size', ['/e'], fs => withFile(fs, '/e', O_WRONLY, file => file.truncate(10))],
  ['O_TRUNC', ['/e'], fs => withFile(fs, '/e', O_WRONLY | O_TRUNC, () => undefined)],
  ['O_TRUNC of an empty file', ['/e'], fs => withFile(fs, '/e', O_WRONLY | O_TRUNC, () => undefined)],
  ['fallocate', ['/e'], fs => withFile(fs, '/e', O_WRONLY, file => file.allocate(0, 0, 5000))],
  ['a hole punched', ['/e'], fs => withFile(fs, '/e', O_WRONLY, file => file.allocate(3, 0, 5000))],
  ['open and close', ['/d', '/e'], fs => withFile(fs, '/e', O_RDWR, () => undefined)],
]

function prepareTimed(fs: FileSystem): void {
  fs.mkdir('/d', 0o755)
  for (const name of ['/d/f', '/d/g', '/e']) fs.writeFile(name, name === '/e' ? '' : 'content')
  fs.symlink('f', '/d/s')
  fs.symlink('f', '/d/s2')
}

/** Times long ago, so that relatime lets reading change them, and a tick of the kernel's clock (at most 10 ms) later. */
function agePaths(fs: FileSystem, paths: readonly string[]): void {
  for (const at of paths) outcome(() => fs.utimens(at, { atime: 1n, mtime: 2n, follow: false }))
  if (fs === pair.kernel) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 11)
}

function freeOf(fs: FileSystem): object {
  const { type, blockSizeBytes, blocks, blocksFree, files, filesFree, nameMax } = fs.statfs('/')
  return { type, blockSizeBytes, blocks, blocksFree, files, filesFree, nameMax }
}

const limited: readonly (readonly [string, { sizeBytes?: number; maxInodes?: number }, Call])[] = [
  ['a size that is no multiple of a page', { sizeBytes: 10_000 }, fs => fs.writeFile('/a', 'x'.repeat(9000))],
  [
    'a write that fits in part, then one that does not fit',
    { sizeBytes: 8192 },
    fs =>
      withFile(fs, '/a', O_CREAT | O_WRONLY, file => [
        file.write(new Uint8Array(10_000)),
        outcome(() => file.write(text('x'))),
        file.write(text('x'), 5),
      ]),
  ],
  [
    'room that cannot be reserved',
    { sizeBytes: 8192 },
    fs =>
      withFile(fs, '/a', O_CREAT | O_WRONLY, file => [
        outcome(() => file.allocate(0, 0, 9000)),
        outcome(() => file.allocate(0, 0, 2 ** 40)),
        file.allocate(0, 0, 8192),
      ]),
  ],
  [
    'removing frees',
    { sizeBytes: 8192 },
    fs => [fs.writeFile('/a', 'x'.repeat(8192)), fs.unlink('/a'), fs.writeFile('/b', 'x'.repeat(8192))],
  ],
  [
    'an open file keeps its pages',
    { sizeBytes: 8192 },
    fs =>
      withFile(fs, '/a', O_CREAT | O_WRONLY, file => [
        file.write(new Uint8Array(8192)),
        fs.unlink('/a'),
        outcome(() => fs.writeFile('/b', 'x')),
      ]),
  ],
  [
    'a symlink takes a page',
    { sizeBytes: 4096 },
    fs => [fs.symlink('x'.repeat(200), '/a'), outcome(() => fs.symlink('x'.repeat(200), '/b')), fs.unlink('/a')],
  ],
  [
    'inodes',
    { maxInodes: 3 },
    fs => [
      fs.mkdir('/a', 0o755),
      fs.writeFile('/b', ''),
      outcome(() => fs.writeFile('/c', '')),
      fs.rmdir('/a'),
      fs.writeFile('/c', ''),
    ],
  ],
  [
    'hard links count',
    { maxInodes: 3 },
    fs => [
      fs.writeFile('/a', ''),
      fs.link('/a', '/b'),
      outcome(() => fs.link('/a', '/c')),
      fs.unlink('/a'),
      fs.link('/b', '/c'),
    ],
  ],
  [
    'a file without a name counts once',
    { maxInodes: 2 },
    fs => withFile(fs, '/', O_TMPFILE | O_RDWR, file => file.linkAs('/a')),
  ],
  [
    'attributes count',
    { maxInodes: 4 },
    fs => [
      fs.writeFile('/a', ''),
      outcome(() => fs.setxattr('/a', 'user.a', new Uint8Array(3000))),
      fs.setxattr('/a', 'user.a', new Uint8Array(1000)),
      outcome(() => fs.setxattr('/a', 'user.a', new Uint8Array(1100))),
      fs.removexattr('/a', 'user.a'),
    ],
  ],
  [
    'a whiteout that does not fit',
    { maxInodes: 2 },
    fs => [fs.writeFile('/a', ''), outcome(() => fs.rename('/a', '/b', { flags: RENAME_WHITEOUT }))],
  ],
]

const anyPath = fc.constantFrom('/a', '/b', '/d', '/d/a', '/d/e', '/d/e/f', '/s')
const anySize = fc.oneof(fc.integer({ min: 0, max: 30_000 }), fc.constantFrom(0, 4095, 4096, 4097, 8192))
const anyCall: fc.Arbitrary<{ readonly title: string; readonly call: Call }> = fc.oneof(
  fc.tuple(anyPath, anySize, anySize).map(([at, position, size]) => ({
    title: `write ${at} ${position} ${size}`,
    call: (fs: FileSystem) =>
      withFile(fs, at, O_CREAT | O_WRONLY, file => file.write(new Uint8Array(size).fill(65), position)),
  })),
  fc
    .tuple(anyPath, anySize, fc.integer({ min: 1, max: 20_000 }), fc.constantFrom(0, 1, 3))
    .map(([at, position, size, mode]) => ({
      title: `allocate ${at} ${mode} ${position} ${size}`,
      call: (fs: FileSystem) => withFile(fs, at, O_WRONLY, file => file.allocate(mode, position, size)),
    })),
  fc
    .tuple(anyPath, anySize)
    .map(([at, size]) => ({ title: `truncate ${at} ${size}`, call: (fs: FileSystem) => fs.truncate(at, size) })),
  anyPath.map(at => ({ title: `mkdir ${at}`, call: (fs: FileSystem) => fs.mkdir(at, 0o755) })),
  anyPath.map(at => ({ title: `symlink ${at}`, call: (fs: FileSystem) => fs.symlink('d/a', at) })),
  anyPath.map(at => ({ title: `unlink ${at}`, call: (fs: FileSystem) => fs.unlink(at) })),
  anyPath.map(at => ({ title: `rmdir ${at}`, call: (fs: FileSystem) => fs.rmdir(at) })),
  fc
    .tuple(anyPath, anyPath)
    .map(([from, to]) => ({ title: `link ${from} ${to}`, call: (fs: FileSystem) => fs.link(from, to) })),
  fc.tuple(anyPath, anyPath, fc.constantFrom(0, 0, 1, 2, 4)).map(([from, to, flags]) => ({
    title: `rename ${from} ${to} ${flags}`,
    call: (fs: FileSystem) => fs.rename(from, to, { flags }),
  })),
  fc.tuple(anyPath, fc.constantFrom('user.a', 'user.b', 'trusted.c'), fc.nat(200)).map(([at, name, size]) => ({
    title: `setxattr ${at} ${name}`,
    call: (fs: FileSystem) => fs.setxattr(at, name, new Uint8Array(size)),
  })),
  fc
    .tuple(anyPath, fc.constantFrom(0o2755, 0o644, 0o1777))
    .map(([at, mode]) => ({ title: `chmod ${at}`, call: (fs: FileSystem) => fs.chmod(at, mode) })),
)

let pair: Tmpfs

describe('MemoryFs beside the kernel’s tmpfs', () => {
  before(function () {
    needsTmpfs(this)
  })

  describe('what is seen after each call', () => {
    before(() => {
      pair = openTmpfs()
    })
    after(() => pair?.close())
    for (const [title, call] of steps) {
      it(title, () => {
        const [kernel, memory] = [pair.kernel, pair.memory].map(fs => outcome(() => call(fs)))
        expect(memory).to.deep.equal(kernel)
        expect(look(pair.memory)).to.deep.equal(look(pair.kernel))
      })
    }
  })

  describe('times that change', () => {
    before(() => {
      pair = openTmpfs()
      prepareTimed(pair.kernel)
      prepareTimed(pair.memory)
    })
    after(() => pair?.close())
    for (const [title, paths, call] of timed) {
      it(title, () => {
        for (const fs of [pair.kernel, pair.memory]) agePaths(fs, paths)
        const [kernel, memory] = [pair.kernel, pair.memory].map(fs => changedTimes(fs, paths, () => call(fs)))
        expect(memory).to.deep.equal(kernel)
      })
    }
  })

  describe('limits', () => {
    for (const [title, limits, call] of limited) {
      it(title, () => {
        const narrow = openTmpfs(limits)
        try {
          const [kernel, memory] = [narrow.kernel, narrow.memory].map(fs => [outcome(() => call(fs)), freeOf(fs)])
          expect(memory).to.deep.equal(kernel)
          expect(look(narrow.memory)).to.deep.equal(look(narrow.kernel))
        } finally {
          narrow.close()
        }
      })
    }
  })

  it('does the same in any order of calls', () => {
    fc.assert(
      fc.property(fc.array(anyCall, { minLength: 5, maxLength: 40 }), calls => {
        const random = openTmpfs({ sizeBytes: 60 * 4096, maxInodes: 30 })
        try {
          for (const { title, call } of calls) {
            const [kernel, memory] = [random.kernel, random.memory].map(fs => outcome(() => call(fs)))
            expect(memory, title).to.deep.equal(kernel)
          }
          expect(look(random.memory)).to.deep.equal(look(random.kernel))
          expect(freeOf(random.memory)).to.deep.equal(freeOf(random.kernel))
        } finally {
          random.close()
        }
      }),
      { numRuns: 60 },
    )
  })
})
