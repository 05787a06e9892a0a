// All or nothing for images: what is made on the way lies in a workspace, and the image appears at its destination by a
// rename. An error or a signal removes the workspace and leaves the destination as it was.

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Limits, Warn } from '../../errors/index.ts'
import { checkAbsent, diagnoseWriteError, inWorkspace, placeFile } from '../../host/index.ts'
import type { Digest } from '../../oci/index.ts'
import type { ImageContent, Staging } from './content.ts'
import type { ImageDestination } from './destination.ts'
import { writeDockerArchive } from './docker-archive.ts'
import { createFile } from './files.ts'
import { checkLayout, openLayout, removeNewLayout, writeLayout } from './layout.ts'
import type { ImageName } from './names.ts'
import { writeOciArchive } from './oci-archive.ts'
import type { WritePiece } from './tar-archive.ts'

/** How an image is written. */
export type WriteImageOptions = {
  /** Replace an image of the same name in a layout, or an existing archive. */
  readonly force: boolean
  readonly limits: Limits
  readonly warn: Warn
  readonly signal?: AbortSignal
  readonly onBytes?: Staging['onBytes']
  /** Takes an archive that goes to standard output. */
  readonly writeOutput?: WritePiece
}

/** What is known of an image before it is put together, so that a destination in the way is found before the work. */
export type ExpectedImage = {
  readonly names: readonly ImageName[]
  /** What the names will stand for; none when that depends on the work. */
  readonly digests: readonly Digest[]
}

/** What is written, and when what is done for it. */
export type ImageWork = {
  readonly expected: ExpectedImage
  /** Runs when nothing is in the way of the image, and before anything of it is on the disk. */
  readonly prepare?: () => Promise<void>
  readonly make: (staging: Staging) => Promise<ImageContent>
}

/**
 * Writes the image that `make` puts together. It is at its destination completely and verified, or not at all.
 *
 * Errors: DEST_EXISTS, TAG_EXISTS, NO_SPACE, NEEDS_PRIVILEGE, WRITE_FAILED, INTERRUPTED, those of `OutputBlob.send` and
 * of `prepare` and `make`.
 */
export async function writeImage(
  destination: ImageDestination,
  { expected, prepare, make }: ImageWork,
  options: WriteImageOptions,
): Promise<void> {
  const { transport, path } = destination
  if (path === null) {
    await prepare?.()
    return writeToOutput(destination, make, options)
  }
  if (transport === 'oci') checkLayout({ ...destination, ...options, path }, expected)
  else if (!options.force) checkAbsent(path, { name: destination.shownAs })
  const place: Place = { destination, path, options }
  await prepare?.()
  try {
    await (transport === 'oci' ? intoLayout(place, make) : intoFile(place, make))
  } catch (error) {
    throw diagnoseWriteError(error, { object: `image ${destination.shownAs}`, path: dirname(path) })
  }
}

type Make = (staging: Staging) => Promise<ImageContent>

type Place = {
  readonly destination: ImageDestination
  readonly path: string
  readonly options: WriteImageOptions
}

async function intoLayout({ destination, path, options }: Place, make: Make): Promise<void> {
  const { directory, isNew } = await openLayout(path, options)
  const place = { path, shownAs: destination.shownAs, limits: options.limits, force: options.force }
  await withStaging(directory, { destination, options }, async staging => {
    const content = await make(staging)
    if (content.form !== 'oci') throw new Error('Impossible: an OCI layout is written from OCI content')
    await writeLayout(content, place, staging)
  }).catch((error: unknown) => {
    if (isNew) removeNewLayout(path)
    throw error
  })
}

async function intoFile({ destination, path, options }: Place, make: Make): Promise<void> {
  const { signal, onBytes = () => {} } = options
  await placeFile(path, { ...options, name: destination.shownAs }, async (file, directory) => {
    const staging = { directory, signal, onBytes }
    const sink = createFile(file)
    try {
      await writeContent(await make(staging), bytes => sink.write(bytes), staging)
    } catch (error) {
      sink.abandon()
      throw error
    }
    sink.finish()
  })
}

/** Nothing can be taken back from a pipe; but no reader takes an archive that ends early. */
async function writeToOutput(destination: ImageDestination, make: Make, options: WriteImageOptions): Promise<void> {
  const { writeOutput } = options
  if (writeOutput === undefined) throw new Error('Impossible: standard output is no destination here')
  const directory = mkdtempSync(join(tmpdir(), 'ovl-'))
  await withStaging(directory, { destination, options }, async staging =>
    writeContent(await make(staging), writeOutput, staging),
  )
}

function writeContent(content: ImageContent, write: WritePiece, staging: Staging): Promise<void> {
  return content.form === 'oci' ? writeOciArchive(content, write, staging) : writeDockerArchive(content, write, staging)
}

/** Runs a write and removes its workspace, whatever happens. */
function withStaging(
  directory: string,
  { destination, options }: Pick<Place, 'destination' | 'options'>,
  run: (staging: Staging) => Promise<void>,
): Promise<void> {
  const { signal, onBytes = () => {} } = options
  const about = { ...options, name: destination.shownAs }
  return inWorkspace(directory, about, () => run({ directory, signal, onBytes }))
}
