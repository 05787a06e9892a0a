export { openImage } from './open-image.ts'
export { checkSize, diffIDMismatch, layerCompression, type LayerStream, streamLayer } from './stream-layer.ts'
export { openPortableLayer, portableLayer, type PortableLayer } from './portable-layer.ts'
export type {
  Blob,
  BlobOrigin,
  BlockTarget,
  Image,
  ImageDocument,
  Layer,
  OpenImageOptions,
  PortableBlob,
  StreamOptions,
  Transport,
} from './types.ts'
export { type ImageCheck, type LayerCheck, verifyImage } from './verify-image.ts'
