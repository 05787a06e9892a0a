import { type CopyOptions, loadCommand } from '../../commands/index.ts'
import { exitStatus } from '../../errors/index.ts'
import { copyToJson, renderCopied } from '../render/copy.ts'
import type { Session } from '../session.ts'
import type { Action, Call } from '../spec.ts'
import { shortDigest } from '../wording.ts'
import { argumentAt, readImageOptions } from './image-options.ts'
import { readImageOutput } from './image-output.ts'

/** Copies an image; the digest alone goes to standard output, unless the image itself goes there. */
export const copyAction: Action = async (call, session) => {
  const { copy, copyLeftovers } = await loadCommand.copy()
  const [source, destination] = [argumentAt(call, 0), argumentAt(call, 1)]
  const output = readImageOutput(destination, session, 'copy SRC')
  session.findLeftovers(() => copyLeftovers(destination))
  const report = await copy(source, destination, {
    ...readImageOptions(call, session),
    ...readCopyOptions(call),
    onBlob: blob => session.progress.showOnly(blobTask(blob)),
    ...output,
  })
  session.progress.stop()
  if (!session.settings.quiet && session.settings.format === 'text')
    for (const line of renderCopied(report)) session.progress.print(line)
  if (output.writeOutput !== undefined) return exitStatus.done
  await session.answer('ovl.copy/1', { text: () => [report.digest], json: () => copyToJson(report) })
  return exitStatus.done
}

function readCopyOptions({ flags }: Call): Pick<CopyOptions, 'all' | 'family' | 'compression' | 'force'> {
  return {
    all: flags.has('--all'),
    family: flags.text('--format') === undefined ? null : flags.text('--format') === 'docker' ? 'docker' : 'oci',
    compression: readCompression(flags.text('--compress')),
    force: flags.has('--force'),
  }
}

/** The value of --compress, which the parser has checked. */
export function readCompression(text: string | undefined): CopyOptions['compression'] {
  return text === 'gzip' || text === 'zstd' || text === 'none' ? text : null
}

/** A blob that is written, as progress shows it. */
export function blobTask(
  blob: Parameters<NonNullable<CopyOptions['onBlob']>>[0],
): Parameters<Session['progress']['showOnly']>[0] {
  const { digest, sizeBytes, sentBytes } = blob
  return {
    key: digest,
    label: shortDigest(digest, false),
    doneBytes: sentBytes,
    totalBytes: sizeBytes,
    json: { blob: digest },
  }
}
