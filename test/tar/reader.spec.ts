import { expect } from 'chai'
import { OvlError } from '../../src/errors/index.ts'
import { decodeName } from '../../src/path/index.ts'
import { endOfArchive, type TarHeader, TarReader } from '../../src/tar/index.ts'
import { concat, extendedHeader, latin1, octal, pax, paxRecord, rawFile, rawHeader } from './building.ts'
import { codeOf, contentsOf, readTar } from './reading.ts'

type Field = Partial<TarHeader>
type Case = { readonly name: string; readonly archive: Uint8Array; readonly entries: readonly Field[] }

const file = rawFile({ name: 'f' }, 'x')

const accepted: readonly Case[] = [
  { name: 'nothing at all', archive: concat(), entries: [] },
  { name: 'an empty archive', archive: endOfArchive, entries: [] },
  { name: 'ustar', archive: file, entries: [{ name: 'f', type: 0x30, size: 1, format: 'ustar', offset: 512 }] },
  {
    name: 'v7, without names of owners',
    archive: rawFile({ magic: '\0\0\0\0\0\0\0\0', userName: 'ann', mode: ' 755 \0\0\0' }),
    entries: [{ format: 'v7', userName: '', mode: 0o755 }],
  },
  {
    name: 'NUL types as file and, with a trailing slash, as directory',
    archive: concat(rawFile({ name: 'a', type: '\0' }), rawFile({ name: 'b/', type: '\0' })),
    entries: [
      { name: 'a', type: 0x30 },
      { name: 'b/', type: 0x35 },
    ],
  },
  {
    name: 'a checksum over signed bytes',
    archive: rawHeader({ name: 'caf\xe9' }, { signed: true }),
    entries: [{ name: 'caf\udce9' }],
  },
  {
    name: 'names of full width, without NUL',
    archive: rawHeader({ name: 'n'.repeat(100), linkName: 'l'.repeat(100), userName: 'u'.repeat(32) }),
    entries: [{ name: 'n'.repeat(100), linkName: 'l'.repeat(100), userName: 'u'.repeat(32) }],
  },
  {
    name: 'base-256 numbers, negative ones too',
    archive: rawHeader({ uid: '\x80\0\0\0\xff\xff\xff\xfe', gid: '\x80\0\0\0\x01\0\0\0', mtime: '\xff'.repeat(12) }),
    entries: [{ uid: 0xfffffffe, gid: 0x1000000, mtimeSec: -1 }],
  },
  {
    name: 'a ustar prefix',
    archive: rawHeader({ name: 'f', prefix: 'p'.repeat(155) }),
    entries: [{ name: `${'p'.repeat(155)}/f` }],
  },
  {
    name: 'a star prefix of 131 bytes, times after it',
    archive: rawHeader({ prefix: 'p'.repeat(131), starAtime: octal(1).repeat(2), starTrailer: 'tar\0' }),
    entries: [{ name: `${'p'.repeat(131)}/f`, format: 'star' }],
  },
  {
    name: 'no prefix in a GNU header, but times',
    archive: rawHeader({ magic: 'ustar  \0', prefix: octal(1).repeat(2) }),
    entries: [{ name: 'f', format: 'gnu' }],
  },
  {
    name: 'a prefix in a GNU header where the times make no sense',
    archive: rawHeader({ magic: 'ustar  \0', prefix: 'some/directory' }),
    entries: [{ name: 'some/directory/f', format: 'gnu' }],
  },
  {
    name: 'GNU long names and link names',
    archive: concat(
      extendedHeader('L', `${'n'.repeat(300)}\0junk`),
      extendedHeader('K', 'target \xff'),
      rawFile({ type: '2' }),
    ),
    entries: [{ name: 'n'.repeat(300), linkName: 'target \udcff', type: 0x32 }],
  },
  {
    name: 'a GNU long name over a PAX path, for one entry',
    archive: concat(extendedHeader('L', 'long'), pax('x', [['path', 'pax']]), rawFile({}), rawFile({ name: 'next' })),
    entries: [{ name: 'long' }, { name: 'next' }],
  },
  {
    name: 'PAX fields over those of the header',
    archive: concat(
      pax('x', [
        ['path', 'caf\xe9'],
        ['linkpath', 'l'],
        ['uname', 'ann'],
        ['gname', 'ops'],
        ['uid', '4294967295'],
        ['gid', '3000000'],
        ['mtime', '-1.25'],
      ]),
      rawFile({ userName: 'bob' }, 'x'),
    ),
    entries: [
      {
        name: 'caf\udce9',
        linkName: 'l',
        userName: 'ann',
        groupName: 'ops',
        uid: 4294967295,
        gid: 3000000,
        mtimeSec: -2,
        mtimeNsec: 750_000_000,
        format: 'pax',
      },
    ],
  },
  {
    name: 'a PAX size, which decides where the entry ends',
    archive: concat(pax('x', [['size', '600']]), rawFile({ size: octal(0) }, 'y'.repeat(600)), file),
    entries: [
      { size: 600, storedSize: 600 },
      { name: 'f', size: 1 },
    ],
  },
  {
    name: 'an empty PAX value as none',
    archive: concat(pax('x', [['path', '']]), rawFile({ name: 'kept' })),
    entries: [{ name: 'kept' }],
  },
  {
    name: 'the last of several PAX records of one key, and of several PAX headers',
    archive: concat(
      pax('x', [['path', 'lost']]),
      pax('x', [
        ['uid', '1'],
        ['uid', '2'],
      ]),
      rawFile({}),
    ),
    entries: [{ name: 'f', uid: 2 }],
  },
  {
    name: 'times with more digits than nanoseconds',
    archive: concat(pax('x', [['mtime', '12.0000000019']]), rawFile({})),
    entries: [{ mtimeSec: 12, mtimeNsec: 1 }],
  },
  {
    name: 'a time just before 1970',
    archive: concat(pax('x', [['mtime', '-0.000000001']]), rawFile({})),
    entries: [{ mtimeSec: -1, mtimeNsec: 999_999_999 }],
  },
  {
    name: 'an empty PAX header, for what follows',
    archive: concat(extendedHeader('x', ''), file),
    entries: [{ name: 'f', size: 1, pax: new Map() }],
  },
  {
    name: 'a PAX header with nothing after it',
    archive: concat(file, pax('x', [['path', 'p']])),
    entries: [{ name: 'f' }],
  },
  {
    name: 'links and directories without contents, whatever their size says',
    archive: concat(
      rawHeader({ name: 'l', type: '2', size: octal(5) }),
      rawHeader({ name: 'd/', type: '5', size: octal(512) }),
      file,
    ),
    entries: [
      { name: 'l', storedSize: 0 },
      { name: 'd/', storedSize: 0 },
      { name: 'f', storedSize: 1 },
    ],
  },
  {
    name: 'types that it does not know, with their contents',
    archive: concat(rawFile({ name: 'dump', type: 'D' }, 'x'.repeat(700)), file),
    entries: [{ name: 'dump', type: 0x44, size: 700 }, { name: 'f' }],
  },
  {
    name: 'no padding after the last entry',
    archive: file.subarray(0, 513),
    entries: [{ name: 'f', size: 1 }],
  },
  {
    name: 'one zero block at the end',
    archive: concat(file, new Uint8Array(512)),
    entries: [{ name: 'f' }],
  },
  {
    name: 'nothing after the end: no second archive, no junk',
    archive: concat(file, endOfArchive, rawFile({ name: 'smuggled' }), latin1('junk')),
    entries: [{ name: 'f' }],
  },
]

const bad: readonly { readonly name: string; readonly archive: Uint8Array; readonly at: number }[] = [
  { name: 'a wrong checksum', archive: concat(file, latin1('junk'.repeat(128))), at: 1024 },
  { name: 'a single zero block inside', archive: concat(new Uint8Array(512), file), at: 512 },
  { name: 'an octal number with an 8', archive: rawHeader({ uid: '0000008\0' }), at: 0 },
  { name: 'a number with a blank inside', archive: rawHeader({ mode: '00 0644\0' }), at: 0 },
  { name: 'base-256 beyond 64 bits', archive: rawHeader({ mtime: `\x80\0\0\x01${'\0'.repeat(8)}` }), at: 0 },
  { name: 'a negative size', archive: rawHeader({ size: '\xff'.repeat(12) }), at: 0 },
  { name: 'a negative PAX size', archive: concat(pax('x', [['size', '-1']]), rawHeader({})), at: 1024 },
  {
    name: 'a PAX size beyond 2^53',
    archive: concat(pax('x', [['size', '9007199254740993']]), rawHeader({})),
    at: 1024,
  },
  { name: 'a PAX number with a fraction', archive: concat(pax('x', [['uid', '1.5']]), rawHeader({})), at: 1024 },
  {
    name: 'a PAX number beyond 64 bits',
    archive: concat(pax('x', [['gid', '9'.repeat(20)]]), rawHeader({})),
    at: 1024,
  },
  { name: 'a PAX time that is none', archive: concat(pax('x', [['atime', '1.x']]), rawHeader({})), at: 1024 },
  { name: 'a number of a global header that is none', archive: pax('g', [['uid', 'x']]), at: 512 },
  { name: 'NUL in a PAX path', archive: pax('x', [['path', 'a\0b']]), at: 512 },
  { name: 'NUL in a PAX key', archive: pax('x', [['SCHILY.xattr.a\0b', 'c']]), at: 512 },
  { name: 'a PAX record without length', archive: extendedHeader('x', 'path=x\n'), at: 512 },
  { name: 'a PAX record shorter than it can be', archive: extendedHeader('x', '4 a\n'), at: 512 },
  { name: 'a PAX record longer than its header', archive: extendedHeader('x', '99 path=x\n'), at: 512 },
  { name: 'a PAX record without newline', archive: extendedHeader('x', '9 path=xy'), at: 512 },
  { name: 'a PAX record without key', archive: extendedHeader('x', '5 =a\n'), at: 512 },
  { name: 'a PAX record without "="', archive: extendedHeader('x', '7 path\n'), at: 512 },
  {
    name: 'a second PAX record that is malformed',
    archive: extendedHeader('x', `${paxRecord('a', 'b')}junk`),
    at: 518,
  },
  { name: 'a negative size of an extended header', archive: rawHeader({ type: 'x', size: '\xff'.repeat(12) }), at: 0 },
  {
    name: 'a star header with a bad time',
    archive: rawHeader({ starAtime: '9'.repeat(12), starTrailer: 'tar\0' }),
    at: 0,
  },
]

const truncated: readonly { readonly name: string; readonly archive: Uint8Array }[] = [
  { name: 'inside a header', archive: file.subarray(0, 511) },
  { name: 'before the contents', archive: file.subarray(0, 512) },
  { name: 'inside contents', archive: rawFile({}, 'x'.repeat(600)).subarray(0, 1111) },
  {
    name: 'inside contents that are passed over',
    archive: rawFile({ name: 'skip' }, 'x'.repeat(600)).subarray(0, 1111),
  },
  { name: 'inside a PAX header', archive: pax('x', [['path', 'x'.repeat(600)]]).subarray(0, 1000) },
  { name: 'inside the block after a zero block', archive: new Uint8Array(513) },
]

describe('TarReader', () => {
  for (const { name, archive, entries } of accepted) {
    it(`reads ${name}`, () => {
      for (const chunks of [undefined, () => 1, () => 509]) {
        const result = readTar(archive, chunks === undefined ? {} : { chunks })
        expect(result.error).to.equal(null)
        expect(result.entries.map(entry => entry.ended)).to.deep.equal(entries.map(() => true))
        const read = result.entries.map(({ header }, i) => pick(header, entries[i] ?? {}))
        expect(read).to.deep.equal(entries)
        expect(result.position).to.equal(archive.length)
      }
    })
  }

  for (const { name, archive, at } of bad) {
    it(`refuses ${name}`, () => {
      const { error } = readTar(archive)
      expect(error).to.be.instanceOf(OvlError)
      expect(error).to.include({ code: 'BAD_TAR' })
      expect((error as OvlError).data).to.deep.equal({ offset: at })
      expect((error as OvlError).message).to.match(/^Cannot read tar archive: .*, at byte \d+$/)
    })
  }

  for (const { name, archive } of truncated) {
    it(`notices an end ${name}`, () => {
      const result = readTar(archive, { skip: () => name.includes('passed over') })
      expect(codeOf(result)).to.equal('TRUNCATED')
      expect((result.error as OvlError).data).to.deep.equal({ offset: archive.length })
    })
  }

  it('tells whether the end mark was there', () => {
    expect(readTar(concat(file, endOfArchive)).ended).to.equal(true)
    expect(readTar(file).ended).to.equal(false)
  })

  it('refuses an extended header beyond the limit, before it is read', () => {
    const result = readTar(rawHeader({ type: 'L', size: octal(4097) }), { paxBytes: 4096 })
    expect(codeOf(result)).to.equal('LIMIT_EXCEEDED')
    expect((result.error as OvlError).data).to.include({ limit: 'paxBytes', limitBytes: 4096 })
    expect(codeOf(readTar(extendedHeader('L', 'n'.repeat(4096)), { paxBytes: 4096 }))).to.equal(null)
  })

  it('hands over contents with their place in the file', () => {
    const contents = Uint8Array.from({ length: 2000 }, (_, i) => i % 251)
    const result = readTar(concat(rawFile({}, contents), file), { chunks: () => 97 })
    expect(contentsOf(result.entries.at(0)!)).to.deep.equal(contents)
    expect(contentsOf(result.entries.at(1)!)).to.deep.equal(latin1('x'))
  })

  it('passes over the contents of skipped entries', () => {
    const result = readTar(concat(rawFile({}, 'y'.repeat(700)), file), { skip: index => index === 0 })
    expect(result.entries.map(entry => entry.runs.length)).to.deep.equal([0, 1])
    expect(result.entries.map(entry => entry.ended)).to.deep.equal([true, true])
  })

  it('reads a part of the chunk it is given', () => {
    const names: string[] = []
    const reader = new TarReader({ entry: header => void names.push(header.name), data: () => {}, end: () => {} })
    reader.push(concat(latin1('before'), file, latin1('after')), 6, 6 + file.length)
    reader.finish()
    expect(names).to.deep.equal(['f'])
  })

  it('reads from memory that threads share', () => {
    const archive = concat(rawFile({ name: 'caf\xc3\xa9', userName: '\xff' }, 'x'), pax('x', [['path', '\xe9']]), file)
    const shared = new Uint8Array(new SharedArrayBuffer(archive.length))
    shared.set(archive)
    const { entries, error } = readTar(shared)
    expect(error).to.equal(null)
    expect(entries.map(({ header }) => header.name)).to.deep.equal(['café', '\udce9'])
    expect(contentsOf(entries.at(0)!)).to.deep.equal(latin1('x'))
  })

  it('lets errors of the handler through and is of no use afterwards', () => {
    const failure = new Error('disk full')
    const reader = new TarReader({
      entry: () => {
        throw failure
      },
      data: () => {},
      end: () => {},
    })
    expect(() => reader.push(file)).to.throw(failure)
    expect(() => reader.push(file)).to.throw('after an error')
    expect(() => reader.finish()).to.throw('after an error')
  })
})

describe('TarReader and PAX global headers', () => {
  const archive = concat(
    pax('g', [
      ['mtime', '42.5'],
      ['comment', 'all'],
      ['path', 'everything'],
      ['size', '9999'],
    ]),
    rawFile({ name: 'a' }, 'x'),
    pax('x', [['mtime', '7']]),
    rawFile({ name: 'b' }),
    pax('x', [['mtime', '']]),
    rawFile({ name: 'c', mtime: octal(3) }),
    pax('g', [['mtime', '']]),
    rawFile({ name: 'd', mtime: octal(4) }),
  )

  it('applies their records to later entries, below local ones', () => {
    const { entries, error } = readTar(archive)
    expect(error).to.equal(null)
    const rows = entries.map(({ header }) => [header.name, header.size, header.mtimeSec, header.mtimeNsec])
    expect(rows).to.deep.equal([
      ['a', 1, 42, 500_000_000],
      ['b', 0, 7, 0],
      ['c', 0, 3, 0],
      ['d', 0, 4, 0],
    ])
    expect(entries.map(({ header }) => decodeName(header.pax!.get('comment')!))).to.deep.equal(Array(4).fill('all'))
  })

  it('reports them, and only that on request', () => {
    const { entries, globals } = readTar(archive, { applyGlobalPax: false })
    expect(globals.map(({ before, records }) => [before, [...records.keys()]])).to.deep.equal([
      [0, ['mtime', 'comment', 'path', 'size']],
      [3, ['mtime']],
    ])
    expect(entries.map(({ header }) => header.mtimeSec)).to.deep.equal([0, 7, 3, 4])
    expect(entries.at(0)!.header.pax).to.equal(null)
  })

  it('forgets what stands between an extended header and its entry', () => {
    const { entries } = readTar(concat(pax('x', [['path', 'lost']]), pax('g', [['comment', 'c']]), file))
    expect(entries.map(({ header }) => header.name)).to.deep.equal(['f'])
  })
})

/** The fields of the header that the expectation speaks of. */
function pick(header: TarHeader, expected: Field): Field {
  const keys = Object.keys(expected) as (keyof TarHeader)[]
  return Object.fromEntries(keys.map(key => [key, header[key]]))
}
