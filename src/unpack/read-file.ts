// `ovl cat`: the content of one file of the merged image, found by its place in the uncompressed layer.

import type { Image } from '../image/index.ts'
import type { TreeFile } from '../layer/index.ts'
import { type ReadTreeOptions, readLayer } from './read-image-tree.ts'

/** Takes a piece of content; the bytes are valid only during the call. */
export type ContentChunk = (chunk: Uint8Array) => void

/**
 * Streams a file's content, holes as zeros, to `onChunk`; chunks are valid only during the call. The layer is verified
 * to its end, so a mismatch throws after the content was handed out.
 */
export async function readFileContent(
  image: Image,
  { file, onChunk }: { readonly file: TreeFile; readonly onChunk: ContentChunk },
  options: ReadTreeOptions = {},
): Promise<void> {
  const layer = image.layers[file.layer - 1]
  if (layer === undefined) throw new Error(`no layer ${file.layer}`)
  let at = 0
  let found = false
  await readLayer(
    layer,
    {
      entry: header => {
        found = header.offset === file.offset
      },
      data: (chunk, start, end, fileOffset) => {
        if (!found) return
        writeZeros(fileOffset - at, onChunk)
        onChunk(chunk.subarray(start, end))
        at = fileOffset + (end - start)
      },
      end: () => {
        if (found) writeZeros(file.size - at, onChunk)
        found = false
      },
    },
    options,
  )
}

const zeros = new Uint8Array(1 << 16)

function writeZeros(count: number, onChunk: ContentChunk): void {
  for (let left = count; left > 0; left -= zeros.length) onChunk(left < zeros.length ? zeros.subarray(0, left) : zeros)
}
