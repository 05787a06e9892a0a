import { expect } from 'chai'
import fc from 'fast-check'
import { isCode } from '../../src/errors/index.ts'
import { decodeName } from '../../src/path/index.ts'
import { encodeTarHeader, endOfArchive, type TarEntry, tarPadding, tarType } from '../../src/tar/index.ts'
import { arbitraryMembers } from './arbitrary.ts'
import { packTar } from './building.ts'
import { codeOf, contentsOf, readTar } from './reading.ts'

const plain: TarEntry = { name: 'f', type: tarType.file, mode: 0o644, uid: 0, gid: 0, mtimeSec: 1700000000 }

/** Entries that fit a plain ustar header, so that every reader knows all about them. */
const fitting: { readonly [name: string]: Partial<TarEntry> } = {
  'a name of 100 bytes': { name: 'n'.repeat(100) },
  'a path that splits at a slash': { name: `${'p'.repeat(155)}/${'n'.repeat(100)}` },
  'a directory whose own slash is the 101st byte': { name: `${'p'.repeat(60)}/${'n'.repeat(39)}`, type: 0x35 },
  'a link name of 100 bytes': { type: tarType.symlink, linkName: 'l'.repeat(100) },
  'the largest owner of 21 bits': { uid: 2097151, gid: 2097151 },
  'the largest size of 33 bits': { size: 8 ** 11 - 1 },
  'the last second of 2242': { mtimeSec: 8 ** 11 - 1 },
  'the largest device number of Linux': { type: tarType.charDevice, devMajor: 4095, devMinor: 1048575 },
}

/** Entries that need PAX records, and these records. */
const extended: readonly { name: string; entry: Partial<TarEntry>; records: { [key: string]: string } }[] = [
  { name: 'a name of 101 bytes', entry: { name: 'n'.repeat(101) }, records: { path: 'n'.repeat(101) } },
  {
    name: 'a path that splits nowhere',
    entry: { name: `${'p'.repeat(156)}/f` },
    records: { path: `${'p'.repeat(156)}/f` },
  },
  { name: 'a name in UTF-8', entry: { name: 'café' }, records: { path: 'café' } },
  { name: 'a name that is no UTF-8', entry: { name: 'caf\udce9' }, records: { path: 'caf\udce9' } },
  {
    name: 'a long link name',
    entry: { type: tarType.symlink, linkName: 'l'.repeat(101) },
    records: { linkpath: 'l'.repeat(101) },
  },
  { name: 'large owners', entry: { uid: 2097152, gid: 4294967295 }, records: { gid: '4294967295', uid: '2097152' } },
  { name: 'a large size', entry: { size: 8 ** 11 }, records: { size: '8589934592' } },
  { name: 'nanoseconds', entry: { mtimeNsec: 120_000_000 }, records: { mtime: '1700000000.12' } },
  { name: 'a time before 1970', entry: { mtimeSec: -2, mtimeNsec: 1 }, records: { mtime: '-1.999999999' } },
  { name: 'the time half a second before 1970', entry: { mtimeSec: -1, mtimeNsec: 5e8 }, records: { mtime: '-0.5' } },
  { name: 'a time after 2242', entry: { mtimeSec: 8 ** 11 }, records: { mtime: '8589934592' } },
  { name: 'a user name that is not ASCII', entry: { userName: 'ü' }, records: { uname: 'ü' } },
  {
    name: 'extended attributes, sorted',
    entry: {
      xattrs: new Map([
        ['user.b', Uint8Array.of(0, 0xff, 0x0a)],
        ['user.a', new Uint8Array()],
      ]),
    },
    records: { 'SCHILY.xattr.user.a': '', 'SCHILY.xattr.user.b': '\0\udcff\n' },
  },
]

const refused: { readonly [name: string]: Partial<TarEntry> } = {
  'no name': { name: '' },
  'a NUL in a name': { name: 'a\0b' },
  'a NUL in a link name': { type: tarType.symlink, linkName: 'a\0b' },
  'a negative owner': { uid: -1 },
  'a fraction of a byte': { size: 0.5 },
  'a time that is none': { mtimeNsec: 1_000_000_000 },
  'a device number beyond the field': { type: tarType.blockDevice, devMinor: 2097152 },
  'an extended header as an entry': { type: 0x78 },
  'the old GNU sparse type': { type: tarType.gnuSparse },
  'an attribute name with "="': { xattrs: new Map([['user.a=b', new Uint8Array()]]) },
}

describe('encodeTarHeader()', () => {
  for (const [name, entry] of Object.entries(fitting)) {
    it(`needs one block for ${name}`, () => {
      const header = encodeTarHeader({ ...plain, ...entry })
      expect(header).to.have.length(512)
      expectReadBack(header, { ...plain, ...entry })
    })
  }

  for (const { name, entry, records } of extended) {
    it(`keeps ${name} in PAX records`, () => {
      const header = encodeTarHeader({ ...plain, ...entry })
      const read = expectReadBack(header, { ...plain, ...entry })
      const got = Object.fromEntries([...(read.pax ?? [])].map(([key, value]) => [key, decodeName(value)]))
      expect(got).to.deep.equal(records)
      expect(Object.keys(got)).to.deep.equal(Object.keys(records).toSorted())
    })
  }

  for (const [name, entry] of Object.entries(refused)) {
    it(`refuses ${name}`, () => {
      expect(() => encodeTarHeader({ ...plain, ...entry }))
        .to.throw(/^Cannot write tar entry "/)
        .that.satisfies((error: unknown) => isCode(error, 'BAD_ENTRY'))
    })
  }

  it('refuses more PAX records than readers accept', () => {
    const xattrs = new Map([['user.large', new Uint8Array(1 << 20)]])
    expect(() => encodeTarHeader({ ...plain, xattrs }))
      .to.throw('PAX records are too large')
      .that.satisfies((error: unknown) => isCode(error, 'LIMIT_EXCEEDED'))
  })

  it('writes a header that is the same, byte for byte, on every machine', () => {
    const text = new TextDecoder('latin1').decode(encodeTarHeader({ ...plain, mtimeSec: 0, userName: 'root' }))
    const expected =
      `f${'\0'.repeat(99)}0000644\x000000000\x000000000\x0000000000000\x0000000000000\x00` +
      `010247\0 0${'\0'.repeat(100)}ustar\x0000root${'\0'.repeat(60)}0000000\x000000000\0${'\0'.repeat(167)}`
    expect(text).to.equal(expected)
  })

  it('writes what TarReader reads, whatever the entries', () => {
    fc.assert(
      fc.property(arbitraryMembers(), fc.integer({ min: 1, max: 3000 }), (members, chunk) => {
        const archive = packTar(members)
        const result = readTar(archive, { chunks: () => chunk })
        expect(codeOf(result)).to.equal(null)
        expect(result.ended).to.equal(true)
        expect(result.entries).to.have.length(members.length)
        for (const [i, { entry, contents = new Uint8Array() }] of members.entries()) {
          expectHeader(result.entries.at(i)!.header, { ...entry, size: contents.length })
          expect(Buffer.compare(contentsOf(result.entries.at(i)!), contents)).to.equal(0)
        }
        expect(Buffer.compare(packTar(members), archive)).to.equal(0)
      }),
      { numRuns: 300 },
    )
  })
})

describe('tarPadding() and endOfArchive', () => {
  it('fill up the last block, and end the archive', () => {
    expect([0, 1, 511, 512, 513].map(size => tarPadding(size).length)).to.deep.equal([0, 511, 1, 0, 511])
    expect(endOfArchive).to.deep.equal(new Uint8Array(1024))
  })
})

type Header = ReturnType<typeof readTar>['entries'][number]['header']

function expectReadBack(header: Uint8Array, entry: TarEntry): Header {
  const { entries } = readTar(header)
  expect(entries).to.have.length(1)
  expectHeader(entries.at(0)!.header, entry)
  return entries.at(0)!.header
}

function expectHeader(header: Header, entry: TarEntry): void {
  const { xattrs = new Map<string, Uint8Array>(), ...fields } = entry
  const isDirectory = entry.type === tarType.directory
  const hasContents = entry.type === tarType.file || entry.type === tarType.contiguous
  expect(header).to.deep.include({
    ...fields,
    name: isDirectory && !entry.name.endsWith('/') ? `${entry.name}/` : entry.name,
    size: hasContents ? (entry.size ?? 0) : 0,
  })
  const read = [...(header.pax ?? [])].filter(([key]) => key.startsWith('SCHILY.xattr.'))
  const written = [...xattrs].map(([name, value]) => [`SCHILY.xattr.${name}`, Buffer.from(value)] as const)
  expect(new Map(read.map(([key, value]) => [key, Buffer.from(value)]))).to.deep.equal(new Map(written))
}
