// The media types of image-spec media-types.md and of Docker's schema 2, and what each is. Docker's and OCI's types
// are taken as equal wherever one stands for the other: real layouts mix them.

/** The media types that ovl writes or compares with. */
export const mediaType = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
} as const

/** What a media type stands for, whichever of the two families it is from. */
export type MediaTypeKind = 'index' | 'manifest' | 'schema1' | 'config' | 'layer' | 'unknown'

const kinds: ReadonlyMap<string, MediaTypeKind> = new Map<string, MediaTypeKind>([
  [mediaType.index, 'index'],
  [mediaType.dockerIndex, 'index'],
  [mediaType.manifest, 'manifest'],
  [mediaType.dockerManifest, 'manifest'],
  ['application/vnd.docker.distribution.manifest.v1+json', 'schema1'],
  ['application/vnd.docker.distribution.manifest.v1+prettyjws', 'schema1'],
  [mediaType.config, 'config'],
  [mediaType.dockerConfig, 'config'],
])

/** What a media type stands for. Parameters ("; charset=…") and letter case do not matter (RFC 6838). */
export function mediaTypeKind(type: string): MediaTypeKind {
  const essence = essenceOf(type)
  return kinds.get(essence) ?? (layerMediaType(essence) === null ? 'unknown' : 'layer')
}

/** What the media type of a layer claims. */
export type LayerMediaType = {
  /** What the suffix says; what the blob really is, its first bytes say (rule 27 of the layer rules). */
  readonly compression: 'none' | 'gzip' | 'zstd' | 'unsupported'
  /** A "nondistributable" or Docker "foreign" layer, whose bytes may be kept elsewhere. */
  readonly foreign: boolean
  readonly encrypted: boolean
}

const layerBases: readonly { readonly base: string; readonly separator: '+' | '.'; readonly foreign: boolean }[] = [
  { base: mediaType.layer, separator: '+', foreign: false },
  { base: 'application/vnd.oci.image.layer.nondistributable.v1.tar', separator: '+', foreign: true },
  { base: mediaType.dockerLayer, separator: '.', foreign: false },
  { base: mediaType.dockerLayer, separator: '+', foreign: false },
  { base: 'application/vnd.docker.image.rootfs.foreign.diff.tar', separator: '.', foreign: true },
  { base: 'application/vnd.docker.image.rootfs.foreign.diff.tar', separator: '+', foreign: true },
]

/** Reads the media type of a file system layer; null when it is none. */
export function layerMediaType(type: string): LayerMediaType | null {
  const essence = essenceOf(type)
  for (const { base, separator, foreign } of layerBases) {
    if (essence === base) return { compression: 'none', foreign, encrypted: false }
    if (essence.startsWith(base + separator)) return withSuffix(essence.slice(base.length + 1), foreign)
  }
  return null
}

function withSuffix(suffix: string, foreign: boolean): LayerMediaType {
  const encrypted = suffix === 'encrypted' || suffix.endsWith('+encrypted')
  const name = suffix.replace(/\+?encrypted$/, '')
  const compression = name === 'gzip' || name === 'zstd' ? name : name === '' ? 'none' : 'unsupported'
  return { compression, foreign, encrypted }
}

function essenceOf(type: string): string {
  const semicolon = type.indexOf(';')
  return (semicolon < 0 ? type : type.slice(0, semicolon)).trim().toLowerCase()
}

/** The two families of documents: the image specification's, and Docker's schema 2. */
export type ManifestFamily = 'oci' | 'docker'

/**
 * The media type of a layer in a family; null where the family has none for the compression (Docker's has none for
 * zstd, neither has one for xz and bzip2).
 */
export function layerTypeOf(
  family: ManifestFamily,
  layer: { readonly compression: string; readonly foreign: boolean },
): string | null {
  const { compression, foreign } = layer
  if (compression !== 'none' && compression !== 'gzip' && compression !== 'zstd') return null
  if (family === 'oci') {
    const base = foreign ? 'application/vnd.oci.image.layer.nondistributable.v1.tar' : mediaType.layer
    return compression === 'none' ? base : `${base}+${compression}`
  }
  if (compression === 'zstd') return null
  const base = foreign ? 'application/vnd.docker.image.rootfs.foreign.diff.tar' : mediaType.dockerLayer
  return compression === 'none' ? base : `${base}.${compression}`
}
