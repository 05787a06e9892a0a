export { type LayerName, opaqueMarker, parseLayerName, whiteoutPrefix } from './layer-name.ts'
export {
  baseName,
  type CleanPath,
  cleanLayerPath,
  comparePaths,
  joinPath,
  type LayerPath,
  parentPath,
} from './layer-path.ts'
export { decodeName, encodeName, isUtf8Name, jsonName, nameByteLength } from './names.ts'
