// The changes of an emulated bundle put into its upper directory, where mounts, diff and commit find them.
import { lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, formatState, stateFileName } from '../../bundle/index.ts'
import { OvlError, quote } from '../../errors/index.ts'
import { diagnoseWriteError, hostPath, inWorkspace, openHostFs, workspaceName } from '../../host/index.ts'
import { type Changeset, diffTrees, writeUpperInTurns } from '../../layer/index.ts'
import { savedChanges } from '../changes/bundle-changes.ts'
import { turnsOf } from '../changes/turns.ts'
import { justRun } from '../image-options.ts'
import { closeAll, type Closers, isMounted, lowersOf, openDirectory } from './inputs.ts'
import { openStack } from './lower-stack.ts'
import type { BundlePlace, ChangeOptions } from './open-changes.ts'

/** How changes are saved. */
export type SaveOptions = Pick<ChangeOptions, 'limits' | 'warn' | 'signal' | 'letGo'>

/**
 * Replaces what is in the bundle's upper directory by the changes of `merged`, in overlayfs' form; returns the directory.
 * It is written beside it first, so that an error leaves the old one. Where the changes are in `upper` it stays.
 *
 * Errors: USAGE where there is nothing to save; those of `writeUpper`; NO_SPACE, NEEDS_PRIVILEGE, WRITE_FAILED;
 * UNSUPPORTED for a bundle whose overlay shows its whiteouts only in lower directories.
 */
export async function saveChanges(place: BundlePlace | null, options: SaveOptions): Promise<string> {
  const { bundle, from } = checkSavable(place)
  const { letGo = justRun } = options
  const upper = join(bundle.directory, 'upper')
  if (from === 'upper') return upper
  const closers: Closers = []
  try {
    await replaceUpper(
      bundle,
      letGo(() => changesOnDisk(bundle, closers)),
      options,
    )
    writeSaved(bundle, options)
    return upper
  } finally {
    closeAll(closers)
  }
}

function checkSavable(place: BundlePlace | null): BundlePlace {
  if (place !== null && place.bundle.state.mode === 'emulated' && !isMounted(place.bundle)) return place
  throw new OvlError(
    'USAGE',
    '--save belongs to an emulated bundle that is not mounted: others have their changes in upper',
  )
}

/** As the files are, not as ovl.json says what they stand for: a mount is to show the same files again. */
function changesOnDisk(bundle: Bundle, closers: Closers): Changeset {
  const stack = lowersOf(bundle)
  if (stack === null) throw new Error('Impossible: an emulated bundle has layers')
  return diffTrees(openStack(stack, closers), openDirectory(join(bundle.directory, 'merged'), closers))
}

async function replaceUpper(
  { directory, state }: Bundle,
  changeset: Changeset,
  { warn, signal }: SaveOptions,
): Promise<void> {
  const upper = join(directory, 'upper')
  const workspace = join(directory, workspaceName('upper'))
  const userxattr = state.overlay?.xattrs === 'user'
  try {
    const mode = lstatSync(hostPath(upper), { throwIfNoEntry: false })?.mode
    mkdirSync(hostPath(workspace), { mode: 0o700 })
    await inWorkspace(workspace, { name: upper, warn, signal }, async () => {
      const made = join(workspace, 'upper')
      mkdirSync(hostPath(made), { mode: (mode ?? 0o755) & 0o7777 })
      const target = openHostFs(made)
      try {
        await writeUpperInTurns(target, changeset, { warn, userxattr, beforeEntry: turnsOf(signal) })
      } finally {
        target.close()
      }
      signal.throwIfAborted()
      if (mode !== undefined) renameSync(hostPath(upper), hostPath(join(workspace, 'old')))
      renameSync(hostPath(made), hostPath(upper))
    })
  } catch (error) {
    throw diagnoseWriteError(error, { object: quote(upper), path: directory })
  }
}

/** So that later it can be told which of the two directories was changed since. */
function writeSaved(bundle: Bundle, options: SaveOptions): void {
  const { directory, state } = bundle
  const path = join(directory, stateFileName)
  const made = join(directory, workspaceName(stateFileName))
  const closers: Closers = []
  try {
    const saved = savedChanges(bundle, { ...options, closers })
    writeFileSync(hostPath(made), formatState({ ...state, saved }), { mode: 0o644, flag: 'wx', flush: true })
    renameSync(hostPath(made), hostPath(path))
  } catch (error) {
    throw diagnoseWriteError(error, { object: quote(path), path: directory })
  } finally {
    rmSync(hostPath(made), { force: true })
    closeAll(closers)
  }
}
