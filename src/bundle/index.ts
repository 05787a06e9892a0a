export { hostResolvConf } from './host-resolv-conf.ts'
export { hostRootfs } from './host-rootfs.ts'
export { formatDocument, formatState } from './format-state.ts'
export {
  parseIdMapping,
  toContainerID,
  toHostID,
  type UserNamespace,
  type UserNamespaceOptions,
  userNamespace,
} from './id-map.ts'
export {
  formatOverrideStat,
  type OverrideStat,
  overrideStatName,
  overrideStatNames,
  parseOverrideStat,
  type StandsFor,
} from './override-stat.ts'
export { parseState } from './parse-state.ts'
export { type Bundle, isBundle, readBundle } from './read-bundle.ts'
export { type Resolved, resolveInRootfs, type RootfsReader, type RootfsStat } from './rootfs-reader.ts'
export { createRuntimeConfig, type RuntimeConfigOptions } from './runtime-config.ts'
export type { IdMapping, RuntimeConfig, RuntimeMount, RuntimeUser } from './runtime-spec.ts'
export {
  type BundleImage,
  type BundleLayer,
  type BundleMode,
  type BundleOverlay,
  type BundleState,
  configFileName,
  type FileNote,
  type NotKept,
  nothingLost,
  type OwnerNote,
  rootPathOf,
  stateFileName,
  stateSchema,
  type XattrNote,
} from './state.ts'
