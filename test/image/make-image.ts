// Images of any shape for tests: blobs first, then the documents that name them, then files, a directory or an archive.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { archive, type ImageFiles } from '../../fixtures/archives.ts'
import { blob, descriptor, ociTypes, type SampleBlob, type SampleLayer, sha256 } from '../../fixtures/documents.ts'
import { makeTar } from '../support/make-tar.ts'

/** A layer with one file, so that its content tells which layer it is. */
export function makeLayer(
  name: string,
  options: { readonly gzip?: boolean; readonly mediaType?: string } = {},
): SampleLayer {
  const tar = makeTar([{ type: 'file', name, content: `content of ${name}` }])
  const mediaType = options.mediaType ?? (options.gzip ? ociTypes.gzip : ociTypes.tar)
  return { blob: blob(mediaType, options.gzip ? gzipSync(tar) : tar), diffHex: sha256(tar), tar }
}

export type ImageSpec = {
  readonly layers?: readonly SampleLayer[]
  readonly architecture?: string
  readonly variant?: string
  /** Laid over the config document and the manifest document. */
  readonly config?: object
  readonly manifest?: object
  readonly configType?: string
  readonly manifestType?: string
}

export type MadeImage = {
  readonly layers: readonly SampleLayer[]
  readonly config: SampleBlob
  readonly manifest: SampleBlob
  /** Manifest, config and layers. */
  readonly blobs: readonly SampleBlob[]
}

export function makeImage(spec: ImageSpec = {}): MadeImage {
  const layers = spec.layers ?? [makeLayer('base'), makeLayer('top', { gzip: true })]
  const config = blob(spec.configType ?? ociTypes.config, {
    architecture: spec.architecture ?? 'amd64',
    ...(spec.variant === undefined ? {} : { variant: spec.variant }),
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffHex }) => `sha256:${diffHex}`) },
    ...spec.config,
  })
  const manifest = blob(spec.manifestType ?? ociTypes.manifest, {
    schemaVersion: 2,
    mediaType: spec.manifestType ?? ociTypes.manifest,
    config: descriptor(config),
    layers: layers.map(layer => descriptor(layer.blob)),
    ...spec.manifest,
  })
  return { layers, config, manifest, blobs: [manifest, config, ...layers.map(layer => layer.blob)] }
}

/** An entry of an index for an image or an inner index. */
export function entryOf(
  of: SampleBlob,
  more: { readonly name?: string; readonly platform?: string; readonly [key: string]: unknown } = {},
): object {
  const { name, platform, ...rest } = more
  const [os, architecture, variant] = platform?.split('/') ?? []
  return descriptor(of, {
    ...(name === undefined ? {} : { annotations: { 'org.opencontainers.image.ref.name': name } }),
    ...(os === undefined ? {} : { platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } }),
    ...rest,
  })
}

export function makeIndex(manifests: readonly object[], mediaType: string = ociTypes.index): SampleBlob {
  return blob(mediaType, { schemaVersion: 2, mediaType, manifests })
}

/** The files of a layout: `index` becomes index.json. */
export function layoutFiles(
  index: SampleBlob | readonly object[],
  blobs: readonly SampleBlob[],
): Map<string, Uint8Array> {
  const top = Array.isArray(index) ? makeIndex(index as readonly object[]) : (index as SampleBlob)
  return new Map<string, Uint8Array>([
    ['oci-layout', json({ imageLayoutVersion: '1.0.0' })],
    ['index.json', top.bytes],
    ...blobs.map(each => [`blobs/sha256/${each.hex}`, each.bytes] as const),
  ])
}

/** One image in a docker-archive, as skopeo writes it: layers named by diff ID, base first. */
export function dockerFiles(
  images: readonly { readonly image: MadeImage; readonly tags: readonly string[] | null }[],
): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  for (const { image } of images) {
    for (const { diffHex, blob: stored } of image.layers) files.set(`${diffHex}.tar`, stored.bytes)
    files.set(`${image.config.hex}.json`, image.config.bytes)
  }
  const manifest = images.map(({ image, tags }) => ({
    Config: `${image.config.hex}.json`,
    RepoTags: tags,
    Layers: image.layers.map(({ diffHex }) => `${diffHex}.tar`),
  }))
  return files.set('manifest.json', json(manifest))
}

export function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

/** Writes files below a directory. */
export function writeFiles(directory: string, files: ImageFiles): string {
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), bytes)
  }
  return directory
}

/** Writes files as a tar archive. */
export async function writeArchive(path: string, files: ImageFiles): Promise<string> {
  writeFileSync(path, await archive(files))
  return path
}
