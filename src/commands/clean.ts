// `ovl doctor --clean`: removes what killed runs have left beside their destinations.

import { findAllWorkspaces, removeTree } from '../host/index.ts'
import { checkDirectory } from './overlay-check/directories.ts'

/** What was found, and what became of it. */
export type CleanReport = {
  readonly directory: string
  readonly dryRun: boolean
  readonly workspaces: readonly {
    readonly path: string
    readonly pid: number
    /** `in use`: a process of that pid runs; `kept`: not all of it could be removed. */
    readonly state: 'removed' | 'would be removed' | 'in use' | 'kept'
    /** What is left of a workspace that was to be removed. */
    readonly kept: readonly { readonly path: string; readonly reason: string }[]
  }[]
  /** Nothing of a dead run is left. */
  readonly ok: boolean
}

/** Removes workspaces of dead runs in a directory; not in those below. Errors: INPUT_NOT_FOUND, those of node:fs. */
export async function clean(directory: string, { dryRun }: { readonly dryRun: boolean }): Promise<CleanReport> {
  checkDirectory(directory)
  const workspaces: CleanReport['workspaces'][number][] = []
  for (const { path, pid, isAlive } of findAllWorkspaces(directory)) {
    if (isAlive || dryRun) {
      workspaces.push({ path, pid, state: isAlive ? 'in use' : 'would be removed', kept: [] })
      continue
    }
    const { kept } = await removeTree(path)
    workspaces.push({ path, pid, state: kept.length === 0 ? 'removed' : 'kept', kept })
  }
  return { directory, dryRun, workspaces, ok: workspaces.every(({ state }) => state !== 'kept') }
}
