import { constants, deflateRawSync } from 'node:zlib'

/** How far back deflate can refer (RFC 1951, 2). */
export const maxDistanceBytes = 32 * 1024

/** One block of a stream that is deflated in pieces. */
export type DeflateJob = {
  readonly bytes: Uint8Array
  /** The end of what comes before it. */
  readonly dictionary: Uint8Array | null
  readonly level: number
  /** The stream ends with it; else it ends on a byte boundary and something may follow. */
  readonly isLast: boolean
}

/** Deflates one block. */
export function deflateBlock({ bytes, dictionary, level, isLast }: DeflateJob): Uint8Array {
  return deflateRawSync(bytes, {
    level,
    // Output in one piece: incompressible data grows by 5 bytes in 16 KiB.
    chunkSize: Math.max(64, bytes.length + (bytes.length >> 8) + 64),
    finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    ...(dictionary === null ? {} : { dictionary }),
  })
}
