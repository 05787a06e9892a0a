// What opening copies up, and what an open file is (rules 93, 94, 100, 109-111, 114).
import { expect } from 'chai'
import {
  type FileHandle,
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
  type Tree,
} from '../../../src/fs/index.ts'
import {
  type Check,
  errno,
  exists,
  isWhiteout,
  names,
  type OverlayStage,
  overlayChecks,
  text,
} from '../../support/overlay-stages.ts'
import { directory, whiteout } from '../../support/overlay-trees.ts'

const lower: Tree = {
  file: '0123456789',
  dir: directory,
  symlink: { target: 'file' },
  fifo: { type: 'fifo' },
  device: { type: 'char', rdev: '1:3', mode: '0666' },
}

/** Names and sizes of what the upper layer has afterwards. */
type Opening = {
  readonly open: string
  readonly flags: number
  readonly upper: Record<string, number>
  readonly answer?: string
}

/** Opens a lower object and looks into the upper layer. */
function opening(id: string, fact: string, { open, flags, upper, answer = 'OK' }: Opening): Check {
  return [
    id,
    fact,
    s => {
      const m = s.mount({ lower: [lower] })
      expect(errno(() => m.open(open, flags, 0o644).close())).to.equal(answer)
      expect(Object.fromEntries(names(s.u).map(name => [name, s.u.lstat(name).sizeBytes]))).to.deep.equal(upper)
    },
  ]
}

overlayChecks('opening', [
  opening('O01', 'for reading: no copy-up', { open: 'file', flags: O_RDONLY, upper: {} }),
  opening('O02', 'for writing copies up, whether anything is written or not', {
    open: 'file',
    flags: O_WRONLY,
    upper: { file: 10 },
  }),
  opening('O03', 'for reading and writing copies up', { open: 'file', flags: O_RDWR, upper: { file: 10 } }),
  opening('O04', 'for appending copies up, with the data', {
    open: 'file',
    flags: O_WRONLY | O_APPEND,
    upper: { file: 10 },
  }),
  opening('O05', 'O_TRUNC: no data is copied', { open: 'file', flags: O_WRONLY | O_TRUNC, upper: { file: 0 } }),
  opening('O06', 'O_RDONLY with O_TRUNC copies up and empties', {
    open: 'file',
    flags: O_RDONLY | O_TRUNC,
    upper: { file: 0 },
  }),
  opening('O06b', 'O_RDONLY with O_APPEND: no copy-up', {
    open: 'file',
    flags: O_RDONLY | O_APPEND,
    upper: {},
  }),
  opening('O07', 'O_RDONLY with O_CREAT of a file that exists: no copy-up', {
    open: 'file',
    flags: O_RDONLY | O_CREAT,
    upper: {},
  }),
  opening('O08', 'O_WRONLY with O_CREAT of a file that exists copies up', {
    open: 'file',
    flags: O_WRONLY | O_CREAT,
    upper: { file: 10 },
  }),
  opening('O09', 'O_CREAT with O_EXCL of a file that exists: no copy-up (EEXIST)', {
    open: 'file',
    flags: O_WRONLY | O_CREAT | O_EXCL,
    upper: {},
    answer: 'EEXIST',
  }),
  opening('O10', 'a directory with O_CREAT: no copy-up (EISDIR)', {
    open: 'dir',
    flags: O_WRONLY | O_CREAT,
    upper: {},
    answer: 'EISDIR',
  }),
  opening('O11', 'a directory for writing: no copy-up (EISDIR)', {
    open: 'dir',
    flags: O_WRONLY,
    upper: {},
    answer: 'EISDIR',
  }),
  opening('O12', 'a directory for listing: no copy-up', {
    open: 'dir',
    flags: O_RDONLY | O_DIRECTORY,
    upper: {},
  }),
  opening('O13', 'through a symlink for writing copies up what it names, not the link', {
    open: 'symlink',
    flags: O_WRONLY,
    upper: { file: 10 },
  }),
  opening('O14', 'a symlink with O_NOFOLLOW (ELOOP)', {
    open: 'symlink',
    flags: O_WRONLY | O_NOFOLLOW,
    upper: {},
    answer: 'ELOOP',
  }),
  opening('O15', 'a symlink with O_CREAT and O_EXCL (EEXIST)', {
    open: 'symlink',
    flags: O_WRONLY | O_CREAT | O_EXCL,
    upper: {},
    answer: 'EEXIST',
  }),
  opening('O16', 'a fifo for writing: no copy-up', { open: 'fifo', flags: O_RDWR, upper: {} }),
  opening('O17', 'a device for writing: no copy-up', { open: 'device', flags: O_WRONLY, upper: {} }),
  opening('O18', 'O_PATH: no copy-up', { open: 'file', flags: O_PATH, upper: {} }),
  opening('O19', 'O_NOATIME: no copy-up', { open: 'file', flags: O_RDONLY | O_NOATIME, upper: {} }),
  [
    'O20',
    'O_CREAT through a symlink to nothing makes what it names',
    s => {
      const m = s.mount({ lower: [{ s: { target: 'new' } }] })
      m.open('s', O_WRONLY | O_CREAT, 0o644).close()
      expect(names(s.u)).to.deep.equal(['new'])
    },
  ],
])

/** What a handle reads from the start. */
function read(handle: FileHandle): string {
  const target = new Uint8Array(100)
  return new TextDecoder().decode(target.subarray(0, handle.read(target, 0)))
}

/** What an open file of O_TMPFILE shows and leaves under a name that it is given. */
function nameTemporary(s: OverlayStage, place: string, name: string): readonly string[] {
  const handle = s.m.open(place, O_TMPFILE | O_RDWR, 0o600)
  handle.write(new TextEncoder().encode('hi'))
  const before = names(s.m, place)
  handle.linkAs(name)
  handle.close()
  return before
}

overlayChecks('open files', [
  [
    'O21',
    'a file that was opened for reading shows what is written after its copy-up',
    s => {
      const m = s.mount({ lower: [{ f: 'old' }] })
      const handle = m.open('f', O_RDONLY)
      expect(read(handle)).to.equal('old')
      m.writeFile('f', 'NEW!')
      expect(read(handle)).to.equal('NEW!')
      handle.close()
    },
  ],
  [
    'O23',
    'and its new size',
    s => {
      const m = s.mount({ lower: [{ f: 'old' }] })
      const handle = m.open('f', O_RDONLY)
      m.writeFile('f', 'NEW!')
      expect(handle.stat().sizeBytes).to.equal(4)
      handle.close()
    },
  ],
  [
    'O24',
    'O_APPEND writes behind the lower data, in the upper copy',
    s => {
      const m = s.mount({ lower: [lower] })
      const handle = m.open('file', O_WRONLY | O_APPEND)
      handle.write(new TextEncoder().encode('A'))
      handle.close()
      expect([text(m, 'file'), text(s.u, 'file'), text(s.lower, 'file')]).to.deep.equal([
        '0123456789A',
        '0123456789A',
        '0123456789',
      ])
    },
  ],
  [
    'O25',
    'O_TMPFILE copies the directory up; the file has no name until it is linked, and is an upper one then',
    s => {
      s.mount({ lower: [{ d: directory }] })
      expect(nameTemporary(s, 'd', 'd/named')).to.deep.equal([])
      expect([names(s.u), names(s.u, 'd'), text(s.u, 'd/named')]).to.deep.equal([['d'], ['named'], 'hi'])
      expect(text(s.m, 'd/named')).to.equal('hi')
    },
  ],
  [
    'O26',
    'a file of O_TMPFILE can get a name that a whiteout has',
    s => {
      s.mount({ lower: [{ w: 'x' }], upper: { w: whiteout } })
      nameTemporary(s, '/', 'w')
      expect([isWhiteout(s.u, 'w'), exists(s.m, 'w'), text(s.u, 'w')]).to.deep.equal([false, true, 'hi'])
    },
  ],
  [
    'O29',
    'fallocate grows the upper copy of a file',
    s => {
      const m = s.mount({ lower: [{ f: 'abc'.repeat(1000) }] })
      const handle = m.open('f', O_RDWR)
      handle.allocate(0, 0, 10_000)
      handle.close()
      expect([s.u.lstat('f').sizeBytes, m.lstat('f').sizeBytes]).to.deep.equal([10_000, 10_000])
      expect(text(m, 'f')).to.equal('abc'.repeat(1000) + '\0'.repeat(7000))
    },
  ],
  [
    'O30',
    'seeking to the end and to the next hole asks the real file',
    s => {
      const m = s.mount({ lower: [{ f: 'abc'.repeat(1000) }] })
      const handle = m.open('f', O_RDONLY)
      expect([handle.seek(0, 'end'), handle.seek(0, 'hole'), handle.seek(0, 'data')]).to.deep.equal([3000, 3000, 0])
      handle.close()
    },
  ],
  [
    'O31',
    'writing to what is open for reading',
    s => {
      const m = s.mount({ lower: [lower] })
      const handle = m.open('file', O_RDONLY)
      expect(errno(() => handle.write(new Uint8Array(1)))).to.equal('EBADF')
      handle.close()
      expect(names(s.u)).to.deep.equal([])
    },
  ],
])
