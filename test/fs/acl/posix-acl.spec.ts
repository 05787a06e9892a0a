import { expect } from 'chai'
import fc from 'fast-check'
import { isValidAcl, modeOfAcl } from '../../../src/fs/acl/posix-acl.ts'
import {
  ACL_GROUP,
  ACL_GROUP_OBJ,
  ACL_MASK,
  ACL_OTHER,
  ACL_USER,
  ACL_USER_OBJ,
  type AclEntry,
  decodeAcl,
  encodeAcl,
  type FileType,
  inheritAcl,
} from '../../../src/fs/index.ts'

const noId = 0xffffffff
const entry = (tag: number, permissions: number, id = noId): AclEntry => ({ tag, permissions, id })
const three = [entry(ACL_USER_OBJ, 7), entry(ACL_GROUP_OBJ, 5), entry(ACL_OTHER, 1)]
const full = [
  entry(ACL_USER_OBJ, 7),
  entry(ACL_USER, 6, 1000),
  entry(ACL_GROUP_OBJ, 5),
  entry(ACL_GROUP, 4, 2000),
  entry(ACL_MASK, 6),
  entry(ACL_OTHER, 1),
]

describe('decodeAcl()', () => {
  it('reads what encodeAcl() writes', () => {
    expect(decodeAcl(encodeAcl(full))).to.deep.equal(full)
  })

  it('answers for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), value => {
        const entries = decodeAcl(value)
        if (typeof entries !== 'string') expect(encodeAcl(entries).length).to.equal(value.length)
        else expect(entries).to.be.oneOf(['EINVAL', 'EOPNOTSUPP'])
      }),
    )
  })

  const cases: readonly (readonly [string, readonly number[], unknown])[] = [
    ['nothing', [], 'EINVAL'],
    ['another version', [1, 0, 0, 0], 'EOPNOTSUPP'],
    ['a bare header', [2, 0, 0, 0], []],
    ['half an entry', [2, 0, 0, 0, 1, 0, 7, 0], 'EINVAL'],
    ['an unknown tag', [2, 0, 0, 0, 3, 0, 7, 0, 0, 0, 0, 0], 'EINVAL'],
    ['a user without a number', [2, 0, 0, 0, 2, 0, 7, 0, 255, 255, 255, 255], 'EINVAL'],
    ['the number of an owner, which means nothing', [2, 0, 0, 0, 1, 0, 7, 0, 9, 0, 0, 0], [entry(ACL_USER_OBJ, 7)]],
  ]
  for (const [title, value, expected] of cases) {
    it(`reads ${title}`, () => {
      expect(decodeAcl(Uint8Array.from(value))).to.deep.equal(expected)
    })
  }
})

describe('isValidAcl()', () => {
  const cases: readonly (readonly [string, readonly AclEntry[], boolean])[] = [
    ['three entries', three, true],
    ['all kinds', full, true],
    ['a mask alone', [...three.slice(0, 2), entry(ACL_MASK, 7), entry(ACL_OTHER, 1)], true],
    ['several users', [three[0]!, entry(ACL_USER, 1, 5), entry(ACL_USER, 1, 4), ...full.slice(2)], true],
    ['a user without a mask', [three[0]!, entry(ACL_USER, 1, 5), ...three.slice(1)], false],
    ['no others', three.slice(0, 2), false],
    ['two owners', [three[0]!, ...three], false],
    ['groups before users', [three[0]!, three[1]!, entry(ACL_USER, 1, 5), entry(ACL_MASK, 7), three[2]!], false],
    ['something behind the others', [...three, entry(ACL_MASK, 7)], false],
    ['a fourth permission', [entry(ACL_USER_OBJ, 15), ...three.slice(1)], false],
    ['nothing', [], false],
  ]
  for (const [title, entries, expected] of cases) {
    it(`${expected ? 'takes' : 'refuses'} ${title}`, () => {
      expect(isValidAcl(entries)).to.equal(expected)
    })
  }
})

describe('modeOfAcl()', () => {
  it('takes the group from the mask, and knows what a mode cannot say', () => {
    expect(modeOfAcl(three)).to.deep.equal({ bits: 0o751, isWhole: true })
    expect(modeOfAcl(full)).to.deep.equal({ bits: 0o761, isWhole: false })
  })
})

describe('inheritAcl()', () => {
  it('applies the umask where there is no list', () => {
    expect(inherit(null, 'file', 0o666)).to.deep.equal({ mode: '644', access: null, default: false })
    expect(inherit([], 'dir', 0o777)).to.deep.equal({ mode: '755', access: null, default: false })
  })

  it('leaves symlinks alone', () => {
    expect(inherit(full, 'symlink', 0o777)).to.deep.equal({ mode: '777', access: null, default: false })
  })

  it('keeps no list that the mode can say', () => {
    expect(inherit(three, 'file', 0o666)).to.deep.equal({ mode: '640', access: null, default: false })
  })

  it('cuts mode and list down to each other; directories hand the list on', () => {
    const access = [entry(ACL_USER_OBJ, 6), ...full.slice(1, 4), entry(ACL_MASK, 4), entry(ACL_OTHER, 0)]
    expect(inherit(full, 'dir', 0o2640)).to.deep.equal({ mode: '2640', access, default: true })
  })
})

function inherit(entries: readonly AclEntry[] | null, type: FileType, mode: number) {
  const parent = entries === null ? null : encodeAcl(entries)
  const { mode: left, access, default: own } = inheritAcl(parent, { type, mode, umask: 0o022 })
  return { mode: left.toString(8), access: access === null ? null : decodeAcl(access), default: own !== null }
}
