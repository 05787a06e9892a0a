// An overlay as a layer of another, and layers that change beneath a mount (rules 121, 159, 160).
import { expect } from 'chai'
import { S_IFCHR } from '../../../src/fs/index.ts'
import { errno, exists, isWhiteout, names, overlayChecks, text, TR, xattrs } from '../../support/overlay-stages.ts'
import { directory, whiteout } from '../../support/overlay-trees.ts'

const escaped = {
  'd/x': '',
  d: { type: 'dir', xattrs: { [`${TR}overlay.opaque`]: 'y' } },
  w: { type: 'file', xattrs: { [`${TR}overlay.whiteout`]: '' } },
  keep: 'kept',
} as const

overlayChecks('nesting', [
  [
    'N01',
    'escaped attributes are shown without the escape',
    s => {
      const m = s.mount({ lower: [escaped] })
      expect([xattrs(m, 'd'), xattrs(m, 'w')]).to.deep.equal([[`${TR}opaque`], [`${TR}whiteout`]])
    },
  ],
  [
    'N02',
    'and mean something to an overlay of the overlay',
    s => {
      s.mount({ lower: [escaped] })
      expect(names(s.above.mount({ lower: [{ 'd/below': '' }] }), 'd')).to.deep.equal(['x'])
    },
  ],
  [
    'N03',
    'what is done in the outer overlay leaves the inner one as it is',
    s => {
      const inner = s.mount({ lower: [escaped] })
      const outer = s.above.mount()
      outer.unlink('keep')
      outer.writeFile('d/x', 'changed')
      expect([isWhiteout(s.above.u, 'keep'), text(s.above.u, 'd/x')]).to.deep.equal([true, 'changed'])
      expect([text(inner, 'keep'), text(inner, 'd/x'), names(s.u)]).to.deep.equal(['kept', '', []])
    },
  ],
  [
    'N04',
    'a character device 0:0 is never shown, and cannot be made: EPERM',
    s => {
      const m = s.mount({ lower: [{ w: whiteout, q: '' }] })
      expect(names(m)).to.deep.equal(['q'])
      expect(errno(() => m.mknod('z', S_IFCHR, 0))).to.equal('EPERM')
    },
  ],
])

const keepsNoNames = 'that a name was not found is remembered by the kernel’s cache of names alone'

overlayChecks('layers that change beneath a mount', [
  [
    'G01',
    'new contents of a lower file are read, and a lower name that nobody asked for yet is found',
    s => {
      const m = s.mount({ lower: [{ f: '1', d: directory }] })
      m.stat('f')
      s.lower.writeFile('f', 'changed')
      s.lower.writeFile('f2', '2')
      expect([text(m, 'f'), text(m, 'f2')]).to.deep.equal(['changed', '2'])
    },
  ],
  [
    'G02',
    'a name that was asked for before it was added to a lower layer stays missing',
    s => {
      const m = s.mount()
      const before = exists(m, 'n')
      s.lower.writeFile('n', '')
      expect([before, exists(m, 'n'), exists(s.remount(), 'n')]).to.deep.equal([false, false, true])
    },
    { memory: keepsNoNames, host: keepsNoNames },
  ],
  [
    'G03',
    'a name that was asked for before it was added to the upper layer stays missing',
    s => {
      const m = s.mount()
      const before = exists(m, 'n')
      s.u.writeFile('n', '')
      expect([before, exists(m, 'n'), exists(s.remount(), 'n')]).to.deep.equal([false, false, true])
    },
    { memory: keepsNoNames, host: keepsNoNames },
  ],
])
