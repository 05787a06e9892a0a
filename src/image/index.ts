export { openImage } from './open-image.ts'
export { checkSize, diffIDMismatch, layerCompression, type LayerStream, streamLayer } from './stream-layer.ts'
export type {
  Blob,
  BlockTarget,
  Image,
  ImageDocument,
  Layer,
  OpenImageOptions,
  StreamOptions,
  Transport,
} from './types.ts'
export { type ImageCheck, type LayerCheck, verifyImage } from './verify-image.ts'
