export { chainIDs } from './chain-id.ts'
export { type HistoryEntry, type ImageConfig, parseImageConfig, type ProcessConfig } from './config.ts'
export { type Descriptor, descriptor } from './descriptor.ts'
export { type Digest, type DigestAlgorithm, digestAlgorithm, digestHex, isDigest, shortDigest } from './digest.ts'
export {
  type ArchiveImage,
  parseArchiveManifest,
  parseRepositories,
  parseV1Image,
  type RepositoryTag,
  type V1Image,
} from './docker-archive.ts'
export {
  badField,
  documentField,
  type Field,
  flag,
  isAbsent,
  items,
  optionalText,
  property,
  requiredCount,
  requiredItems,
  requiredText,
  texts,
} from './field.ts'
export {
  addHistory,
  type ClearableSetting,
  clearableSettings,
  type ConfigEdit,
  editConfig,
  emptyHistory,
  type NewHistoryEntry,
  noConfigEdit,
  withLayers,
} from './edit-config.ts'
export { descriptorToJson, formatDocumentBytes, type JsonObject, layoutFile } from './format.ts'
export { type LayerHistory, mapHistory } from './history.ts'
export {
  checkLayoutFile,
  containerdNameAnnotation,
  type ImageIndex,
  isAttestation,
  parseIndex,
  refNameAnnotation,
} from './image-index.ts'
export { parseJson, tooLarge } from './json.ts'
export { type Manifest, parseManifest } from './manifest.ts'
export {
  type LayerMediaType,
  layerMediaType,
  layerTypeOf,
  type ManifestFamily,
  type MediaTypeKind,
  mediaType,
  mediaTypeKind,
} from './media-types.ts'
export {
  formatPlatform,
  matchPlatform,
  normalisePlatform,
  parsePlatformName,
  type Platform,
  platform,
} from './platform.ts'
export { familiarReference, formatReference, parseReference, type Reference } from './reference.ts'
