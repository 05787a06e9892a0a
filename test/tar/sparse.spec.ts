// The four notations of sparse files, each with the same file: 4 bytes at 2, 3 bytes at 10, 20 in all.

import { expect } from 'chai'
import { OvlError } from '../../src/errors/index.ts'
import { concat, latin1, octal, pax, padded, rawFile, rawHeader } from './building.ts'
import { codeOf, contentsOf, type ReadResult, readTar } from './reading.ts'

const stored = 'AAAABBB'
const expanded = latin1('\0\0AAAA\0\0\0\0BBB\0\0\0\0\0\0\0')
const next = rawFile({ name: 'next' }, 'n')

const pairs = octal(2) + octal(4) + octal(10) + octal(3)
const map01 = [
  ['GNU.sparse.size', '20'],
  ['GNU.sparse.numblocks', '2'],
  ['GNU.sparse.map', '2,4,10,3'],
] as const
const version10 = [
  ['GNU.sparse.major', '1'],
  ['GNU.sparse.minor', '0'],
  ['GNU.sparse.name', 's'],
  ['GNU.sparse.realsize', '20'],
] as const

const notations: readonly { readonly name: string; readonly archive: Uint8Array }[] = [
  { name: 'old GNU', archive: gnuSparse({ pairs }, stored) },
  {
    name: 'old GNU with an extension block',
    archive: gnuSparse({ pairs: octal(2) + octal(4), extensions: [octal(10) + octal(3)] }, stored),
  },
  {
    name: 'old GNU with empty segments',
    archive: gnuSparse({ pairs: octal(0) + octal(0) + pairs + octal(20) + octal(0) }, stored),
  },
  {
    name: 'PAX 0.0',
    archive: concat(
      pax('x', [
        ['GNU.sparse.size', '20'],
        ['GNU.sparse.numblocks', '2'],
        ['GNU.sparse.offset', '2'],
        ['GNU.sparse.numbytes', '4'],
        ['GNU.sparse.offset', '10'],
        ['GNU.sparse.numbytes', '3'],
      ]),
      rawFile({ name: 's' }, stored),
    ),
  },
  { name: 'PAX 0.1', archive: concat(pax('x', [...map01, ['GNU.sparse.name', 's']]), rawFile({}, stored)) },
  { name: 'PAX 1.0', archive: sparse10('2\n2\n4\n10\n3\n', stored) },
  { name: 'PAX 1.0 with a map of two blocks', archive: sparse10(`2\n2\n${'0'.repeat(600)}4\n10\n3\n`, stored) },
]

const malformed: readonly { readonly name: string; readonly archive: Uint8Array }[] = [
  { name: 'overlapping segments', archive: gnuSparse({ pairs: octal(2) + octal(4) + octal(5) + octal(3) }, stored) },
  { name: 'segments in disorder', archive: gnuSparse({ pairs: octal(10) + octal(3) + octal(2) + octal(4) }, stored) },
  { name: 'a segment beyond the end', archive: gnuSparse({ pairs: octal(14) + octal(7) }, stored) },
  { name: 'more data in the map than is stored', archive: gnuSparse({ pairs }, 'AAAA') },
  { name: 'a number that is none', archive: gnuSparse({ pairs: octal(2).replace('2', '9') + octal(4) }, stored) },
  { name: 'an old GNU map in a ustar header', archive: rawFile({ type: 'S', gnuRealSize: octal(0) }) },
  { name: 'a size that is none', archive: gnuSparse({ pairs, size: '99999999999\0' }, stored) },
  { name: 'a wrong count', archive: withMap([...map01, ['GNU.sparse.numblocks', '3']]) },
  { name: 'no count', archive: withMap([map01[0], map01[2]]) },
  { name: 'half a pair', archive: withMap([...map01, ['GNU.sparse.map', '2,4,10']]) },
  { name: 'an empty number', archive: withMap([...map01, ['GNU.sparse.map', '2,4,,3']]) },
  { name: 'a negative offset', archive: withMap([...map01, ['GNU.sparse.map', '-2,4,10,3']]) },
  { name: 'a map on a link', archive: concat(pax('x', map01), rawHeader({ type: '2' })) },
  { name: 'a 0.0 map that begins with a length', archive: withMap([['GNU.sparse.numbytes', '4']]) },
  { name: 'a 0.0 map with a comma', archive: withMap([['GNU.sparse.offset', '2,4']]) },
  { name: 'a 1.0 map with letters', archive: sparse10('two\n', stored) },
  { name: 'a 1.0 map with a negative count', archive: sparse10('-1\n', stored) },
  { name: 'a 1.0 map without end', archive: sparse10('2\n2\n4\n', '') },
  { name: 'a 1.0 file shorter than its map', archive: concat(pax('x', version10), rawFile({}, '0\n')) },
]

describe('TarReader on sparse files', () => {
  for (const { name, archive } of notations) {
    it(`expands ${name}`, () => {
      for (const chunks of [undefined, () => 1, () => 3, () => 515]) {
        const result = readTar(concat(archive, next), chunks === undefined ? {} : { chunks })
        expect(result.error).to.equal(null)
        const sparse = result.entries.at(0)!
        const after = result.entries.at(1)!
        expect(sparse.header).to.include({ name: 's', size: 20, storedSize: 7 })
        expect(sparse.runs.map(run => run.offset)).to.deep.equal([2, 10])
        expect(contentsOf(sparse)).to.deep.equal(expanded)
        expect(Buffer.from(archive).toString('latin1', sparse.header.offset, sparse.header.offset + 7)).to.equal(stored)
        expect(contentsOf(after)).to.deep.equal(latin1('n'))
      }
    })
  }

  for (const { name, archive } of malformed) {
    it(`refuses ${name}`, () => {
      const result = readTar(archive)
      expect(codeOf(result)).to.equal('BAD_TAR')
      expect((result.error as OvlError).data['offset']).to.be.within(0, archive.length)
      expect(result.entries).to.have.length(0)
    })
  }

  it('reads a file that is one hole', () => {
    const { entries, error } = readTar(concat(gnuSparse({ pairs: '', size: octal(2 ** 32) }, ''), next))
    expect(error).to.equal(null)
    expect(entries.at(0)!.header).to.deep.include({ size: 2 ** 32, sparse: [], storedSize: 0 })
    expect(entries.at(0)!.runs).to.deep.equal([])
  })

  it('takes a version nobody knows for an ordinary file', () => {
    const unknown = pax('x', [...map01, ['GNU.sparse.major', '2'], ['GNU.sparse.minor', '0']])
    const { entries } = readTar(concat(unknown, rawFile({ name: 'f' }, stored)))
    expect(entries.at(0)!.header).to.include({ name: 'f', size: 7, sparse: null })
  })

  describe('with data that the map leaves out', () => {
    const archive = concat(gnuSparse({ pairs }, `${stored}surplus`), next)

    it('refuses to give the contents', () => expect(codeOf(readTar(archive))).to.equal('BAD_TAR'))

    it('goes on behind them when they are not wanted, as Go does', () => {
      const result = readTar(archive, { skip: index => index === 0 })
      expect(names(result)).to.deep.equal(['s', 'next'])
      expect(codeOf(result)).to.equal(null)
    })
  })

  it('limits the length of a map', () => {
    const extension = Array.from({ length: 21 }, (_, i) => octal(i) + octal(0)).join('')
    const long = gnuSparse({ pairs, extensions: Array.from({ length: 60 }, () => extension) }, stored)
    expect(codeOf(readTar(long, { paxBytes: 1000 }))).to.equal('LIMIT_EXCEEDED')
    const text = sparse10(`${'0'.repeat(4000)}2\n2\n4\n10\n3\n`, stored)
    expect(codeOf(readTar(text, { paxBytes: 2048 }))).to.equal('LIMIT_EXCEEDED')
    expect(codeOf(readTar(text))).to.equal(null)
  })

  it('notices an end inside a map', () => {
    const gnu = gnuSparse({ pairs: octal(2) + octal(4), extensions: [octal(10) + octal(3)] }, stored)
    expect(codeOf(readTar(gnu.subarray(0, 700)))).to.equal('TRUNCATED')
    const text = sparse10('2\n2\n4\n10\n3\n', stored)
    expect(codeOf(readTar(text.subarray(0, text.length - 600)))).to.equal('TRUNCATED')
  })
})

/** An old GNU sparse entry: four pairs at most in the header, 21 in each extension block. */
function gnuSparse(
  map: { readonly pairs: string; readonly extensions?: readonly string[]; readonly size?: string },
  contents: string,
): Uint8Array {
  const extensions = map.extensions ?? []
  const blocks = extensions.map((text, i) => {
    const block = new Uint8Array(512)
    block.set(latin1(text))
    block[504] = i + 1 < extensions.length ? 1 : 0
    return block
  })
  const header = rawHeader({
    name: 's',
    magic: 'ustar  \0',
    type: 'S',
    size: octal(contents.length),
    gnuSparse: map.pairs,
    gnuIsExtended: extensions.length > 0 ? '\x01' : '\0',
    gnuRealSize: map.size ?? octal(20),
  })
  return concat(header, ...blocks, padded(contents))
}

function withMap(records: readonly (readonly [string, string])[]): Uint8Array {
  return concat(pax('x', records), rawFile({}, stored))
}

function sparse10(map: string, contents: string): Uint8Array {
  return concat(pax('x', version10), rawFile({}, concat(padded(map), latin1(contents))))
}

function names(result: ReadResult): string[] {
  return result.entries.map(({ header }) => header.name)
}
