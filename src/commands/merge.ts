// `ovl merge`: what an overlay of directories shows, as one directory or one tar archive. The directories are only read.

import { lstatSync, mkdirSync, readdirSync, realpathSync, renameSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { isCode, OvlError, quote, type Warn } from '../errors/index.ts'
import {
  clearLeftovers,
  diagnoseWriteError,
  hostPath,
  inWorkspace,
  isInside,
  openHostFs,
  ovlName,
  probePrivileges,
  workspaceName,
} from '../host/index.ts'
import { applyChangesInTurns, type Changeset, diffTrees, type TreeView } from '../layer/index.ts'
import { emptyView } from './changes/empty-view.ts'
import { ownView } from './changes/own-view.ts'
import { overriddenView } from './changes/recorded-view.ts'
import { turnsOf } from './changes/turns.ts'
import { closeAll, type Closers, openDirectory, readLower, usesUserXattrs } from './diff/inputs.ts'
import { openStack } from './diff/lower-stack.ts'
import { writeOutputFile } from './diff/output-file.ts'
import { writeLayer } from './diff/write-layer.ts'

/** What to merge, and how it is written. */
export type MergeOptions = {
  /** Values of --lower, top-most first, each in the form of lowerdir=. */
  readonly lower: readonly string[]
  readonly upper: string | null
  readonly userxattr: boolean
  /** Null: a tar archive where OUT ends in ".tar" or is standard output, else a directory. */
  readonly format: 'dir' | 'tar' | null
  /** Replace a file, or an empty directory. */
  readonly force: boolean
  /** Holes of files are left out of a tar archive. */
  readonly sparse: boolean
  /** Later times become this, in a tar archive. Seconds. */
  readonly latestTimeSec: number | null
  /** Takes an archive that goes to standard output. */
  readonly writeOutput: (bytes: Uint8Array) => void | Promise<void>
  readonly warn: Warn
  readonly signal: AbortSignal
}

/** What was written. */
export type MergeReport = {
  readonly output: string
  readonly format: 'dir' | 'tar'
  /** Files, directories and everything else. */
  readonly entries: number
  readonly fileBytes: number
  /** Digest of the archive. */
  readonly digest: string | null
}

/**
 * Merges. Errors: USAGE; INPUT_NOT_FOUND, OVL_BAD_LOWERDIR and those of an overlay's mount; DEST_EXISTS; NO_SPACE,
 * NEEDS_PRIVILEGE, WRITE_FAILED, INTERRUPTED.
 */
export async function merge(output: string, options: MergeOptions): Promise<MergeReport> {
  const closers: Closers = []
  const format = options.format ?? (output === '-' || output.endsWith('.tar') ? 'tar' : 'dir')
  if (format === 'dir' && output === '-')
    throw new OvlError('USAGE', 'merge cannot write a directory to standard output')
  try {
    const merged = openMerged(output, options, closers)
    const canGiveAway = format === 'tar' || probePrivileges().canChown
    const view = canGiveAway ? merged : ownView(merged, { ...self(), warn: options.warn })
    const changeset = diffTrees(emptyView, view)
    const written = { output, format, ...count(changeset) }
    if (format === 'dir') {
      await writeDirectory(output, changeset, options)
      return { ...written, digest: null }
    }
    return { ...written, digest: await writeTar(output, changeset, options) }
  } finally {
    closeAll(closers)
  }
}

function openMerged(output: string, { lower, upper, userxattr }: MergeOptions, closers: Closers): TreeView {
  const lowers = lower.length === 0 ? [] : readLower(lower)
  const directories = upper === null ? lowers : [upper, ...lowers]
  for (const directory of directories) checkOutside(output, directory)
  const [top] = directories
  if (top === undefined) throw new OvlError('USAGE', 'merge needs a layer: --lower DIR, --upper DIR, or both')
  const stack = { directories, userxattr: userxattr || usesUserXattrs(openDirectory(top, closers)) }
  return overriddenView(openStack(stack, closers)).view
}

/** Nothing is ever written into what is merged. Errors: USAGE, INPUT_NOT_FOUND. */
function checkOutside(output: string, directory: string): void {
  if (output === '-') return
  const parent = realPath(dirname(resolve(output)))
  const inside = realPath(directory)
  if (parent === null || inside === null || (parent !== inside && !isInside(parent, inside))) return
  throw new OvlError('USAGE', `Cannot write ${quote(output)}: it lies in ${quote(directory)}, which is to be merged`, {
    hint: 'write it somewhere else',
    data: { path: output, directory },
  })
}

function realPath(path: string): string | null {
  try {
    return ovlName(realpathSync(hostPath(path), { encoding: 'buffer' }))
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return null // opening it says so
    throw error
  }
}

function self(): { readonly uid: number; readonly gid: number } {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
}

function count({ items }: Changeset): { readonly entries: number; readonly fileBytes: number } {
  let entries = 0
  let fileBytes = 0
  for (const { path, after } of items) {
    if (path === '' || after === null) continue
    entries++
    if (after.object.type === 'file') fileBytes += after.object.sizeBytes
  }
  return { entries, fileBytes }
}

async function writeTar(output: string, changeset: Changeset, options: MergeOptions): Promise<string> {
  const { warn, signal, force, writeOutput, sparse, latestTimeSec } = options
  const how = {
    warn,
    signal,
    compression: 'none',
    reservedNames: 'keep',
    sparse,
    ...(latestTimeSec === null ? {} : { latestTimeSec }),
  } as const
  if (output === '-') return (await writeLayer(changeset, how, writeOutput)).digest
  return writeOutputFile(
    output,
    { force, warn, signal },
    async write => (await writeLayer(changeset, how, write)).digest,
  )
}

/** All or nothing: made beside its place and renamed. */
async function writeDirectory(output: string, changeset: Changeset, options: MergeOptions): Promise<void> {
  const { warn, signal, force } = options
  const path = resolve(output)
  checkDirectory(path, output)
  const [parent, name] = [dirname(path), basename(path)]
  const workspace = join(parent, workspaceName(name))
  try {
    await clearLeftovers({ directory: parent, start: name }, { remove: force, warn })
    mkdirSync(hostPath(workspace), { mode: 0o700 })
    await inWorkspace(workspace, { name: output, warn, signal }, async () => {
      await fill(workspace, changeset, options)
      signal.throwIfAborted()
      renameSync(hostPath(workspace), hostPath(path)) // takes the place of an empty directory
    })
  } catch (error) {
    throw diagnoseWriteError(error, { object: quote(output), path: parent })
  }
}

async function fill(workspace: string, changeset: Changeset, { warn, signal }: MergeOptions): Promise<void> {
  const target = openHostFs(workspace)
  try {
    await applyChangesInTurns(target, changeset, { warn, reservedNames: 'keep', beforeEntry: turnsOf(signal) })
  } finally {
    target.close()
  }
}

/** Errors: DEST_EXISTS for anything but an empty directory. */
function checkDirectory(path: string, shownAs: string): void {
  const stat = lstatSync(hostPath(path), { throwIfNoEntry: false })
  if (stat === undefined || (stat.isDirectory() && readdirSync(hostPath(path)).length === 0)) return
  const fact = stat.isDirectory() ? 'it exists and is not empty' : 'it exists and is no directory'
  throw new OvlError('DEST_EXISTS', `Cannot write ${quote(shownAs)}: ${fact}`, {
    hint: 'choose another directory',
    data: { path: shownAs },
  })
}
