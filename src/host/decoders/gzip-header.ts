// The header of a gzip member (RFC 1952 2.3), in pieces of any size. Nothing of it is kept: names and comments in
// image layers are noise.
import { crc32 } from 'node:zlib'

const flag = { headerCrc: 0x02, extra: 0x04, name: 0x08, comment: 0x10, reserved: 0xe0 } as const

type Stage = 'fixed' | 'extraLength' | 'extra' | 'name' | 'comment' | 'headerCrc' | 'done'

/** Reads one header; push bytes until it is `done`. */
export class GzipHeader {
  #stage: Stage = 'fixed'
  /** Bytes of the current stage: a field of fixed length is put together here. */
  #bytes: number[] = []
  #length = 0
  #flags = 0
  #extraLeft = 0
  #crc = 0

  /** True after the last byte of the header. */
  get done(): boolean {
    return this.#stage === 'done'
  }

  /** Bytes read so far. */
  get length(): number {
    return this.#length
  }

  /**
   * Reads header bytes from input[start, end); returns the position after them.
   * Errors: `NotGzip` when the magic is wrong, a plain Error with the fact when the rest is.
   */
  push(input: Uint8Array, start: number, end: number): number {
    let at = start
    while (at < end && this.#stage !== 'done') {
      if (this.#stage === 'extra') {
        const part = Math.min(end - at, this.#extraLeft)
        this.#checksum(input.subarray(at, at + part))
        this.#extraLeft -= part
        this.#length += part
        at += part
        if (this.#extraLeft === 0) this.#next('extra')
      } else this.#byte(input[at++] as number)
    }
    return at
  }

  #byte(byte: number): void {
    this.#length++
    if (this.#stage !== 'headerCrc' && this.#stage !== 'fixed') this.#checksum(Uint8Array.of(byte))
    if (this.#stage === 'name' || this.#stage === 'comment') {
      if (byte === 0) this.#next(this.#stage)
      return
    }
    this.#bytes.push(byte)
    if (this.#stage === 'fixed') this.#fixed()
    else if (this.#bytes.length === 2) this.#twoBytes()
  }

  #fixed(): void {
    const [first, second, method, flags] = this.#bytes
    if (first !== 0x1f || (second !== undefined && second !== 0x8b)) throw new NotGzip()
    if (method !== undefined && method !== 8) throw new Error(`gzip header with unknown method ${method}`)
    if (this.#bytes.length < 10) return
    this.#flags = flags ?? 0
    if ((this.#flags & flag.reserved) !== 0) throw new Error('gzip header with unknown flags')
    this.#checksum(Uint8Array.from(this.#bytes))
    this.#next('fixed')
  }

  #twoBytes(): void {
    const value = (this.#bytes[0] as number) | ((this.#bytes[1] as number) << 8)
    if (this.#stage === 'headerCrc' && value !== (this.#crc & 0xffff)) throw new Error('gzip header with a wrong CRC')
    this.#extraLeft = value
    // An extra field of no bytes has no stage of its own.
    this.#next(this.#stage === 'extraLength' && value === 0 ? 'extra' : this.#stage)
  }

  /** Enters the next stage that the flags ask for. */
  #next(after: Stage): void {
    this.#bytes = []
    this.#stage = stages.slice(stages.indexOf(after) + 1).find(stage => wanted(stage, this.#flags)) ?? 'done'
  }

  #checksum(bytes: Uint8Array): void {
    if ((this.#flags & flag.headerCrc) !== 0) this.#crc = crc32(bytes, this.#crc)
  }
}

/** The first two bytes are not 1f 8b: after a member that means trailing data, not corruption. */
export class NotGzip extends Error {
  constructor() {
    super('no gzip header')
  }
}

const stages: readonly Stage[] = ['fixed', 'extraLength', 'extra', 'name', 'comment', 'headerCrc', 'done']

/** The flag that a stage needs; the others are always there. */
const needs: { readonly [stage in Stage]?: number } = {
  extraLength: flag.extra,
  extra: flag.extra,
  name: flag.name,
  comment: flag.comment,
  headerCrc: flag.headerCrc,
}

function wanted(stage: Stage, flags: number): boolean {
  const needed = needs[stage]
  return needed === undefined || (flags & needed) !== 0
}
