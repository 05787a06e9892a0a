// Files that are copied up without their data (metacopy=on), and when the data follows (rules 91, 106, 107).
import { expect } from 'chai'
import { type FileSystem, O_RDONLY, O_TRUNC, O_WRONLY, type Tree } from '../../../src/fs/index.ts'
import {
  errno,
  isWhiteout,
  type OverlayStage,
  overlayChecks,
  setXattr,
  text,
  TR,
  xattr,
  xattrs,
} from '../../support/overlay-stages.ts'
import { directory } from '../../support/overlay-trees.ts'

const data = 'x'.repeat(5000)
const lower: Tree = {
  f: { content: data, mtime: '1000000000' },
  empty: '',
  d: directory,
  r: 'z'.repeat(10),
  h: 'h'.repeat(10),
}

function mount(s: OverlayStage): FileSystem {
  return s.mount({ lower: [lower], options: 'metacopy=on' })
}

/** The overlay after a chmod of f. */
function changed(s: OverlayStage): FileSystem {
  const m = mount(s)
  m.chmod('f', 0o600)
  return m
}

/** overlay.metacopy and overlay.redirect of an upper file. */
function marks(s: OverlayStage, path: string): readonly string[] {
  return [xattr(s.u, path, `${TR}metacopy`), xattr(s.u, path, `${TR}redirect`)]
}

overlayChecks('metacopy=on', [
  [
    'C40',
    'chmod makes an upper file of the full size that is one hole, with an empty overlay.metacopy and overlay.origin',
    s => {
      changed(s)
      const { sizeBytes, blocks } = s.u.lstat('f')
      expect([sizeBytes, blocks <= 8]).to.deep.equal([5000, true])
      const handle = s.u.open('f', O_RDONLY)
      expect([handle.seek(0, 'hole'), errno(() => handle.seek(0, 'data'))]).to.deep.equal([0, 'ENXIO'])
      handle.close()
      expect(xattrs(s.u, 'f')).to.deep.equal([`${TR}metacopy`, `${TR}origin`])
      expect(xattr(s.u, 'f', `${TR}metacopy`)).to.equal('')
    },
  ],
  [
    'C41',
    'its blocks are those of the lower file, its time too',
    s => {
      const { blocks, mtimeNs } = changed(s).lstat('f')
      expect([blocks, mtimeNs]).to.deep.equal([s.lower.lstat('f').blocks, 1_000_000_000_000_000_000n])
      expect(blocks).to.not.equal(s.u.lstat('f').blocks)
    },
  ],
  [
    'C42',
    'reading copies no data',
    s => {
      expect(text(changed(s), 'f')).to.equal(data)
      expect(marks(s, 'f')).to.deep.equal(['', 'ENODATA'])
    },
  ],
  [
    'C43',
    'opening for writing copies the data into the same upper file and removes overlay.metacopy',
    s => {
      const m = changed(s)
      const { ino } = s.u.lstat('f')
      m.open('f', O_WRONLY).close()
      expect([s.u.lstat('f').ino, text(s.u, 'f')]).to.deep.equal([ino, data])
      expect(xattrs(s.u, 'f')).to.deep.equal([`${TR}origin`])
    },
  ],
  [
    'C44',
    'truncate copies the data first',
    s => {
      changed(s).truncate('f', 100)
      expect([text(s.m, 'f'), text(s.u, 'f')]).to.deep.equal([data.slice(0, 100), data.slice(0, 100)])
      expect(marks(s, 'f')).to.deep.equal(['ENODATA', 'ENODATA'])
    },
  ],
  [
    'C45',
    'of an empty file too',
    s => {
      mount(s).chmod('empty', 0o600)
      expect(marks(s, 'empty')).to.deep.equal(['', 'ENODATA'])
    },
  ],
  [
    'C46',
    'setxattr and chown copy no data',
    s => {
      const m = mount(s)
      setXattr(m, 'f', 'user.z', '1')
      m.chown('f', 3, 3)
      expect([...marks(s, 'f'), text(m, 'f')]).to.deep.equal(['', 'ENODATA', data])
    },
  ],
  [
    'C47',
    'rename in a directory copies no data; overlay.redirect has the old name',
    s => {
      const m = mount(s)
      m.rename('r', 'r2')
      expect([...marks(s, 'r2'), isWhiteout(s.u, 'r'), text(m, 'r2')]).to.deep.equal(['', 'r', true, 'z'.repeat(10)])
      expect(text(s.remount(), 'r2')).to.equal('z'.repeat(10))
    },
  ],
  [
    'C48',
    'and the old path, once it is moved to another directory',
    s => {
      const m = mount(s)
      m.rename('r', 'r2')
      m.rename('r2', 'd/r3')
      expect([...marks(s, 'd/r3'), text(s.remount(), 'd/r3')]).to.deep.equal(['', '/r', 'z'.repeat(10)])
    },
  ],
  [
    'C49',
    'link copies no data; overlay.redirect has the path',
    s => {
      mount(s).link('h', 'h2')
      expect([...marks(s, 'h2'), text(s.m, 'h2')]).to.deep.equal(['', '/h', 'h'.repeat(10)])
      expect(s.u.lstat('h').ino).to.equal(s.u.lstat('h2').ino)
    },
  ],
  [
    'C50',
    'overlay.redirect stays when the data is copied',
    s => {
      const m = mount(s)
      m.rename('r', 'd/r3')
      m.open('d/r3', O_WRONLY).close()
      expect([...marks(s, 'd/r3'), text(s.u, 'd/r3')]).to.deep.equal(['ENODATA', '/r', 'z'.repeat(10)])
    },
  ],
  [
    'C51',
    'O_TRUNC copies no data and removes overlay.metacopy',
    s => {
      changed(s)
        .open('f', O_RDONLY | O_TRUNC)
        .close()
      expect([...marks(s, 'f'), s.u.lstat('f').sizeBytes]).to.deep.equal(['ENODATA', 'ENODATA', 0])
    },
  ],
])
