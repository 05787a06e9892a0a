export { formatOverlayOptions, formatSettings } from './format-options.ts'
export {
  escapeLower,
  escapeUpper,
  type RawOption,
  splitLowerdir,
  splitOptions,
  unescapeLayer,
} from './option-syntax.ts'
export { type GenericFlag, optionNames, type OverlaySettings, settingFlags, settingValues } from './option-table.ts'
export {
  type LayerOption,
  type LayerRole,
  maxLayers,
  noOptions,
  type OptionContext,
  type OverlayOptions,
  parseOverlayOptions,
  tooManyLayers,
} from './options.ts'
export { type MountErrno, type Refusal, refusal, shown } from './refusal.ts'
export {
  type ModuleDefaults,
  type OverlayConfig,
  type OverlayNote,
  type ResolvedSettings,
  resolveSettings,
  type SettingsContext,
  shownSettings,
  usualDefaults,
} from './settings.ts'
export { type CheckOptions, checkOverlay } from './check/check-overlay.ts'
export { type FindingCode, findingCodes, type LayerFinding, type Mend, type Severity } from './check/finding-table.ts'
export type { LayerName, LayerNode, LayerReader, StoredOverlay } from './check/layer-reader.ts'
export { type Mark, type MarkNames, markNames } from './marks.ts'
export { escapeXattr, isPrivateXattr, shownXattrName, storedXattrName, visibleXattrs } from './format/xattr-names.ts'
export { formatNlink, type LinkCounts, parseNlink } from './format/nlink.ts'
export { formatProtattr, parseProtattr } from './format/protattr.ts'
export {
  formatOrigin,
  indexName,
  isSameValue,
  parseIndexName,
  parseOrigin,
  type StoredHandle,
} from './format/stored-handle.ts'
export { type OverlayRule, overlayRules, type RuleTable } from './rules/overlay-rules.ts'
export { checkPresent, type GivenDirectories } from './mount/check-present.ts'
export {
  checkRelations,
  type DirectorySet,
  type PlacedDirectory,
  type RelationContext,
} from './mount/check-relations.ts'
export {
  type About,
  cannotOpen,
  type Describe,
  describeByPath,
  inUse,
  inUseNote,
  type NamedDirectory,
  notADirectory,
  staleIndex,
  staleOrigin,
  tooDeep,
  type Unopened,
  upperOnOverlay,
  upperReadOnly,
  type Use,
  volatileLeftover,
} from './mount/refusals.ts'
export { makeRoot, mountOverlay, type MountRequest, rememberDepth, shownOptions, unmountOverlay } from './mount.ts'
export type { OverlayMount } from './model.ts'
export type { LayerSource } from './mount/places.ts'
export type { LayerAnswer, OverlayEvent, RenameStrategy } from './events.ts'
export { type TopObject, topObjectOf } from './top-object.ts'
export { OverlayFs, type OverlayFsOptions } from './overlay-fs.ts'
export { readOnlyOverlay } from './read-only-overlay.ts'
