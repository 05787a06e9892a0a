import { createHash } from 'node:crypto'
import { type PaxRecords, type TarHeader, TarReader, type TarReaderOptions } from '../../src/tar/index.ts'
import { isCode } from '../../src/errors/index.ts'

export type ReadEntry = {
  readonly header: TarHeader
  /** Stored runs as they came, joined where they touch. */
  readonly runs: { offset: number; bytes: Uint8Array }[]
  ended: boolean
}

export type ReadResult = {
  readonly entries: ReadEntry[]
  readonly globals: { readonly name: string; readonly records: PaxRecords; readonly before: number }[]
  readonly error: Error | null
  readonly ended: boolean
  readonly position: number
}

/** Reads an archive handed over in the given pieces; errors are part of the result. */
export function readTar(
  archive: Uint8Array,
  options: TarReaderOptions & {
    readonly chunks?: (index: number) => number
    /** Entries to skip, by their number. */
    readonly skip?: (index: number) => boolean
  } = {},
): ReadResult {
  const entries: ReadEntry[] = []
  const globals: ReadResult['globals'] = []
  let error: Error | null = null
  const reader = new TarReader(
    {
      entry: header => {
        entries.push({ header, runs: [], ended: false })
        return options.skip?.(entries.length - 1) === true ? 'skip' : undefined
      },
      data: (chunk, start, end, offset) => addRun(entries.at(-1)!.runs, offset, chunk.slice(start, end)),
      end: header => {
        if (entries.at(-1)!.header !== header) throw new Error('end() of another entry')
        entries.at(-1)!.ended = true
      },
      global: (records, header) => globals.push({ name: header.name, records, before: entries.length }),
    },
    options,
  )
  try {
    pushAll(reader, archive, options.chunks)
    reader.finish()
  } catch (caught) {
    error = caught as Error
  }
  return { entries, globals, error, ended: reader.ended, position: reader.position }
}

/** Contents of an entry with its holes filled by zeros. */
export function contentsOf(entry: ReadEntry): Uint8Array {
  const size = entry.header.sparse === null ? entry.header.storedSize : entry.header.size
  const contents = new Uint8Array(size)
  for (const run of entry.runs) contents.set(run.bytes, run.offset)
  return contents
}

export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex')
}

/** 'BAD_TAR', 'TRUNCATED', … or null; any error that is no OvlError is thrown on. */
export function codeOf(result: ReadResult): string | null {
  if (result.error === null) return null
  for (const code of ['BAD_TAR', 'TRUNCATED', 'LIMIT_EXCEEDED']) if (isCode(result.error, code)) return code
  throw result.error
}

function pushAll(reader: TarReader, archive: Uint8Array, chunks: ((index: number) => number) | undefined): void {
  if (chunks === undefined) return reader.push(archive)
  // One buffer for all chunks, at changing places: a reader that keeps a view would see it change.
  const buffer = new Uint8Array(70_000)
  for (let at = 0, i = 0; at < archive.length; i++) {
    const length = Math.min(chunks(i), archive.length - at, buffer.length - (i % 7))
    buffer.fill(0xee)
    buffer.set(archive.subarray(at, at + length), i % 7)
    reader.push(buffer, i % 7, (i % 7) + length)
    at += length
  }
}

function addRun(runs: ReadEntry['runs'], offset: number, bytes: Uint8Array): void {
  const last = runs.at(-1)
  if (last === undefined || last.offset + last.bytes.length !== offset) runs.push({ offset, bytes })
  else last.bytes = new Uint8Array(Buffer.concat([last.bytes, bytes]))
}
