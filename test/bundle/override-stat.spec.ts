import { expect } from 'chai'
import fc from 'fast-check'
import { formatOverrideStat, type OverrideStat, parseOverrideStat } from '../../src/bundle/index.ts'

const written: readonly [OverrideStat, string][] = [
  [{ uid: 0, gid: 0, mode: 0o755 }, '0:0:0755'],
  [{ uid: 1000, gid: 50, mode: 0o4711 }, '1000:50:04711'],
  [{ uid: 1, gid: 2, mode: 0 }, '1:2:00'],
  [{ uid: 0, gid: 6, mode: 0o660, standsFor: { type: 'blockDevice', major: 8, minor: 1 } }, '0:6:0660:block-8-1'],
  [{ uid: 0, gid: 0, mode: 0o666, standsFor: { type: 'charDevice', major: 1, minor: 3 } }, '0:0:0666:char-1-3'],
  [{ uid: 0, gid: 0, mode: 0o600, standsFor: { type: 'fifo' } }, '0:0:0600:pipe'],
  [{ uid: 0, gid: 0, mode: 0o600, standsFor: { type: 'socket' } }, '0:0:0600:socket'],
]

const read: readonly [string, OverrideStat | null][] = [
  ['0:0:755', { uid: 0, gid: 0, mode: 0o755 }],
  ['5:6:0755:dir', { uid: 5, gid: 6, mode: 0o755 }],
  ['5:6:0100644:file', { uid: 5, gid: 6, mode: 0o644 }],
  ['5:6:0777:symlink', { uid: 5, gid: 6, mode: 0o777 }],
  ['5:6:0600:block-8', { uid: 5, gid: 6, mode: 0o600 }],
  ['', null],
  ['0:0', null],
  ['0:0:', null],
  ['0:0:8', null],
  ['7:-1:100644', { uid: 7, gid: -1, mode: 0o644 }],
  ['-2:0:755', null],
  ['4294967295:0:755', null],
  ['0:0:0755:', null],
]

describe('formatOverrideStat()', () => {
  for (const [stat, text] of written) it(`writes ${text}`, () => expect(formatOverrideStat(stat)).to.equal(text))
})

describe('parseOverrideStat()', () => {
  for (const [stat, text] of written) it(`reads ${text}`, () => expect(parseOverrideStat(text)).to.deep.equal(stat))
  for (const [text, stat] of read) it(`reads "${text}"`, () => expect(parseOverrideStat(text)).to.deep.equal(stat))

  it('takes any text', () => {
    fc.assert(fc.property(fc.string(), text => parseOverrideStat(text) === null || text.includes(':')))
  })
})
