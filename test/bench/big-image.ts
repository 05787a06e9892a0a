// An OCI layout with a single gzip layer of 1 GiB: one large file that does not compress, one that compresses well,
// and many small ones. Written as a stream and the same on every machine, zlib's version aside.

import { type Cipher, createCipheriv, createHash } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type Pack, pack } from 'tar-stream'

type Kind = 'noise' | 'text'

const chunkBytes = 1 << 18
const files: readonly { readonly name: string; readonly sizeBytes: number; readonly kind: Kind }[] = [
  { name: 'noise', sizeBytes: 352 << 20, kind: 'noise' },
  { name: 'text', sizeBytes: 544 << 20, kind: 'text' },
  ...Array.from({ length: 4096 }, (_, index) => ({
    name: `small/${index % 64}/${index}`,
    sizeBytes: 32 << 10,
    kind: index % 2 === 0 ? ('noise' as const) : ('text' as const),
  })),
]

/** Writes the layout to `directory`, which must not exist. */
export async function writeBigImage(directory: string): Promise<void> {
  const blobs = path.join(directory, 'blobs', 'sha256')
  fs.mkdirSync(blobs, { recursive: true })
  const { layer, diffID } = await writeLayer(blobs)
  const config = writeDocument(blobs, 'application/vnd.oci.image.config.v1+json', {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Cmd: ['/noise'] },
    rootfs: { type: 'layers', diff_ids: [diffID] },
  })
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = writeDocument(blobs, mediaType, { schemaVersion: 2, mediaType, config, layers: [layer] })
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' }
  writeJson(path.join(directory, 'index.json'), { schemaVersion: 2, manifests: [{ ...manifest, annotations }] })
  writeJson(path.join(directory, 'oci-layout'), { imageLayoutVersion: '1.0.0' })
}

type Descriptor = { readonly mediaType: string; readonly digest: string; readonly size: number }

async function writeLayer(blobs: string): Promise<{ layer: Descriptor; diffID: string }> {
  const file = path.join(blobs, 'layer')
  const tar = pack()
  const [plain, stored] = [createHash('sha256'), createHash('sha256')]
  const compressed = createGzip({ level: 1, chunkSize: chunkBytes })
  compressed.on('data', (chunk: Buffer) => stored.update(chunk))
  const counted = new PassThrough({ highWaterMark: 1 << 20 })
  counted.on('data', (chunk: Buffer) => plain.update(chunk))
  await Promise.all([pipeline(tar, counted, compressed, fs.createWriteStream(file)), addFiles(tar)])
  const digest = stored.digest('hex')
  fs.renameSync(file, path.join(blobs, digest))
  const size = fs.statSync(path.join(blobs, digest)).size
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip'
  return { layer: { mediaType, digest: `sha256:${digest}`, size }, diffID: `sha256:${plain.digest('hex')}` }
}

async function addFiles(tar: Pack): Promise<void> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16))
  for (const { name, sizeBytes, kind } of files) {
    const entry = tar.entry({ name, size: sizeBytes, mtime: new Date(0), mode: 0o644 })
    for (let left = sizeBytes; left > 0; left -= chunkBytes) {
      await write(entry, content(kind, cipher, left).subarray(0, Math.min(left, chunkBytes)))
    }
    entry.end(null)
  }
  tar.finalize()
}

const zeros = Buffer.alloc(chunkBytes)
const text = Buffer.alloc(chunkBytes, 'Layers are changesets; a whiteout hides what is below. \n')

/** A chunk of content that never repeats (a key stream) or of repeated text with its offset at the front. */
function content(kind: Kind, cipher: Cipher, left: number): Buffer {
  if (kind === 'noise') return cipher.update(zeros)
  const chunk = Buffer.from(text)
  chunk.writeUInt32BE(left)
  return chunk
}

async function write(to: ReturnType<Pack['entry']>, chunk: Buffer): Promise<void> {
  if (!to.write(chunk)) await once(to, 'drain')
}

function writeDocument(blobs: string, mediaType: string, document: object): Descriptor {
  const bytes = Buffer.from(JSON.stringify(document))
  const digest = createHash('sha256').update(bytes).digest('hex')
  fs.writeFileSync(path.join(blobs, digest), bytes)
  return { mediaType, digest: `sha256:${digest}`, size: bytes.length }
}

function writeJson(file: string, document: object): void {
  fs.writeFileSync(file, JSON.stringify(document))
}
