// Names that come and go over whiteouts of several layers (rules 118-120, 124, 130).
import { expect } from 'chai'
import { O_RDONLY } from '../../../src/fs/index.ts'
import { errno, exists, isWhiteout, names, overlayChecks, TR, xattr, xattrs } from '../../support/overlay-stages.ts'
import { directory, whiteout } from '../../support/overlay-trees.ts'

overlayChecks('whiteouts of lower layers', [
  [
    'U03',
    'a file over a lower whiteout is an ordinary file of the upper layer, and leaves nothing when it goes',
    s => {
      const m = s.mount({ lower: [{ 'd/w': whiteout }] })
      m.writeFile('d/w', '')
      m.unlink('d/w')
      expect(exists(s.u, 'd/w')).to.equal(false)
    },
  ],
  [
    'U05',
    'fchmod of an open lower file that was unlinked: EEXIST, its name is taken by the whiteout',
    s => {
      const m = s.mount({ lower: [{ f: 'x' }] })
      const handle = m.open('f', O_RDONLY)
      m.unlink('f')
      expect([errno(() => handle.chmod(0o600)), isWhiteout(s.u, 'f')]).to.deep.equal(['EEXIST', true])
      handle.close()
    },
  ],
  [
    'D50',
    'mkdir over a whiteout of the lowest layer: an ordinary directory',
    s => {
      const m = s.mount({ lower: [{ d: whiteout }] })
      m.mkdir('d', 0o755)
      expect(xattrs(s.u, 'd')).to.deep.equal([])
    },
  ],
  [
    'D51',
    'mkdir over a whiteout of a middle layer: not opaque, that hides what is beneath already',
    s => {
      const m = s.mount({ lower: [{ d: whiteout }, { 'd/x': '' }] })
      m.mkdir('d', 0o755)
      expect([xattrs(s.u, 'd'), names(m, 'd')]).to.deep.equal([[], []])
    },
  ],
  [
    'D52',
    'and its rmdir leaves nothing',
    s => {
      const m = s.mount({ lower: [{ d: whiteout }, { 'd/x': '' }] })
      m.mkdir('d', 0o755)
      m.rmdir('d')
      expect(exists(s.u, 'd')).to.equal(false)
    },
  ],
  [
    'D53',
    'with redirect_dir=on a directory in a merged one is opaque, one in that is not',
    s => {
      const m = s.mount({ lower: [{ d: directory }], options: 'redirect_dir=on' })
      m.mkdir('n', 0o755)
      m.rename('n', 'n2')
      m.mkdir('n2/s', 0o755)
      expect([xattr(s.u, 'n2', `${TR}opaque`), xattrs(s.u, 'n2/s')]).to.deep.equal(['y', []])
    },
  ],
])
