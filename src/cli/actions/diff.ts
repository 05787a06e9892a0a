import { type DiffOptions, type DiffReport, type LayerOutput, loadCommand } from '../../commands/index.ts'
import { exitStatus, type ExitStatus, OvlError, quote } from '../../errors/index.ts'
import { diffToJsonLines, renderDiff, renderDiffStat } from '../render/diff.ts'
import { preparePackThreads } from '../../host/index.ts'
import type { View } from '../render/view.ts'
import type { Session } from '../session.ts'
import { createStyle } from '../style.ts'
import type { Action, Call } from '../spec.ts'
import { countText, digestText, sizeText } from '../wording.ts'
import { readImageOptions, readLayerNumber } from './image-options.ts'

type Format = 'text' | 'json' | 'stat' | 'tar'

/** Prints what changed, or writes it as a layer. */
export const diffAction: Action = async (call, session) => {
  const format = readFormat(call, session)
  checkFlags(call, format)
  const path = call.flags.text('--output') ?? '-'
  if (format === 'tar' && path === '-' && session.stdoutIsTerminal) throw binaryToTerminal()
  const output = format === 'tar' ? readOutput(call, session, path) : null
  if (output !== null && isPacked(output)) preparePackThreads({ isHashed: output.withoutDigest !== true })
  const { diff } = await loadCommand.diff()
  const report = await diff(call.positionals, {
    ...readDiffOptions(call, session),
    ...(output === null ? {} : { output }),
  })
  session.progress.stop()
  if (!session.settings.quiet) for (const note of report.notes) session.progress.print(`note: ${note}`)
  await print(report, { format, path, call, session })
  return verdict(call, report)
}

/** Nearly always written by threads of their own (where it is, is known later). */
function isPacked({ path, compression, sparse }: LayerOutput): boolean {
  return path !== null && compression === 'none' && sparse !== true
}

function verdict({ flags }: Call, { changes }: DiffReport): ExitStatus {
  return flags.has('--exit-code') && changes.length > 0 ? exitStatus.checkFailed : exitStatus.done
}

function readFormat({ flags }: Call, { settings }: Session): Format {
  const text = flags.text('--format')
  if (settings.format === 'json') return 'json'
  return text === 'stat' || text === 'tar' ? text : 'text'
}

/** Errors: USAGE for flags that say something about a layer when none is written. */
function checkFlags({ flags }: Call, format: Format): void {
  const stray = ['--opaque', '--time-precision', '--sparse', '--compress'].find(flag => flags.has(flag))
  if (format !== 'tar' && stray !== undefined)
    throw new OvlError('USAGE', `${stray} needs --format tar`, { hint: 'ovl help diff' })
  if (flags.has('--force') && !flags.has('--save') && (flags.text('--output') ?? '-') === '-')
    throw new OvlError('USAGE', '--force needs --output FILE or --save', { hint: 'ovl help diff' })
}

function readDiffOptions(call: Call, session: Session): DiffOptions {
  const { flags } = call
  const { ref: _, ...image } = readImageOptions(call, session)
  const style = flags.text('--marks')
  return {
    ...image,
    ...readLayerNumber(call),
    lower: flags.all('--lower'),
    userxattr: flags.has('--userxattr'),
    ...(style === 'overlay' || style === 'fuse-overlayfs' || style === 'aufs' ? { style } : {}),
    all: flags.has('--all'),
    withoutParents: flags.has('--no-parents'),
    parent: flags.text('--parent') ?? null,
    save: flags.has('--save'),
    onlyMerged: flags.has('--save') && flags.has('--force'),
  }
}

function readOutput({ flags }: Call, session: Session, path: string): LayerOutput {
  const compression = flags.text('--compress')
  const latestTimeSec = readEpoch(process.env['SOURCE_DATE_EPOCH'])
  return {
    path: path === '-' ? null : path,
    force: flags.has('--force'),
    write: bytes => session.write(bytes),
    compression: compression === 'gzip' || compression === 'zstd' ? compression : 'none',
    opaque: flags.text('--opaque') === 'explicit' ? 'explicit' : 'marker',
    timePrecision: flags.text('--time-precision') === 's' ? 's' : 'ns',
    sparse: flags.has('--sparse'),
    withoutParents: flags.has('--no-parents'),
    withoutDigest: session.settings.quiet,
    ...(latestTimeSec === null ? {} : { latestTimeSec }),
  }
}

/** https://reproducible-builds.org/specs/source-date-epoch/ Errors: USAGE. */
function readEpoch(text: string | undefined): number | null {
  if (text === undefined || text === '') return null
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new OvlError('USAGE', `SOURCE_DATE_EPOCH is a number of seconds, not ${quote(text)}`, { data: { value: text } })
}

type Printing = { readonly format: Format; readonly path: string; readonly call: Call; readonly session: Session }

async function print(report: DiffReport, { format, path, call, session }: Printing): Promise<void> {
  if (format === 'tar') return printLayer(report, path, session)
  const isFile = path !== '-'
  const { color, noTrunc, verbosity } = session.settings
  const style = createStyle(isFile && color === 'auto' ? 'never' : color, process.stdout, process.env)
  const lines = linesOf(report, format, { style, noTrunc, verbosity })
  if (!isFile) return session.print(lines)
  const { writeOutputFile } = await loadCommand.outputFile()
  const options = {
    force: call.flags.has('--force'),
    warn: session.warnings.warn,
    signal: session.interruption.signal,
  }
  const text = lines.map(line => `${line}\n`).join('')
  await writeOutputFile(path, options, async write => write(Buffer.from(text)))
}

function linesOf(report: DiffReport, format: Format, view: View): string[] {
  if (format === 'json') return diffToJsonLines(report)
  return format === 'stat' ? renderDiffStat(report, view) : renderDiff(report, view)
}

/** The diff ID and the file; to a pipe goes nothing but the layer. */
async function printLayer({ written }: DiffReport, path: string, session: Session): Promise<void> {
  if (written === null || written.diffID === null) return
  const { diffID, sizeBytes, entries } = written
  const line = [diffID, path, sizeText(sizeBytes), countText(entries, 'entry', 'entries')].join('  ')
  if (session.settings.quiet) return
  if (path !== '-') return session.print([line])
  session.progress.print(`${digestText(diffID, true)}  ${sizeText(sizeBytes)}`)
}

function binaryToTerminal(): OvlError {
  return new OvlError('USAGE', 'Cannot print the layer: refusing to write a tar archive to the terminal', {
    hint: 'send it to a file or a pipe: ovl diff --format tar -o layer.tar UPPER',
  })
}
