export { type OpenedRoots, openImage, openRoots } from './open-image.ts'
export type { ImageRoots } from './roots.ts'
export { openNameless, writeAll } from './nameless-file.ts'

export { checkSize, diffIDMismatch, layerCompression, type LayerStream, streamLayer } from './stream-layer.ts'
export { openPortableLayer, portableLayer, type PortableLayer } from './portable-layer.ts'
export {
  type Blob,
  type BlobOrigin,
  type BlobSource,
  type BlockTarget,
  type Image,
  type ImageDocument,
  type Layer,
  type OpenImageOptions,
  type PortableBlob,
  standardInput,
  type StreamOptions,
  type Transport,
} from './types.ts'
export type { WrittenTransport } from './argument.ts'
export type { DockerContent, ImageContent, OciContent, Staging } from './write/content.ts'
export { type ImageDestination, readDestination } from './write/destination.ts'
export {
  type Conversion,
  describeImage,
  type ImageEdit,
  isChanged,
  ociContent,
  type WrittenImage,
} from './write/image-content.ts'
export { dockerContent, type LayerSource, stageLayer, type WrittenLayer } from './write/layers.ts'
export { defaultName, type ImageName, namesOfDescriptors, namesOfImage, repoTagsOf } from './write/names.ts'
export type { OutputBlob } from './write/output-blob.ts'
export { rootsContent } from './write/roots-content.ts'
export { type ExpectedImage, writeImage, type WriteImageOptions } from './write/write-image.ts'
export { type ImageCheck, type LayerCheck, verifyImage } from './verify-image.ts'
