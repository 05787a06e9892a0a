// All or nothing for one output: it is made in a workspace beside its place and appears there by a rename. Whatever goes
// wrong before that, the workspace is removed and what was there stays as it was.
import { lstatSync, mkdirSync, realpathSync, renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isCode, OvlError, quote, type Warn } from '../errors/index.ts'
import { hostPath, ovlName } from './host-path.ts'
import { removeTree } from './remove-tree.ts'
import { clearLeftovers, workspaceName } from './workspaces.ts'

/** What the user calls an output. */
export type OutputName = {
  /** The argument, for data. */
  readonly name: string
  /** The same in a sentence. Default: `name`. */
  readonly shownAs?: string
}

/** Who hears of an output that is being made, and who can stop it. */
export type WorkspaceOptions = { readonly name: string; readonly warn: Warn; readonly signal?: AbortSignal | undefined }

/** How a file gets to its place. */
export type PlaceFileOptions = OutputName &
  WorkspaceOptions & {
    /** Replace what is there. */
    readonly force: boolean
  }

/**
 * Has `make` write a file in a workspace (both given by path) and puts it at its place. A symlink to a file stays, and
 * the file is replaced.
 *
 * Errors: DEST_EXISTS, INTERRUPTED, those of node:fs and of `make`.
 */
export async function placeFile<T>(
  path: string,
  options: PlaceFileOptions,
  make: (file: string, workspace: string) => Promise<T>,
): Promise<T> {
  const { force, warn, signal } = options
  const target = followLink(path)
  const [parent, start] = [dirname(target), basename(target)]
  await clearLeftovers({ directory: parent, start }, { remove: force, warn })
  const workspace = join(parent, workspaceName(start))
  mkdirSync(hostPath(workspace), { mode: 0o700 })
  return inWorkspace(workspace, options, async () => {
    const file = join(workspace, 'output')
    const made = await make(file, workspace)
    signal?.throwIfAborted()
    if (!force) checkAbsent(target, options)
    renameSync(hostPath(file), hostPath(target))
    return made
  })
}

/** Runs what works in a workspace and removes that, whatever happens. Errors: INTERRUPTED, those of `make`. */
export async function inWorkspace<T>(
  workspace: string,
  { name, warn, signal }: WorkspaceOptions,
  make: () => Promise<T>,
): Promise<T> {
  try {
    return await make()
  } catch (error) {
    if (signal?.aborted !== true && !isCode(error, 'INTERRUPTED')) throw error
    const message = `interrupted while writing ${name}; removed ${basename(workspace)}`
    throw new OvlError('INTERRUPTED', message, { data: { workspace }, cause: error })
  } finally {
    await removeWorkspace(workspace, warn)
  }
}

/** Removes a workspace with everything in it; warns about what this user cannot remove. */
export async function removeWorkspace(workspace: string, warn: Warn): Promise<void> {
  const { kept } = await removeTree(workspace)
  for (const { path, reason } of kept)
    warn({ code: 'LEFTOVER', message: `${quote(path)} could not be removed: ${reason}`, path })
}

/** Errors: DEST_EXISTS when anything is at the path. */
export function checkAbsent(path: string, { name, shownAs = name }: OutputName): void {
  if (lstatSync(hostPath(path), { throwIfNoEntry: false }) === undefined) return
  throw new OvlError('DEST_EXISTS', `Cannot write ${shownAs}: it exists`, {
    hint: 'choose another name, or add --force to replace it',
    data: { path: name },
  })
}

function followLink(path: string): string {
  try {
    return ovlName(realpathSync(hostPath(path), { encoding: 'buffer' }))
  } catch (error) {
    if (isCode(error, 'ENOENT')) return path
    throw error
  }
}
