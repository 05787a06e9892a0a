// An image of layers in memory, as `openImage` would give it.

import { createHash } from 'node:crypto'
import type { Blob, Image, Layer } from '../../src/image/index.ts'
import { type Digest, parseImageConfig } from '../../src/oci/index.ts'

/** `foreign` layers cannot be sent to another thread. */
export function memoryImage(tars: readonly Uint8Array[], { foreign = false } = {}): Image {
  const diffIDs = tars.map(digestOf)
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['/x'] },
    rootfs: { type: 'layers', diff_ids: diffIDs },
  }
  const raw = Buffer.from(JSON.stringify(config))
  const layers = tars.map((tar, index): Layer => {
    const blob: Blob = { size: tar.length, location: `layer ${index + 1}`, read: readerOf(tar) }
    return {
      number: index + 1,
      count: tars.length,
      image: 'memory',
      diffID: diffIDs[index] ?? null,
      descriptor: null,
      blob: foreign ? blob : { ...blob, origin: { kind: 'bytes', bytes: tar } },
      mediaType: null,
      history: null,
    }
  })
  return {
    source: { transport: 'docker-archive', location: 'memory', archiveBytes: null },
    names: [],
    title: 'memory',
    platform: { os: 'linux', architecture: 'amd64', variant: '', osVersion: '', osFeatures: [] },
    indexes: [],
    manifest: null,
    config: { raw, digest: digestOf(raw), parsed: parseImageConfig(config, 'config') },
    layers,
    blobs: null,
    close() {},
  }
}

function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

function readerOf(bytes: Uint8Array): Blob['read'] {
  return (target, start, end, position) => {
    const part = bytes.subarray(position, position + (end - start))
    target.set(part, start)
    return part.length
  }
}
