// Sizes and times of files (rules 115, 142-144).
import { expect } from 'chai'
import { errno, names, overlayChecks, text } from '../../support/overlay-stages.ts'
import { directory } from '../../support/overlay-trees.ts'

const second = 1_000_000_000n
const digits = '0123456789'

overlayChecks('sizes', [
  [
    'A01',
    'truncate shortens the upper copy',
    s => {
      const m = s.mount({ lower: [{ f: digits }] })
      m.open('f', 1).close()
      m.truncate('f', 3)
      expect([text(s.u, 'f'), text(s.lower, 'f')]).to.deep.equal(['012', digits])
    },
  ],
  [
    'A02',
    'truncate to more fills with zeros',
    s => {
      const m = s.mount({ lower: [{ f: digits }] })
      m.truncate('f', 3)
      m.truncate('f', 6)
      expect(text(m, 'f')).to.equal('012\0\0\0')
    },
  ],
  [
    'A03',
    'truncate of a directory EISDIR, to less than nothing EINVAL, of nothing ENOENT; nothing is copied up',
    s => {
      const m = s.mount({ lower: [{ f: digits, d: directory }] })
      const answers = [() => m.truncate('d', 0), () => m.truncate('f', -1), () => m.truncate('nope', 0)].map(errno)
      expect([answers, names(s.u)]).to.deep.equal([['EISDIR', 'EINVAL', 'ENOENT'], []])
    },
  ],
  [
    'A04',
    'truncate of a lower file copies it up',
    s => {
      s.mount({ lower: [{ f: digits }] }).truncate('f', 4)
      expect([text(s.u, 'f'), text(s.lower, 'f')]).to.deep.equal(['0123', digits])
    },
  ],
])

overlayChecks('times', [
  [
    'A05',
    'reading a lower file leaves its access time',
    s => {
      s.make({ lower: [{ f: 'x' }] })
      s.lower.utimens('f', { atime: second, mtime: 2n * second })
      const m = s.remount()
      expect(text(m, 'f')).to.equal('x')
      expect([m.lstat('f').atimeNs, s.lower.lstat('f').atimeNs]).to.deep.equal([second, second])
    },
  ],
  [
    'A06',
    'reading an upper file sets its access time where that is not after the other times',
    s => {
      const m = s.mount()
      m.writeFile('f', 'x')
      m.utimens('f', { atime: second, mtime: 2n * second })
      expect(text(m, 'f')).to.equal('x')
      const [shown, stored] = [m.lstat('f').atimeNs, s.u.lstat('f').atimeNs]
      expect([shown > 1_600_000_000n * second, shown]).to.deep.equal([true, stored])
    },
  ],
  [
    'A07',
    'utimens sets both on the upper copy',
    s => {
      s.mount({ lower: [{ f: 'x' }] }).utimens('f', { atime: 5n * second, mtime: 6n * second })
      expect(s.u.lstat('f')).to.include({ atimeNs: 5n * second, mtimeNs: 6n * second })
    },
  ],
])
