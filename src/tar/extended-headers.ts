// Headers that describe the entry after them instead of being one: PAX local ('x') and global ('g') headers, GNU long
// names ('L') and link names ('K'). Go's precedence: records lie over the header block, a GNU long name over both.

import { decodeName } from '../path/index.ts'
import { type MutableTarHeader, tarType } from './header.ts'
import { applyPaxRecords, mergeGlobalRecords, type PaxRecords, parsePaxRecords, recordsInForce } from './pax-records.ts'

const paxLocal = 0x78 // 'x'
const paxGlobal = 0x67 // 'g'
const gnuLongName = 0x4c // 'L'
const gnuLongLink = 0x4b // 'K'

/** True for type flags of headers that describe the entry after them. */
export function isExtendedHeader(type: number): boolean {
  return type === paxLocal || type === paxGlobal || type === gnuLongName || type === gnuLongLink
}

/** What the extended headers so far say about the next entry. */
export class ExtendedHeaders {
  readonly #applyGlobalPax: boolean
  #local: PaxRecords | null = null
  #global: PaxRecords | null = null
  #longName = ''
  #longLink = ''

  constructor(options: { readonly applyGlobalPax: boolean }) {
    this.#applyGlobalPax = options.applyGlobalPax
  }

  /**
   * Takes an extended header and its contents, which must not change afterwards. Gives the records of a global
   * header, null for the other kinds. Errors: BAD_TAR.
   */
  take(header: MutableTarHeader, contents: Uint8Array): PaxRecords | null {
    switch (header.type) {
      case paxGlobal:
        return this.#takeGlobal(header, parsePaxRecords(contents, header.offset))
      case paxLocal:
        this.#local = parsePaxRecords(contents, header.offset)
        return null
      case gnuLongName:
        this.#longName = untilNul(contents)
        return null
      default:
        this.#longLink = untilNul(contents)
        return null
    }
  }

  /** Completes the header of an entry, and forgets what was said about it. Errors: BAD_TAR with `offset`. */
  applyTo(header: MutableTarHeader, offset: number): void {
    const records = recordsInForce(this.#global, this.#local)
    if (records !== null) applyPaxRecords(header, records, offset)
    if (this.#local !== null && header.format === 'ustar') header.format = 'pax'
    if (this.#longName !== '') header.name = this.#longName
    if (this.#longLink !== '') header.linkName = this.#longLink
    if (header.type === 0) header.type = header.name.endsWith('/') ? tarType.directory : tarType.file
    this.#forget()
  }

  #takeGlobal(header: MutableTarHeader, records: PaxRecords): PaxRecords {
    applyPaxRecords(header, records, header.offset) // refuses malformed numbers where they stand
    if (this.#applyGlobalPax) this.#global = mergeGlobalRecords(this.#global, records)
    this.#forget() // Go: what stands before a global header does not describe the entry after it
    return records
  }

  #forget(): void {
    this.#local = null
    this.#longName = ''
    this.#longLink = ''
  }
}

function untilNul(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0)
  return decodeName(bytes, 0, nul < 0 ? bytes.length : nul)
}
