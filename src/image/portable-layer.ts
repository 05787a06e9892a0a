// A layer as plain values, to be read by another thread: descriptors of open files are the process's, paths can be
// opened again, and bytes can be copied. What is read is verified there as it is here.

import { unreachable } from '../errors/index.ts'
import { bytesBlob, descriptorBlob, FileBlob, sliceBlob } from './blob.ts'
import { sparseBlob } from './sparse-blob.ts'
import type { Blob, Layer, PortableBlob } from './types.ts'

/** A layer that can be sent to another thread. Valid until the image is closed. */
export type PortableLayer = Omit<Layer, 'blob'> & { readonly blob: PortableBlob }

/** Null for a layer whose blob only this thread can read. */
export function portableLayer(layer: Layer): PortableLayer | null {
  const { blob, number, count, image, diffID, descriptor, mediaType, history } = layer
  if (blob.origin === undefined) return null
  const { size, location, origin } = blob
  return { number, count, image, diffID, descriptor, mediaType, history, blob: { size, location, origin } }
}

/** The layer again; `close` closes what was opened for it. */
export function openPortableLayer(portable: PortableLayer): { readonly layer: Layer; readonly close: () => void } {
  const files: FileBlob[] = []
  const blob = openBlob(portable.blob, files)
  return {
    layer: { ...portable, blob },
    close: () => {
      for (const file of files) file.close()
    },
  }
}

function openBlob({ size, location, origin }: PortableBlob, files: FileBlob[]): Blob {
  switch (origin.kind) {
    case 'bytes':
      return bytesBlob(origin.bytes, location)
    case 'descriptor':
      return descriptorBlob(origin.fd, { size, location })
    case 'file': {
      const file = new FileBlob(origin.path, size, location)
      files.push(file)
      return file
    }
    case 'slice':
      return sliceBlob(openBlob(origin.whole, files), { offset: origin.offset, size, location })
    case 'sparse':
      return sparseBlob(openBlob(origin.stored, files), { segments: origin.segments, size })
    default:
      return unreachable(origin)
  }
}
