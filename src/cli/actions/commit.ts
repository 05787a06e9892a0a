import { type CommitOptions, loadCommand } from '../../commands/index.ts'
import { exitStatus, OvlError, quote } from '../../errors/index.ts'
import { clearableSettings } from '../../oci/index.ts'
import { commitToJson, renderCommitted } from '../render/commit.ts'
import type { Session } from '../session.ts'
import type { Action, Call } from '../spec.ts'
import { blobTask, readCompression } from './copy.ts'
import { argumentAt, readImageOptions } from './image-options.ts'
import { readImageOutput } from './image-output.ts'

/** Commits a bundle or upperdir; the digest alone goes to standard output. */
export const commitAction: Action = async (call, session) => {
  const { commit } = await loadCommand.commit()
  const { copyLeftovers } = await loadCommand.copy()
  const [source, destination] = [argumentAt(call, 0), argumentAt(call, 1)]
  const output = readImageOutput(destination, session, 'commit BUNDLE')
  session.findLeftovers(() => copyLeftovers(destination))
  const { flags } = call
  const report = await commit(source, destination, {
    ...readImageOptions(call, session),
    ...readWriteOptions(call, session, 'ovl commit'),
    ...output,
    parent: flags.text('--parent') ?? null,
    opaque: flags.text('--opaque') === 'explicit' ? 'explicit' : 'marker',
    userxattr: flags.has('--userxattr'),
    config: readConfigEdit(call),
  })
  session.progress.stop()
  if (!session.settings.quiet && session.settings.format === 'text') session.progress.print(renderCommitted(report))
  if (output.writeOutput !== undefined) return exitStatus.done
  await session.answer('ovl.commit/1', { text: () => [report.digest], json: () => commitToJson(report) })
  return exitStatus.done
}

/** What the flags of `writeFlags` say. */
export function readWriteOptions(
  { flags }: Call,
  session: Session,
  createdBy: string,
): Pick<
  CommitOptions,
  'history' | 'epochSec' | 'family' | 'compression' | 'timePrecision' | 'sparse' | 'force' | 'onBlob'
> {
  const [author, comment, family] = [flags.text('--author'), flags.text('--comment'), flags.text('--format')]
  return {
    history: {
      createdBy: flags.text('--created-by') ?? createdBy,
      ...(author === undefined ? {} : { author }),
      ...(comment === undefined ? {} : { comment }),
    },
    epochSec: readEpoch(flags.text('--epoch')),
    family: family === undefined ? null : family === 'docker' ? 'docker' : 'oci',
    compression: readCompression(flags.text('--compress')),
    timePrecision: flags.text('--time-precision') === 's' ? 's' : 'ns',
    sparse: flags.has('--sparse'),
    force: flags.has('--force'),
    onBlob: blob => session.progress.showOnly(blobTask(blob)),
  }
}

function readConfigEdit({ flags }: Call): CommitOptions['config'] {
  const [user, workingDir, stopSignal] = ['user', 'workingdir', 'stopsignal'].map(name =>
    flags.text(`--config.${name}`),
  )
  const author = flags.text('--author')
  return {
    clear: flags.all('--clear').flatMap(text => clearableSettings.filter(name => text === `config.${name}`)),
    env: flags.all('--config.env'),
    entrypoint: flags.all('--config.entrypoint'),
    cmd: flags.all('--config.cmd'),
    labels: flags.all('--config.label'),
    exposedPorts: flags.all('--config.exposedports'),
    volumes: flags.all('--config.volume'),
    ...(user === undefined ? {} : { user }),
    ...(workingDir === undefined ? {} : { workingDir }),
    ...(stopSignal === undefined ? {} : { stopSignal }),
    ...(author === undefined ? {} : { author }),
  }
}

/** --epoch, or SOURCE_DATE_EPOCH (reproducible-builds.org); null for neither. Errors: USAGE. */
export function readEpoch(flag: string | undefined): number | null {
  const [text, name] = flag === undefined ? [process.env['SOURCE_DATE_EPOCH'], 'SOURCE_DATE_EPOCH'] : [flag, '--epoch']
  if (text === undefined || text === '') return null
  const seconds = Number(text)
  if (/^[0-9]{1,12}$/.test(text) && seconds <= 253_402_300_799) return seconds
  throw new OvlError('USAGE', `${name} takes seconds since 1970, not ${quote(text)}`, { data: { value: text } })
}
