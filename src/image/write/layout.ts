// Writes into an OCI layout directory, a new one or one that others read and write at the same time. Blobs are finished
// in a workspace inside the layout; they get their names, and index.json its entries, in one go under a lock.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, statSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isCode, type Limits, OvlError, type Warn } from '../../errors/index.ts'
import { clearLeftovers, hostPath, withDirectoryLock, workspaceMark, workspaceName } from '../../host/index.ts'
import { type Digest, digestHex, formatDocumentBytes, layoutFile } from '../../oci/index.ts'
import { type OciContent, sendOptions, type Staging } from './content.ts'
import { replaceFile, writeBlobFile } from './files.ts'
import {
  addToIndex,
  checkNames,
  emptyIndex,
  formatIndex,
  type LayoutIndex,
  type NamedDigests,
  readLayoutIndex,
} from './layout-index.ts'
import type { OutputBlob } from './output-blob.ts'

/** A layout that is about to be written into. */
export type LayoutPlace = {
  /** Absolute. */
  readonly path: string
  readonly shownAs: string
  readonly limits: Limits
  /** Replace an image that has the name already. */
  readonly force: boolean
}

/** The workspace in a layout. */
export type LayoutWorkspace = {
  readonly directory: string /** The layout did not exist before. */
  readonly isNew: boolean
}

/**
 * Looks at a layout before anything is made. Errors: DEST_EXISTS for a directory that is none and not empty, TAG_EXISTS,
 * and those of its index.json.
 */
export function checkLayout(place: LayoutPlace, image: NamedDigests): void {
  const { path, shownAs, force } = place
  if (!exists(path)) return
  const found = readdirSync(hostPath(path)).filter(name => !name.startsWith(workspaceMark))
  // Another run may be about to write the first image: then only its blobs are there.
  if (found.some(name => name !== 'blobs') && !found.includes('index.json') && !found.includes('oci-layout')) {
    throw new OvlError('DEST_EXISTS', `Cannot write ${shownAs}: it is a directory with other files, no OCI layout`, {
      hint: 'choose another directory',
      data: { path: shownAs },
    })
  }
  if (!force) checkNames(readIndex(place), image, shownAs)
}

/** Makes the layout's directory where it is missing, and a workspace in it. Errors: those of node:fs. */
export async function openLayout(path: string, options: { readonly warn: Warn }): Promise<LayoutWorkspace> {
  const directory = join(path, workspaceName(''))
  let isNew = false
  for (let attempt = 1; ; attempt++) {
    isNew = mkdirUnlessThere(path) || isNew
    try {
      mkdirSync(hostPath(directory), { mode: 0o700 })
      break
    } catch (error) {
      // Another run has made the layout, failed, and removed it between our two calls.
      if (!isCode(error, 'ENOENT') || attempt === 10) throw error
    }
  }
  await clearLeftovers({ directory: path, start: '' }, { remove: false, warn: options.warn })
  return { directory, isNew }
}

/** Whether the layout has a blob already, of the right size. */
function holdsBlob(path: string, { digest, sizeBytes }: OutputBlob): boolean {
  const stat = statSync(hostPath(blobPath(path, digest)), { throwIfNoEntry: false })
  return stat?.isFile() === true && stat.size === sizeBytes
}

/** Where a layout keeps a blob. */
export function blobPath(layout: string, digest: Digest): string {
  return join(layout, 'blobs', digest.slice(0, digest.indexOf(':')), digestHex(digest))
}

/**
 * Writes an image into a layout; it is there completely, under its names, or not at all.
 * Errors: TAG_EXISTS, those of `OutputBlob.send`, of index.json and of node:fs.
 */
export async function writeLayout(content: OciContent, place: LayoutPlace, staging: Staging): Promise<void> {
  const { path } = place
  const finished: { readonly from: string; readonly to: string }[] = []
  for (const blob of content.blobs) {
    if (holdsBlob(path, blob)) continue
    const from = blob.file ?? join(staging.directory, `${finished.length}.blob`)
    if (blob.file === undefined) await writeBlobFile(from, blob, sendOptions(staging, blob))
    finished.push({ from, to: blobPath(path, blob.digest) })
  }
  // Nothing waits in here: a signal comes before all of it or after all of it.
  await withDirectoryLock(path, { signal: staging.signal }, () => {
    const index = formatIndex(addToIndex(readIndex(place), content, place))
    const moved: string[] = []
    try {
      for (const { from, to } of finished) {
        mkdirSync(hostPath(dirname(to)), { recursive: true })
        const isNew = !exists(to)
        renameSync(hostPath(from), hostPath(to))
        if (isNew) moved.push(to)
      }
      const marker = join(path, 'oci-layout')
      if (!exists(marker)) replaceFile(marker, formatDocumentBytes(layoutFile), staging.directory)
      replaceFile(join(path, 'index.json'), index, staging.directory)
    } catch (error) {
      for (const file of moved) unlinkSync(hostPath(file))
      throw error
    }
  })
}

/** Takes a layout away that a failed run had begun, unless others have begun to use it. */
export function removeNewLayout(path: string): void {
  if (exists(join(path, 'index.json'))) return
  const blobs = join(path, 'blobs')
  const steps = [
    () => unlinkSync(hostPath(join(path, 'oci-layout'))),
    () => rmdirSync(hostPath(join(blobs, 'sha256'))),
    () => rmdirSync(hostPath(join(blobs, 'sha512'))),
    () => rmdirSync(hostPath(blobs)),
    () => rmdirSync(hostPath(path)),
  ]
  for (const step of steps) {
    try {
      step()
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].some(code => isCode(error, code))) throw error
    }
  }
}

function readIndex({ path, limits }: LayoutPlace): LayoutIndex {
  const where = join(path, 'index.json')
  try {
    return readLayoutIndex(readFileSync(hostPath(where)), { where, maxBytes: limits.jsonBytes })
  } catch (error) {
    if (isCode(error, 'ENOENT')) return emptyIndex
    throw error
  }
}

function mkdirUnlessThere(path: string): boolean {
  try {
    mkdirSync(hostPath(path))
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

function exists(path: string): boolean {
  return statSync(hostPath(path), { throwIfNoEntry: false }) !== undefined
}
