import type { CleanReport } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import { jsonName } from '../../path/index.ts'
import { countText } from '../wording.ts'

/** A line for each leftover, and how many there were. */
export function renderClean({ directory, dryRun, workspaces }: CleanReport): string[] {
  const lines = workspaces.flatMap(({ path, pid, state, kept }) => [
    `${escapeControls(path)}: ${state === 'in use' ? `in use by process ${pid}` : state === 'kept' ? 'could not be removed' : state}`,
    ...kept.map(left => `  ${escapeControls(left.path)}: ${left.reason}`),
  ])
  const dead = workspaces.filter(({ state }) => state !== 'in use')
  const removed = workspaces.filter(({ state }) => state === 'removed').length
  const summary =
    dead.length === 0
      ? 'nothing is left over'
      : dryRun
        ? `${countText(dead.length, 'leftover')} would be removed`
        : `${removed} of ${countText(dead.length, 'leftover')} removed`
  return [...lines, `${escapeControls(directory)}: ${summary}`]
}

/** The JSON of `ovl doctor --clean`. */
export function cleanToJson({ directory, dryRun, workspaces, ok }: CleanReport): { readonly [key: string]: Json } {
  return {
    directory: jsonName(directory),
    dryRun,
    ok,
    workspaces: workspaces.map(({ path, pid, state, kept }) => ({
      path: jsonName(path),
      pid,
      state,
      kept: kept.map(left => ({ path: jsonName(left.path), reason: left.reason })),
    })),
  }
}
