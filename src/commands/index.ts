export type { CleanReport } from './clean.ts'
export type { CommitOptions, CommitReport } from './commit.ts'
export type { CopiedBlob, CopyOptions, CopyReport } from './copy.ts'
export type { DiffOptions, DiffReport, LayerOutput } from './diff/diff.ts'

export type { Problem, MachineReport } from './doctor.ts'
export type { FixMode, OverlayDoctorOptions, OverlayFinding, OverlayReport } from './doctor-overlay.ts'
export type { Explanation } from './explain/explain.ts'
export type { PathReport } from './explain/explain-path.ts'
export type { FileExplanation } from './explain/explain-file.ts'
export type { NumberedRule } from './explain/explain-word.ts'
export type { ImageOptions } from './image-options.ts'
export type { InspectedDocument, InspectedLayer, Inspection, RawDocument } from './inspect.ts'
export type { LayerRow, LayersReport } from './layers.ts'
export type { ListedEntry, ListOptions } from './list.ts'
export type { MergeOptions, MergeReport } from './merge.ts'
export type { MountCommandOptions, MountedCommandOptions, MountedLayer, MountReport } from './mount.ts'
export type { UnpackPlan } from './plan-unpack.ts'
export type { PrintFileOptions } from './print-file.ts'
export type { Disagreement, RandomReplay, ReplayOptions, ReplayReport } from './replay.ts'
export type { SquashOptions, SquashReport } from './squash.ts'
export type { UnmountReport } from './umount.ts'
export type { UnpackCommandOptions, UnpackedImage, UnpackReport } from './unpack.ts'
export type { LayerVerdict, Verification, VerifyOptions } from './verify.ts'

/** The commands, each imported when it is asked for, so that a run loads only what it needs. */
export const loadCommand = {
  clean: () => import('./clean.ts'),
  commit: () => import('./commit.ts'),
  copy: () => import('./copy.ts'),
  diff: () => import('./diff/diff.ts'),
  doctor: () => import('./doctor.ts'),
  doctorOverlay: () => import('./doctor-overlay.ts'),
  explain: () => import('./explain/explain.ts'),
  explainPath: () => import('./explain/explain-path.ts'),
  inspect: () => import('./inspect.ts'),
  layers: () => import('./layers.ts'),
  list: () => import('./list.ts'),
  merge: () => import('./merge.ts'),
  mount: () => import('./mount.ts'),
  planUnpack: () => import('./plan-unpack.ts'),
  printFile: () => import('./print-file.ts'),
  replay: () => import('./replay.ts'),
  squash: () => import('./squash.ts'),
  umount: () => import('./umount.ts'),
  outputFile: () => import('./diff/output-file.ts'),
  unpack: () => import('./unpack.ts'),
  verify: () => import('./verify.ts'),
} as const
