// Errnos of paths and calls in general, through an overlay (rules 156-158).
import { expect } from 'chai'
import {
  type FileSystem,
  makeDevice,
  MAY_WRITE,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  S_IFCHR,
  S_IFDIR,
} from '../../../src/fs/index.ts'
import { type Check, errno, type Layers, names, overlayChecks, setXattr } from '../../support/overlay-stages.ts'
import { directory } from '../../support/overlay-trees.ts'

const writable: Layers = {
  lower: [
    {
      f: 'x',
      'd/e': directory,
      s: { target: 'f' },
      loop: { target: 'loop' },
      sd: { target: 'd' },
      dang: { target: 'nope' },
    },
  ],
}

const readOnly: Layers = { lower: [{ f: 'x', d: directory, 'd/q': '', s: { target: 'f' } }, {}], upper: null }

/** A check that one call answers with one errno. */
function answers(layers: Layers): (...row: Answer) => Check {
  return (id, fact, want, call) => [
    id,
    `${fact}: ${want}`,
    s => {
      const m = s.mount(layers)
      expect(errno(() => call(m))).to.equal(want)
    },
  ]
}

type Answer = readonly [id: string, fact: string, want: string, call: (m: FileSystem) => unknown]

function open(m: FileSystem, path: string, flags: number): void {
  m.open(path, flags, 0o644).close()
}

const path = answers(writable)

overlayChecks('errnos of paths', [
  path('V01', 'stat of a name below a file', 'ENOTDIR', m => m.stat('f/x')),
  path('V02', 'stat of a file with a slash behind', 'ENOTDIR', m => m.stat('f/')),
  path('V03', 'stat of a symlink to itself', 'ELOOP', m => m.stat('loop')),
  path('V04', 'stat of a dangling symlink', 'ENOENT', m => m.stat('dang')),
  path('V05', 'mkdir of what is there', 'EEXIST', m => m.mkdir('d', 0o755)),
  path('V06', 'mkdir over a dangling symlink', 'EEXIST', m => m.mkdir('dang', 0o755)),
  path('V07', 'mkdir with a slash behind', 'OK', m => m.mkdir('new/', 0o755)),
  path('V08', 'O_CREAT with a slash behind', 'EISDIR', m => open(m, 'q/', O_CREAT | O_WRONLY)),
  path('V09', 'rmdir of "."', 'EINVAL', m => m.rmdir('d/.')),
  path('V10', 'rmdir of ".."', 'ENOTEMPTY', m => m.rmdir('d/..')),
  path('V11', 'rmdir of the root', 'EBUSY', m => m.rmdir('/')),
  path('V12', 'unlink of "."', 'EISDIR', m => m.unlink('d/.')),
  path('V13', 'unlink of a file with a slash behind', 'ENOTDIR', m => m.unlink('f/')),
  path('V14', 'unlink of a directory with a slash behind', 'EISDIR', m => m.unlink('d/')),
  path('V15', 'unlink of nothing with a slash behind', 'ENOENT', m => m.unlink('nope/')),
  path('V16', 'rename of "."', 'EBUSY', m => m.rename('d/.', 'z')),
  path('V17', 'rename to ".."', 'EBUSY', m => m.rename('d', 'd/..')),
  path('V18', 'rename of the root', 'EBUSY', m => m.rename('/', 'zz')),
  path('V19', 'rename of a file to a name with a slash behind', 'ENOTDIR', m => m.rename('f', 'z/')),
  path('V20', 'rmdir of a symlink', 'ENOTDIR', m => m.rmdir('sd')),
  path('V21', 'rmdir of a symlink with a slash behind', 'ENOTDIR', m => m.rmdir('sd/')),
  path('V22', 'symlink over what is there', 'EEXIST', m => m.symlink('q', 'f')),
  path('V23', 'link to what is there', 'EEXIST', m => m.link('f', 's')),
  path('V24', 'link of nothing to what is there', 'ENOENT', m => m.link('nope', 'f')),
  path('V25', 'readlink of a file', 'EINVAL', m => m.readlink('f')),
  path('V26', 'O_DIRECTORY of a file', 'ENOTDIR', m => open(m, 'f', O_DIRECTORY)),
  path('V27', 'open of an empty path', 'ENOENT', m => open(m, '', O_RDONLY)),
  path('V28', 'a name of 256 bytes', 'ENAMETOOLONG', m => m.stat('x'.repeat(256))),
  path('V29', 'a path of 4096 bytes', 'ENAMETOOLONG', m => m.stat('/'.repeat(4096))),
  path('V30', 'truncate of a directory', 'EISDIR', m => m.truncate('d', 0)),
  path('V32', 'a name that is no UTF-8', 'OK', m => m.writeFile('\udcff\udcfe', '')),
  path('V33', 'a name with a line feed', 'OK', m => m.writeFile('a\nb', '')),
  path('V38', 'rmdir of a directory that is not empty', 'ENOTEMPTY', m => m.rmdir('d')),
  path('V39', 'mknod of a directory', 'EPERM', m => m.mknod('zz', S_IFDIR)),
  path('V40', 'setxattr in a namespace that there is not', 'EOPNOTSUPP', m => setXattr(m, 'f', 'foo.bar', '1')),
  path('V41', 'getxattr of what is not there', 'ENODATA', m => m.getxattr('f', 'user.zz')),
  path('V42', 'setxattr of 64 KiB and a byte', 'E2BIG', m => m.setxattr('f', 'user.big', new Uint8Array(65537))),
  path('V43', 'O_TMPFILE for reading', 'EINVAL', m => open(m, 'd', O_TMPFILE | O_RDONLY)),
  path('V45', 'O_EXCL without O_CREAT', 'OK', m => open(m, 'f', O_EXCL)),
  path('V46', 'O_WRONLY|O_DIRECTORY of a directory', 'EISDIR', m => open(m, 'd', O_WRONLY | O_DIRECTORY)),
  path('V47', 'O_CREAT|O_DIRECTORY', 'EINVAL', m => open(m, 'zq', O_CREAT | O_DIRECTORY | O_WRONLY)),
  [
    'V34',
    '40 symlinks are followed',
    s => expect(errno(() => linkChain(s.mount(writable)).stat('c39'))).to.equal('OK'),
  ],
  [
    'V35',
    'the 41st is not: ELOOP',
    s => expect(errno(() => linkChain(s.mount(writable)).stat('c40'))).to.equal('ELOOP'),
  ],
  [
    'V37',
    'an open directory that was removed: getdents64 gives ENOENT, which readdir(3) takes for the end',
    s => {
      const m = s.mount(writable)
      m.mkdir('new', 0o755)
      const handle = m.open('new', O_DIRECTORY)
      m.rmdir('new')
      expect(errno(() => handle.readdir())).to.equal('ENOENT')
      handle.close()
    },
  ],
  [
    'V44',
    'reading a directory as a file: EISDIR',
    s => {
      const handle = s.mount(writable).open('d', O_RDONLY)
      expect(errno(() => handle.read(new Uint8Array(1)))).to.equal('EISDIR')
      handle.close()
    },
  ],
])

/** c0 leads to f, every further one to the one before. */
function linkChain(m: FileSystem): FileSystem {
  m.symlink('f', 'c0')
  for (let at = 1; at <= 41; at++) m.symlink(`c${at - 1}`, `c${at}`)
  return m
}

const frozen = answers(readOnly)

overlayChecks('errnos of a read-only overlay', [
  frozen('Y01', 'open of a file for writing', 'EROFS', m => open(m, 'f', O_WRONLY)),
  frozen('Y02', 'open that makes a file', 'EROFS', m => open(m, 'n', O_CREAT | O_WRONLY)),
  frozen('Y03', 'O_CREAT for reading what is there', 'OK', m => open(m, 'f', O_CREAT)),
  frozen('Y04', 'O_CREAT|O_EXCL of what is there', 'EEXIST', m => open(m, 'f', O_CREAT | O_EXCL | O_WRONLY)),
  frozen('Y05', 'O_TRUNC for reading', 'EROFS', m => open(m, 'f', O_TRUNC)),
  frozen('Y06', 'mkdir of what is there', 'EEXIST', m => m.mkdir('d', 0o755)),
  frozen('Y07', 'mkdir', 'EROFS', m => m.mkdir('n', 0o755)),
  frozen('Y08', 'unlink', 'EROFS', m => m.unlink('f')),
  frozen('Y09', 'unlink of nothing', 'EROFS', m => m.unlink('n')),
  frozen('Y10', 'rmdir of nothing', 'EROFS', m => m.rmdir('n')),
  frozen('Y11', 'rename', 'EROFS', m => m.rename('f', 'n')),
  frozen('Y12', 'rename of nothing', 'EROFS', m => m.rename('n', 'n2')),
  frozen('Y13', 'chmod', 'EROFS', m => m.chmod('f', 0o600)),
  frozen('Y14', 'chmod of nothing', 'ENOENT', m => m.chmod('n', 0o600)),
  frozen('Y15', 'truncate', 'EROFS', m => m.truncate('f', 0)),
  frozen('Y16', 'setxattr', 'EROFS', m => setXattr(m, 'f', 'user.a', '1')),
  frozen('Y17', 'utimes', 'EROFS', m => m.utimens('f', { atime: 'now', mtime: 'now' })),
  frozen('Y18', 'link', 'EROFS', m => m.link('f', 'n')),
  frozen('Y19', 'symlink over what is there', 'EEXIST', m => m.symlink('x', 'f')),
  frozen('Y20', 'open of nothing for writing', 'ENOENT', m => open(m, 'n', O_WRONLY)),
  frozen('Y21', 'access for writing', 'EROFS', m => m.access('f', MAY_WRITE)),
  frozen('Y22', 'open of a directory for writing', 'EISDIR', m => open(m, 'd', O_WRONLY)),
  frozen('Y23', 'removexattr of nothing', 'EROFS', m => m.removexattr('f', 'user.a')),
  frozen('Y24', 'O_TMPFILE', 'EROFS', m => open(m, 'd', O_TMPFILE | O_RDWR)),
  frozen('Y25', 'mknod of a whiteout', 'EROFS', m => m.mknod('n', S_IFCHR, makeDevice(0, 0))),
  [
    'Y00',
    'reading and listing work',
    s => {
      const m = s.mount(readOnly)
      expect([names(m), m.readFile('f').length]).to.deep.equal([['d', 'f', 's'], 1])
    },
  ],
])
