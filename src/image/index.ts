export type {
  BlockTarget,
  Blob,
  Image,
  ImageDocument,
  Layer,
  OpenImageOptions,
  StreamOptions,
  Transport,
} from './types.ts'
