// A layout that is too large to be done with before a test stops the program.

import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

const hugeBytes = 7 * 2 ** 30 // the most that fits the octal size field, nearly

/** A layout with one layer of 7 GiB that takes no space: its digests are wrong, but nobody gets that far. */
export function writeHugeLayout(directory: string): void {
  const blobs = path.join(directory, 'blobs/sha256')
  fs.rmSync(directory, { recursive: true, force: true })
  fs.mkdirSync(blobs, { recursive: true })
  const layer = {
    mediaType: 'application/vnd.oci.image.layer.v1.tar',
    digest: `sha256:${'1'.repeat(64)}`,
    size: hugeBytes + 1536,
  }
  fs.writeFileSync(path.join(blobs, '1'.repeat(64)), hugeFileHeader())
  fs.truncateSync(path.join(blobs, '1'.repeat(64)), layer.size)
  const config = writeJson(blobs, {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  })
  const manifest = writeJson(blobs, {
    schemaVersion: 2,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [layer],
  })
  const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', ...manifest }
  fs.writeFileSync(path.join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }))
  fs.writeFileSync(path.join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
}

function writeJson(blobs: string, document: object): { digest: string; size: number } {
  const text = JSON.stringify(document)
  const hex = createHash('sha256').update(text).digest('hex')
  fs.writeFileSync(path.join(blobs, hex), text)
  return { digest: `sha256:${hex}`, size: text.length }
}

function hugeFileHeader(): Buffer {
  const block = Buffer.alloc(512)
  block.write('huge', 0)
  for (const [at, value] of [
    [100, '0000644\0'],
    [108, '0000000\0'],
    [116, '0000000\0'],
    [124, `${hugeBytes.toString(8).padStart(11, '0')}\0`],
    [136, '00000000000\0'],
    [148, '        0'],
    [257, 'ustar\x0000'],
  ] as const)
    block.write(value, at, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}
