// The changes of an emulated bundle put into its upper directory, where mounts, diff and commit find them.
import { lstatSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle } from '../../bundle/index.ts'
import { OvlError, quote, type Warn } from '../../errors/index.ts'
import { diagnoseWriteError, hostPath, openHostFs, removeWorkspace, workspaceName } from '../../host/index.ts'
import { type Changeset, writeUpper } from '../../layer/index.ts'

/**
 * Replaces what is in the bundle's upper directory by the changes, in overlayfs' form; returns the directory. It is
 * written beside it first, so that an error leaves the old one.
 *
 * Errors: those of `writeUpper`; NO_SPACE, NEEDS_PRIVILEGE, WRITE_FAILED; UNSUPPORTED for a bundle whose overlay shows
 * its whiteouts only in lower directories.
 */
export async function saveChanges(bundle: Bundle, changeset: Changeset, warn: Warn): Promise<string> {
  const { directory, state } = bundle
  const upper = join(directory, 'upper')
  const workspace = join(directory, workspaceName('upper'))
  const userxattr = state.overlay?.xattrs === 'user'
  try {
    const { mode } = lstatSync(hostPath(upper))
    mkdirSync(hostPath(workspace), { mode: 0o700 })
    const made = join(workspace, 'upper')
    mkdirSync(hostPath(made), { mode: mode & 0o7777 })
    const target = openHostFs(made)
    try {
      writeUpper(target, changeset, { warn, userxattr })
    } finally {
      target.close()
    }
    renameSync(hostPath(upper), hostPath(join(workspace, 'old')))
    renameSync(hostPath(made), hostPath(upper))
    return upper
  } catch (error) {
    throw diagnoseWriteError(error, { object: quote(upper), path: directory })
  } finally {
    await removeWorkspace(workspace, warn)
  }
}

/** Errors: USAGE where there is nothing to save. */
export function checkSavable(bundle: Bundle | null): Bundle {
  if (bundle !== null) return bundle
  throw new OvlError(
    'USAGE',
    '--save belongs to an emulated bundle that is not mounted: others have their changes in upper',
  )
}
