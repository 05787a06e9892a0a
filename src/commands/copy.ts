// `ovl copy`: an image from one form to another, byte for byte unless something else is asked for.

import { OvlError } from '../errors/index.ts'
import { ownWorkspaces } from '../host/index.ts'
import {
  type Conversion,
  defaultName,
  describeImage,
  dockerContent,
  type Image,
  type ImageContent,
  type ImageDestination,
  type ImageName,
  type ImageRoots,
  isChanged,
  layerCompression,
  namesOfDescriptors,
  namesOfImage,
  ociContent,
  openImage,
  openRoots,
  readDestination,
  repoTagsOf,
  rootsContent,
  type Staging,
  writeImage,
  type WrittenTransport,
} from '../image/index.ts'
import type { Digest, ManifestFamily } from '../oci/index.ts'
import type { ImageOptions } from './image-options.ts'

/** How to copy: the flags of `ovl copy`. */
export type CopyOptions = ImageOptions & {
  /** All platforms, and whatever else an index lists. */
  readonly all: boolean
  /** The family of manifests; null keeps what the image has. */
  readonly family: ManifestFamily | null
  /** How layers are compressed; null keeps what they are. */
  readonly compression: Conversion['compression']
  /** Replace an image of the same name, or an existing archive. */
  readonly force: boolean
  /** Takes an archive that goes to standard output. */
  readonly writeOutput?: (bytes: Uint8Array) => void | Promise<void>
  /** Told how far a blob is. */
  readonly onBlob?: (blob: CopiedBlob) => void
}

/** A blob on its way. */
export type CopiedBlob = { readonly digest: Digest; readonly sizeBytes: number; readonly sentBytes: number }

/** What was copied. */
export type CopyReport = {
  readonly source: string
  readonly destination: string
  readonly transport: WrittenTransport
  /** Of the manifest, or of the index with all platforms; of the config (the image ID) in a docker-archive. */
  readonly digest: Digest
  readonly names: readonly string[]
  readonly blobs: number
  readonly bytes: number
  /** What is not as it was. */
  readonly notes: readonly string[]
}

/** Workspaces of this process at a destination: what a hard stop leaves. */
export function copyLeftovers(to: string): readonly string[] {
  const { path } = readDestination(to)
  return path === null ? [] : ownWorkspaces(path)
}

/**
 * Copies an image. Errors: USAGE, those of `openImage`, `readDestination` and `writeImage`.
 */
export async function copy(source: string, to: string, options: CopyOptions): Promise<CopyReport> {
  const destination = readDestination(to)
  checkFlags(destination, options)
  if (!options.all) return copyOpened(await openImage(source, options), destination, options)
  const { roots, image } = await openRoots(source, options)
  return image === null ? copyRoots(roots, destination, options) : copyOpened(image, destination, options)
}

function checkFlags({ transport }: ImageDestination, { all, platform, family, compression }: CopyOptions): void {
  if (all && platform !== undefined) throw usage('copy takes either --all or --platform', 'leave one of them out')
  if (transport !== 'docker-archive') return
  if (all) throw usage('copy --all cannot write a docker-archive: it holds one platform', 'write an oci-archive')
  if (family !== null)
    throw usage('copy --format is about manifests, and a docker-archive has none', 'leave --format out')
  if (compression !== null && compression !== 'none') {
    const message = `copy --compress ${compression} cannot write a docker-archive: its layers are uncompressed`
    throw usage(message, 'leave --compress out')
  }
}

function usage(message: string, hint: string): OvlError {
  return new OvlError('USAGE', message, { hint })
}

async function copyOpened(image: Image, destination: ImageDestination, options: CopyOptions): Promise<CopyReport> {
  try {
    const names = namesFor(destination, namesOfImage(image))
    const job: Job = { title: image.title, destination, options, names }
    if (destination.transport === 'docker-archive') {
      return await write(job, [], async staging => {
        const content = await dockerContent(image, { names }, staging)
        return { content, digest: content.config.digest, notes: dockerNotes(image, names) }
      })
    }
    const isKept = image.manifest !== null && !isChanged(image, conversionOf(options))
    return await write(job, isKept && image.manifest !== null ? [image.manifest.digest] : [], async staging => {
      const written = await describeImage(image, conversionOf(options), staging)
      const notes = written.isNewManifest ? [manifestNote(image)] : []
      return { content: ociContent(written, names), digest: written.descriptor.digest, notes }
    })
  } finally {
    image.close()
  }
}

async function copyRoots(tree: ImageRoots, destination: ImageDestination, options: CopyOptions): Promise<CopyReport> {
  try {
    const names = namesFor(destination, namesOfDescriptors(tree.roots))
    const conversion = conversionOf(options)
    const isKept = conversion.family === null && conversion.compression === null
    const expected = isKept ? tree.roots.map(({ digest }) => digest) : []
    return await write({ title: tree.title, destination, options, names }, expected, async staging => {
      const content = await rootsContent(tree, { conversion, names }, staging)
      const digests = content.roots.map(({ digest }) => digest)
      const isSame = digests.every((digest, i) => digest === tree.roots[i]?.digest)
      return { content, digest: digests[0] as Digest, notes: isSame ? [] : ['its index and manifests are made anew'] }
    })
  } finally {
    tree.close()
  }
}

/** The name that was asked for, or those that it has, or "latest". */
function namesFor({ name }: ImageDestination, own: readonly ImageName[]): readonly ImageName[] {
  if (name !== null) return [name]
  return own.length > 0 ? own : [defaultName]
}

type Job = {
  readonly title: string
  readonly names: readonly ImageName[]
  readonly destination: ImageDestination
  readonly options: CopyOptions
}

type Made = { readonly content: ImageContent; readonly digest: Digest; readonly notes: readonly string[] }

async function write(
  { title, names, destination, options }: Job,
  digests: readonly Digest[],
  make: (staging: Staging) => Promise<Made>,
): Promise<CopyReport> {
  let made: Made | undefined
  const { writeOutput, onBlob, force, limits, warn, signal } = options
  await writeImage(
    destination,
    {
      expected: { names, digests },
      make: async staging => (made = await make(staging)).content,
    },
    {
      force,
      limits,
      warn,
      signal,
      onBytes: ({ digest, sizeBytes }, sentBytes) => onBlob?.({ digest, sizeBytes, sentBytes }),
      ...(writeOutput === undefined ? {} : { writeOutput }),
    },
  )
  if (made === undefined) throw new Error('Impossible: an image was written that was not made')
  return report({ title, names, destination }, made)
}

function report({ title, names, destination }: Pick<Job, 'title' | 'names' | 'destination'>, made: Made): CopyReport {
  const { content, digest, notes } = made
  const blobs = content.form === 'oci' ? content.blobs : content.layers.map(layer => layer.content)
  return {
    source: title,
    destination: destination.shownAs,
    transport: destination.transport,
    digest,
    names: content.form === 'oci' ? names.map(({ refName }) => refName) : repoTagsOf(names),
    blobs: blobs.length,
    bytes: blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    notes,
  }
}

function conversionOf({ family, compression }: CopyOptions): Conversion {
  return { family, compression }
}

function manifestNote({ manifest }: Image): string {
  return manifest === null ? 'a manifest is made: the source has none' : 'its manifest is made anew'
}

function dockerNotes(image: Image, names: readonly ImageName[]): readonly string[] {
  const isCompressed = image.layers.some(layer => layerCompression(layer) !== 'none')
  return [
    ...(isCompressed ? ['its layers are stored uncompressed, as a docker-archive has them'] : []),
    ...(image.manifest === null ? [] : ['its manifest is left out: a docker-archive has none']),
    ...(repoTagsOf(names).length > 0 ? [] : ['it has no name: give one with docker-archive:FILE:NAME:TAG']),
  ]
}
