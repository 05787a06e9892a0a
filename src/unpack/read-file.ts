// `ovl cat`: the content of one file of the merged image, found by its place in the uncompressed layer.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Image } from '../image/index.ts'
import type { TreeFile } from '../layer/index.ts'
import { type ReadTreeOptions, readLayer } from './read-image-tree.ts'

/**
 * Takes a piece of content. The bytes are valid until the call returns or, when it gives a promise, until that
 * settles; nothing more is read before.
 */
export type ContentChunk = (chunk: Uint8Array) => void | Promise<void>

/**
 * Streams a file's content, holes as zeros, to `onChunk`, as fast as it takes them. The layer is verified to its end,
 * so a mismatch throws after the content was handed out.
 */
export async function readFileContent(
  image: Image,
  { file, onChunk }: { readonly file: TreeFile; readonly onChunk: ContentChunk },
  options: ReadTreeOptions = {},
): Promise<void> {
  const layer = image.layers[file.layer - 1]
  if (layer === undefined) throw new Error(`no layer ${file.layer}`)
  const pieces: Piece[] = []
  let at = 0
  let found = false
  const deliver = (): null | Promise<void> =>
    pieces.length === 0 ? null : deliverPieces(pieces.splice(0), { onChunk, signal: options.signal })
  await readLayer(
    layer,
    {
      entry: header => {
        found = header.offset === file.offset
      },
      data: (chunk, start, end, fileOffset) => {
        if (!found) return
        if (fileOffset > at) pieces.push(fileOffset - at)
        pieces.push(chunk.subarray(start, end))
        at = fileOffset + (end - start)
      },
      end: () => {
        if (found && file.size > at) pieces.push(file.size - at)
        found = false
      },
    },
    { ...options, beforeMore: deliver },
  )
  await deliver()
}

/** Bytes of content, or how many zeros a hole is. */
type Piece = Uint8Array | number

type Receiver = { readonly onChunk: ContentChunk; readonly signal: AbortSignal | undefined }

async function deliverPieces(pieces: readonly Piece[], receiver: Receiver): Promise<void> {
  for (const piece of pieces) {
    if (typeof piece === 'number') await deliverZeros(piece, receiver)
    else await receiver.onChunk(piece)
  }
}

const zeros = new Uint8Array(1 << 16)

/** A few bytes of archive can stand for exabytes of hole: signals must get a turn. */
async function deliverZeros(count: number, { onChunk, signal }: Receiver): Promise<void> {
  for (let left = count; left > 0; left -= zeros.length) {
    signal?.throwIfAborted()
    await onChunk(left < zeros.length ? zeros.subarray(0, left) : zeros)
    await nextTurn()
  }
}
