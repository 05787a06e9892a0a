export type { Force } from './destination.ts'
export { type ContentChunk, readFileContent } from './read-file.ts'
export { readImageTree, readLayer, type ReadTreeOptions } from './read-image-tree.ts'
export {
  type UnpackedLayer,
  unpackFlat,
  type UnpackOptions,
  type UnpackProgress,
  type UnpackResult,
} from './unpack-flat.ts'
