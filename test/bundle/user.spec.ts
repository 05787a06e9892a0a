import { expect } from 'chai'
import fc from 'fast-check'
import type { Warning } from '../../src/errors/index.ts'
import { OvlError } from '../../src/errors/index.ts'
import type { RootfsReader } from '../../src/bundle/index.ts'
import { type ResolvedUser, resolveUser } from '../../src/bundle/user.ts'
import { type MemoryFile, memoryRootfs } from './memory-rootfs.ts'

const passwd = [
  'root:x:0:0:root:/root:/bin/sh',
  '# comment:x:5:5::/:',
  '+nis:x:6:6::/:',
  'broken:x:seven:7::/:',
  'huge:x:2147483648:0::/:',
  '',
  'ada:x:1000:1000:Ada:/home/ada:/bin/sh',
  'ada:x:2000:2000:second:/nowhere:/bin/sh',
  'shared:x:1000:1001::/home/shared:/bin/sh',
  '3000:x:33:33:a number as name:/three:/bin/sh',
  'windows:x:44:44::/w:/bin/sh\r',
  'short:x:55:56',
].join('\n')

const group = [
  'root:x:0:',
  'audio:x:29:ada,root',
  'staff:x:50:shared,ada',
  'ada:x:1000:ada',
  'again:x:50:ada',
  'open:x:60:,ada,',
  'broken:x::ada',
].join('\n')

const rootfs = memoryRootfs({ 'etc/passwd': passwd, 'etc/group': group })
const nobody = { additionalGids: [], home: '' }

const resolved: readonly [string, ResolvedUser][] = [
  ['', { uid: 0, gid: 0, additionalGids: [29], home: '/root' }],
  ['root', { uid: 0, gid: 0, additionalGids: [29], home: '/root' }],
  ['0', { uid: 0, gid: 0, additionalGids: [29], home: '/root' }],
  ['ada', { uid: 1000, gid: 1000, additionalGids: [29, 50, 60], home: '/home/ada' }],
  ['1000', { uid: 1000, gid: 1000, additionalGids: [29, 50, 60], home: '/home/ada' }],
  ['01000', { uid: 1000, gid: 1000, additionalGids: [29, 50, 60], home: '/home/ada' }],
  ['shared', { uid: 1000, gid: 1001, additionalGids: [50], home: '/home/shared' }],
  ['ada:', { uid: 1000, gid: 1000, additionalGids: [29, 50, 60], home: '/home/ada' }],
  ['ada:staff', { uid: 1000, gid: 50, additionalGids: [], home: '/home/ada' }],
  ['ada:77', { uid: 1000, gid: 77, additionalGids: [], home: '/home/ada' }],
  ['1000:staff', { uid: 1000, gid: 50, additionalGids: [], home: '/home/ada' }],
  [':staff', { uid: 0, gid: 50, additionalGids: [], home: '/root' }],
  [':', { uid: 0, gid: 0, additionalGids: [29], home: '/root' }],
  ['12345', { ...nobody, uid: 12345, gid: 0 }],
  ['12345:678', { ...nobody, uid: 12345, gid: 678 }],
  ['12345:staff', { ...nobody, uid: 12345, gid: 50 }],
  ['3000', { ...nobody, uid: 3000, gid: 0 }],
  ['2147483647', { ...nobody, uid: 2147483647, gid: 0 }],
  ['windows', { uid: 44, gid: 44, additionalGids: [], home: '/w' }],
  ['short', { uid: 55, gid: 56, additionalGids: [], home: '' }],
]

const refused: readonly [string, string][] = [
  ['eve', 'Cannot use user "eve" of the image config: /etc/passwd in the image has no such user'],
  ['nis', 'Cannot use user "nis" of the image config: /etc/passwd in the image has no such user'],
  ['broken', 'Cannot use user "broken" of the image config: /etc/passwd in the image has no such user'],
  ['ada:nope', 'Cannot use group "nope" of the image config: /etc/group in the image has no such group'],
  ['ada:broken', 'Cannot use group "broken" of the image config: /etc/group in the image has no such group'],
  ['ada:staff:x', 'Cannot use group "staff:x" of the image config: /etc/group in the image has no such group'],
  ['-1', 'Cannot use user "-1" of the image config: -1 is out of range'],
  ['2147483648', 'Cannot use user "2147483648" of the image config: 2147483648 is out of range'],
  ['0:4294967295', 'Cannot use user "0:4294967295" of the image config: 4294967295 is out of range'],
  [
    '99999999999999999999',
    'Cannot use user "99999999999999999999" of the image config: 99999999999999999999 is out of range',
  ],
]

describe('resolveUser()', () => {
  for (const [text, want] of resolved) {
    it(`reads ${JSON.stringify(text)} as ${want.uid}:${want.gid}`, () => {
      expect(resolve(text, rootfs)).to.deep.equal({ user: want, warnings: [] })
    })
  }

  for (const [text, message] of refused) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(refusal(text, rootfs)).to.include({ code: 'BAD_USER', message })
    })
  }

  it('lists at most ten names that there are', () => {
    const many = Array.from({ length: 12 }, (_, i) => `user${i}:x:${i}:${i}::/:`).join('\n')
    const error = refusal('eve', memoryRootfs({ 'etc/passwd': many }))
    expect(error.facts).to.deep.equal([
      'it has "user0", "user1", "user2", "user3", "user4", "user5", "user6", "user7", "user8", "user9" and 2 more',
    ])
  })

  it('escapes names of a hostile file', () => {
    const error = refusal('eve', memoryRootfs({ 'etc/passwd': '\u001b[31mred:x:0:0::/:' }))
    expect(error.facts).to.deep.equal(['it has "\\x1b[31mred"'])
  })

  it('takes names for root without a rootfs, and says so', () => {
    const { user, warnings } = resolve('ada:staff', null)
    expect(user).to.deep.equal({ ...nobody, uid: 0, gid: 0 })
    expect(warnings).to.have.length(1)
    expect(resolve('1337:8888', null)).to.deep.equal({ user: { ...nobody, uid: 1337, gid: 8888 }, warnings: [] })
  })

  it('throws nothing but BAD_USER, whatever the files hold', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string().map(text => new TextEncoder().encode(text)),
    )
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom('ada', 'ada:staff', '0', ''), fc.string()),
        bytes,
        bytes,
        (text, one, two) => {
          const files = memoryRootfs({ 'etc/passwd': one, 'etc/group': two })
          try {
            const { user } = resolve(text, files)
            expect(user.uid).to.be.within(0, 2 ** 31 - 1)
            expect(user.gid).to.be.within(0, 2 ** 31 - 1)
          } catch (error) {
            expect((error as OvlError).code).to.equal('BAD_USER')
          }
        },
      ),
    )
  })
})

describe('resolveUser() where /etc is odd', () => {
  const line = 'eve:x:7:8::/inside:'
  const found: { readonly [title: string]: { readonly [path: string]: MemoryFile } } = {
    'a relative link': { 'etc/passwd': { link: '../lib/accounts' }, 'lib/accounts': line },
    'an absolute link': { 'etc/passwd': { link: '/lib/accounts' }, 'lib/accounts': line },
    'a link with more .. than there are directories': {
      'etc/passwd': { link: '../../../../../lib/accounts' },
      'lib/accounts': line,
    },
    'a linked directory': { etc: { link: 'usr/etc' }, 'usr/etc/passwd': line },
    'an absolutely linked directory': { etc: { link: '/usr/etc' }, 'usr/etc/passwd': line },
    'a chain of links': {
      etc: { link: 'a/./' },
      a: { link: '//b//' },
      'b/passwd': { link: './../c/../c/d' },
      'c/d': line,
    },
  }
  for (const [title, files] of Object.entries(found)) {
    it(`follows ${title} inside the image`, () => {
      expect(resolve('eve', memoryRootfs(files)).user).to.include({ uid: 7, gid: 8, home: '/inside' })
    })
  }

  const problems: { readonly [title: string]: readonly [{ readonly [path: string]: MemoryFile }, string] } = {
    'no /etc': [{}, 'the image has no /etc/passwd'],
    'an empty file': [{ 'etc/passwd': '' }, '/etc/passwd in the image has no such user'],
    'a dangling link': [{ 'etc/passwd': { link: '/nowhere' } }, 'the image has no /etc/passwd'],
    'a file as directory': [{ etc: 'text' }, 'the image has no /etc/passwd'],
    'a link to itself': [{ 'etc/passwd': { link: 'passwd' } }, '/etc/passwd in the image is a loop of symbolic links'],
    'two links to each other': [
      { 'etc/passwd': { link: '/b' }, b: { link: '/etc/passwd' } },
      '/etc/passwd in the image is a loop of symbolic links',
    ],
    'a FIFO or device': [{ 'etc/passwd': { kind: 'other' } }, '/etc/passwd in the image is no regular file'],
    'a directory': [{ 'etc/passwd/x': '' }, '/etc/passwd in the image is no regular file'],
    'a huge file': [
      { 'etc/passwd': { kind: 'file', sizeBytes: 2 ** 40 } },
      '/etc/passwd in the image is larger than 16 MiB',
    ],
  }
  for (const [title, [files, fact]] of Object.entries(problems)) {
    it(`refuses a name with ${title}`, () => {
      const message = `Cannot use user "eve" of the image config: ${fact}`
      expect(refusal('eve', memoryRootfs(files)).message).to.equal(message)
    })

    it(`takes a number with ${title}, and warns unless the file is only missing`, () => {
      const { user, warnings } = resolve('7:8', memoryRootfs(files))
      expect(user).to.deep.equal({ ...nobody, uid: 7, gid: 8 })
      expect(warnings.map(({ message }) => message)).to.deep.equal(
        fact.startsWith('/') && !fact.endsWith('no such user') ? [`${fact}: no accounts are taken from it`] : [],
      )
    })
  }
})

function resolve(text: string, reader: RootfsReader | null): { user: ResolvedUser; warnings: Warning[] } {
  const warnings: Warning[] = []
  return { user: resolveUser(text, { rootfs: reader, warn: warning => warnings.push(warning) }), warnings }
}

function refusal(text: string, reader: RootfsReader): OvlError {
  try {
    resolve(text, reader)
  } catch (error) {
    if (error instanceof OvlError) return error
    throw error
  }
  throw new Error(`${text} was accepted`)
}
