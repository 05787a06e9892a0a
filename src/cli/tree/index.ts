import type { CommandSpec } from '../spec.ts'
import { catSpec } from './cat.ts'
import { commitSpec } from './commit.ts'
import { copySpec } from './copy.ts'
import { diffSpec } from './diff.ts'
import { doctorSpec } from './doctor.ts'
import { explainSpec } from './explain.ts'
import { helpSpec } from './help.ts'
import { inspectSpec } from './inspect.ts'
import { layersSpec } from './layers.ts'
import { lsSpec } from './ls.ts'
import { mergeSpec } from './merge.ts'
import { mountSpec } from './mount.ts'
import { replaySpec } from './replay.ts'
import { squashSpec } from './squash.ts'
import { umountSpec } from './umount.ts'
import { unpackSpec } from './unpack.ts'
import { verifySpec } from './verify.ts'
import { versionSpec } from './version.ts'

/** Every command of ovl, in the order of the help. */
export const commandTree: readonly CommandSpec[] = [
  inspectSpec,
  layersSpec,
  lsSpec,
  catSpec,
  verifySpec,
  copySpec,
  squashSpec,
  unpackSpec,
  commitSpec,
  diffSpec,
  mountSpec,
  umountSpec,
  mergeSpec,
  replaySpec,
  explainSpec,
  doctorSpec,
  helpSpec,
  versionSpec,
]
