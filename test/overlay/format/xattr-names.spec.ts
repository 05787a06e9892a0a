import { expect } from 'chai'
import { escapeXattr, isPrivateXattr, markNames, visibleXattrs } from '../../../src/overlay/index.ts'

const trusted = markNames(false)
const user = markNames(true)

describe('names of attributes', () => {
  const cases: readonly (readonly [name: string, stored: string, shown: string])[] = [
    // asked for through the overlay, as it is on the disk, the name on the disk as a listing shows it
    ['user.a', 'user.a', 'user.a'],
    ['trusted.overlayx', 'trusted.overlayx', 'trusted.overlayx'],
    ['trusted.overlay.opaque', 'trusted.overlay.overlay.opaque', 'trusted.overlay.opaque'],
    ['trusted.overlay.zzz', 'trusted.overlay.overlay.zzz', 'trusted.overlay.zzz'],
    ['trusted.overlay.overlay.x', 'trusted.overlay.overlay.overlay.x', 'trusted.overlay.overlay.x'],
    ['user.overlay.opaque', 'user.overlay.opaque', 'user.overlay.opaque'],
  ]
  for (const [name, stored, shown] of cases) {
    it(`${name} is stored as ${stored}`, () => {
      expect(escapeXattr(name, trusted, 'getxattr')).to.equal(stored)
      expect(visibleXattrs([stored], trusted)).to.deep.equal([shown])
      expect(isPrivateXattr(stored, trusted)).to.equal(false)
    })
  }

  it('the bare prefix is no name', () => {
    expect(() => escapeXattr('trusted.overlay.', trusted, 'getxattr'))
      .to.throw()
      .with.property('code', 'EINVAL')
    expect(escapeXattr('trusted.overlay.', user, 'getxattr')).to.equal('trusted.overlay.')
    expect(visibleXattrs(['trusted.overlay.'], trusted)).to.deep.equal([])
    expect(isPrivateXattr('trusted.overlay.', trusted)).to.equal(true)
  })

  it('under userxattr the user prefix is escaped and the trusted one is ordinary', () => {
    expect(escapeXattr('user.overlay.x', user, 'getxattr')).to.equal('user.overlay.overlay.x')
    expect(escapeXattr('trusted.overlay.x', user, 'getxattr')).to.equal('trusted.overlay.x')
    const stored = ['user.overlay.origin', 'trusted.overlay.opaque', 'user.overlay.overlay.x', 'user.b']
    expect(visibleXattrs(stored, user)).to.deep.equal(['trusted.overlay.opaque', 'user.overlay.x', 'user.b'])
  })

  it('keeps private names from the listing, also unknown ones', () => {
    const stored = ['security.c', 'trusted.overlay.origin', 'trusted.overlay.whatever', 'trusted.t']
    expect(visibleXattrs(stored, trusted)).to.deep.equal(['security.c', 'trusted.t'])
  })

  it('a name that is too long once escaped cannot be stored', () => {
    const longest = `trusted.overlay.${'x'.repeat(255 - 'trusted.overlay.overlay.'.length)}`
    expect(escapeXattr(longest, trusted, 'setxattr')).to.have.length(255)
    const escapeLonger = (): unknown => escapeXattr(`${longest}x`, trusted, 'setxattr')
    expect(escapeLonger).to.throw().with.property('code', 'EOPNOTSUPP')
    const inBytes = `trusted.overlay.${'é'.repeat(116)}`
    expect(() => escapeXattr(inBytes, trusted, 'setxattr'))
      .to.throw()
      .with.property('code', 'EOPNOTSUPP')
  })
})
