export { type Compression, compressionHeadBytes, detectCompression } from './compression.ts'
export {
  type Backend,
  type Decoder,
  type DecoderOptions,
  type StepResult,
  windowLimitBytes,
} from './decoders/decoder.ts'
export {
  type Compressor,
  type CompressorOptions,
  openCompressor,
  type WrittenBlob,
  type WrittenCompression,
} from './compress/compressor.ts'
export { openDecoder } from './decoders/open.ts'
export type { ContentCalls } from './system/contents.ts'
export {
  AT_FDCWD,
  type FileCalls,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from './system/files.ts'
export {
  type FileHandle,
  type FilesystemContext,
  MNT_DETACH,
  type MountCalls,
  UMOUNT_NOFOLLOW,
} from './system/mounts.ts'
export { type KernelCalls, loadKernelCalls } from './system/kernel-calls.ts'
export { loadSystem, type System } from './system/system.ts'
export type { LockCalls } from './system/locks.ts'
export { errnoOf, SystemError } from './system/system-error.ts'
export type { ThreadCalls } from './system/threads.ts'
export type { TimeCalls, Timestamp } from './system/times.ts'
export type { XattrCalls } from './system/xattrs.ts'
export { withDirectoryLock } from './directory-lock.ts'
export { freeSpace, type Space } from './free-space.ts'
export { HostFs, type HostFsOptions, openHostFs } from './host-fs/host-fs.ts'
export { type PackedArchive, type PackThreads, preparePackThreads, startPackThreads } from './pack/pack-threads.ts'
export { onTask, prepareThreads, startThread } from './thread.ts'
export { type HostView, openHostView } from './tree-view/host-view.ts'
export { hostPath, ovlName } from './host-path.ts'
export { findMount, isInside, type Mount, parseMounts, readMounts } from './mounts.ts'
export {
  effectiveCapabilities,
  type IdRange,
  isMappedId,
  parseIdMap,
  type Privileges,
  probePrivileges,
} from './privileges.ts'
export { type LayerDirectoryOptions, openLayerDirectory } from './layer-directory.ts'
export type { Ability } from './probes/ability.ts'
export { isBeyondTrial, type TimeTrial, type XattrTrial } from './probes/attribute-trials.ts'
export { type DecoderProbe, koffiVersion, probeDecoders } from './probes/decoders.ts'
export { type DirectoryProbe, type DirectoryTrials, probeDirectory } from './probes/directory.ts'
export type { FileTrials } from './probes/file-trials.ts'
export { type KernelProbe, probeKernel } from './probes/kernel.ts'
export type { OverlayTrial } from './probes/overlay-trial.ts'
export { findProgram, probeTools, type Tool } from './probes/tools.ts'
export { probeUser, type SubordinateRange, type UserProbe } from './probes/user.ts'
export { type Removal, removeTree } from './remove-tree.ts'
export {
  clearLeftovers,
  findAllWorkspaces,
  type FoundWorkspace,
  ownWorkspaces,
  workspaceMark,
  workspaceName,
} from './workspaces.ts'
export {
  checkAbsent,
  inWorkspace,
  type OutputName,
  placeFile,
  type PlaceFileOptions,
  removeWorkspace,
  type WorkspaceOptions,
} from './whole-output.ts'
export { diagnoseWriteError, type WriteContext } from './write-errors.ts'
