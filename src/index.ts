// The public API of ovl: what `import … from 'ovl'` gives. Everything here is documented where it is declared and is
// kept stable; what the rooms share among themselves beyond this may change.

export {
  type BundleState,
  createRuntimeConfig,
  hostRootfs,
  readBundle,
  type RuntimeConfig,
  userNamespace,
} from './bundle/index.ts'
export {
  defaultLimits,
  type Errno,
  type ErrorCode,
  errorCodes,
  FsError,
  isErrno,
  type Limits,
  OvlError,
  type Warn,
  type Warning,
  type WarningCode,
} from './errors/index.ts'
export {
  explainPath,
  type ExplainedLayer,
  findTerm,
  type OperationOutcome,
  type PathExplanation,
  type Term,
  tryOperations,
} from './explain/index.ts'
export {
  type Credentials,
  diffTrees,
  type FileHandle,
  type FileSystem,
  type IDRange,
  MemoryFs,
  type MemoryOptions,
  parseTree,
  readTree,
  root,
  rootOfNamespace,
  type Stat,
  type Tree,
  type TreeListing,
  user,
  writeTree,
} from './fs/index.ts'
export { HostFs, type HostFsOptions, openHostFs } from './host/index.ts'
export {
  type BlockTarget,
  type Blob,
  type Image,
  type ImageCheck,
  type Layer,
  openImage,
  type OpenImageOptions,
  streamLayer,
  verifyImage,
} from './image/index.ts'
export {
  type ApplyOptions,
  type Attributes,
  ImageTree,
  LayerApplier,
  type LayerChange,
  type LayerCounts,
  LayerFs,
  type LayerSummary,
  type TreeInode,
  type TreeSink,
} from './layer/index.ts'
export {
  mountCommand,
  type MountedOverlay,
  mountOverlay,
  type MountPlan,
  preflight,
  readOptions,
  type Unmounted,
  unmountOverlay,
} from './mount/index.ts'
export { asNodeFs, type NodeFs } from './node-fs/index.ts'
export {
  formatOverlayOptions,
  type OverlayEvent,
  OverlayFs,
  type OverlayFsOptions,
  type OverlayOptions,
  type OverlayRule,
  overlayRules,
  parseOverlayOptions,
} from './overlay/index.ts'
export { decodeName, encodeName, parseLayerName } from './path/index.ts'
export {
  compareReplays,
  type Difference,
  emulateScenario,
  formatScenario,
  parseScenario,
  randomScenario,
  readScenario,
  type Replay,
  runSteps,
  type Scenario,
  shrinkScenario,
  type Step,
  type StepResult,
} from './scenario/index.ts'
export {
  encodeTarHeader,
  endOfArchive,
  type TarEntry,
  type TarHandler,
  type TarHeader,
  tarPadding,
  TarReader,
  tarType,
} from './tar/index.ts'
export { describeEvent } from './trace/index.ts'
export {
  type MergedImage,
  openMergedImage,
  readFileContent,
  readImageTree,
  unpackFlat,
  unpackLayers,
  type UnpackLayersOptions,
  type UnpackOptions,
  type UnpackProgress,
  type UnpackResult,
} from './unpack/index.ts'
