// 129 odd archives from the test suites of Go, libarchive, tar-rs, node-tar and tar-stream, and crafted ones; the
// expectation is what Go's archive/tar reads from each.

import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { encodeName } from '../../src/path/index.ts'
import type { TarHeader } from '../../src/tar/index.ts'
import { corpus, corpusPath, needsCorpus } from '../support/corpus.ts'
import { codeOf, contentsOf, md5, type ReadEntry, type ReadResult, readTar } from './reading.ts'

type ExpectedEntry = {
  readonly name: string
  readonly link: string
  readonly uname: string
  readonly gname: string
  readonly type: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: readonly [number, number]
  readonly major: number
  readonly minor: number
  readonly format: string
  readonly pax: { readonly [key: string]: string }
  readonly body?: number
  readonly md5?: string
  readonly bodyerr?: string
}
type ExpectedArchive = { readonly file: string; readonly err: string; readonly entries: readonly ExpectedEntry[] }

const globalHeader = 103
const codes: { readonly [error: string]: string | null } = {
  '': null,
  'archive/tar: invalid tar header': 'BAD_TAR',
  'unexpected EOF': 'TRUNCATED',
}
/** Where ovl says no at another point than Go: an extended header too large is refused before it is read. */
const otherCodes: { readonly [file: string]: string } = { 'crafted--pax-size-huge.tar': 'LIMIT_EXCEEDED' }
const chunkings: { readonly [name: string]: ((index: number) => number) | undefined } = {
  'in one piece': undefined,
  'byte by byte': () => 1,
  'in pieces of 511 bytes': () => 511,
  'in pieces of 513 bytes': () => 513,
  'in pieces of changing size': index => ((index * 2654435761) % 1999) + 1,
}
const archives = corpus === null ? [] : readExpectations(corpusPath('tars', 'EXPECT.jsonl'))

describe('TarReader on archives of other implementations', () => {
  before(needsCorpus)

  it('has 129 archives to read', () => expect(archives).to.have.length(129))

  for (const archive of archives) {
    it(`reads ${archive.file} as Go does`, () => {
      const bytes = readFileSync(corpusPath('tars', archive.file))
      for (const [how, chunks] of Object.entries(chunkings)) {
        const result = readTar(bytes, {
          applyGlobalPax: false,
          skip: index => wasSkipped(archive, index),
          ...(chunks === undefined ? {} : { chunks }),
        })
        expect(codeOf(result), `error, ${how}`).to.equal(otherCodes[archive.file] ?? codes[archive.err])
        expect(listing(result, archive), `entries, ${how}`).to.deep.equal(archive.entries.map(expectedRow))
      }
    })
  }
})

function readExpectations(path: string): ExpectedArchive[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  return lines.map(line => JSON.parse(line) as ExpectedArchive)
}

/** Huge contents have no checksum among the expectations: there Go only listed the entry. */
function wasSkipped(archive: ExpectedArchive, index: number): boolean {
  const entry = archive.entries.filter(expected => expected.type !== globalHeader)[index]
  return entry !== undefined && entry.md5 === undefined
}

/** What the entries are, in the notation of the expectations: global headers stand among them. */
function listing(result: ReadResult, archive: ExpectedArchive): unknown[] {
  const rows: unknown[] = []
  for (let i = 0; i <= result.entries.length; i++) {
    for (const { name, records } of result.globals.filter(global => global.before === i)) {
      rows.push({ type: globalHeader, name: base64(name), pax: paxRow(records) })
    }
    const entry = result.entries[i]
    if (entry !== undefined) rows.push(entryRow(entry, archive.entries[rows.length]))
  }
  return rows
}

function entryRow(entry: ReadEntry, expected: ExpectedEntry | undefined): unknown {
  const { header } = entry
  const contents = expected?.md5 === undefined ? null : partialContents(entry)
  return {
    name: base64(header.name),
    link: base64(header.linkName),
    uname: base64(header.userName),
    gname: base64(header.groupName),
    type: header.type,
    mode: header.mode,
    uid: header.uid,
    gid: header.gid,
    size: header.size,
    mtime: [header.mtimeSec, header.mtimeNsec],
    major: header.devMajor,
    minor: header.devMinor,
    format: expected?.format === '<unknown>' ? '<unknown>' : formatName(header),
    pax: paxRow(header.pax ?? new Map()),
    body: contents?.length,
    md5: contents === null ? undefined : md5(contents),
    isComplete: expected?.md5 === undefined ? undefined : entry.ended,
  }
}

function expectedRow(entry: ExpectedEntry): unknown {
  if (entry.type === globalHeader) return { type: entry.type, name: entry.name, pax: entry.pax }
  const { bodyerr, ...row } = entry
  return {
    ...row,
    body: entry.body,
    md5: entry.md5,
    isComplete: entry.md5 === undefined ? undefined : bodyerr === undefined,
  }
}

/** Of an entry that was cut off: what there is of it. */
function partialContents(entry: ReadEntry): Uint8Array {
  if (entry.ended) return contentsOf(entry)
  return Buffer.concat(entry.runs.map(run => run.bytes))
}

function formatName(header: TarHeader): string {
  return header.format.toUpperCase()
}

function paxRow(records: ReadonlyMap<string, Uint8Array>): { [key: string]: string } {
  const row = new Map<string, string>()
  for (const [key, value] of records) row.set(base64(key), Buffer.from(value).toString('base64'))
  return Object.fromEntries(row)
}

function base64(name: string): string {
  return Buffer.from(encodeName(name)).toString('base64')
}
