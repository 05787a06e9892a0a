import { crc32, inflateRawSync } from 'node:zlib'

/** A gzip member around a deflate stream that claims to be this content. */
export function gzipMember(stream: Uint8Array, content: Uint8Array): Buffer {
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(content), 0)
  trailer.writeUInt32LE(content.length, 4)
  return Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]), stream, trailer])
}

/** What zlib makes of a deflate stream, and where that ends; null when it refuses it or misses the end. */
export function rawInflate(stream: Uint8Array): { readonly output: Buffer; readonly consumed: number } | null {
  try {
    const { buffer, engine } = inflateRawSync(stream, { info: true }) as unknown as {
      readonly buffer: Buffer
      readonly engine: { readonly bytesWritten: number }
    }
    return { output: buffer, consumed: engine.bytesWritten }
  } catch {
    return null // corrupt or cut
  }
}
