// `ovl explain --ops`: what each operation on a path would do, by doing it on an emulated overlay that is thrown away.

import { type Errno, escapeControls, FsError } from '../../errors/index.ts'
import { type FileSystem, type FileType, MemoryFs, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from '../../fs/index.ts'
import { type OverlayEvent, OverlayFs, type OverlaySettings } from '../../overlay/index.ts'
import { describeEvent } from '../../trace/index.ts'
import type { ExplainedLayer } from './own-node.ts'
import { hollow, stageUpper } from './upper-copy.ts'

/** The layers an operation is tried on. */
export type Stage = {
  readonly upper: ExplainedLayer | null
  /** Top-most first. */
  readonly lower: readonly ExplainedLayer[]
  readonly settings: OverlaySettings
}

/** What operations do that do the same. */
export type OperationOutcome = {
  readonly operations: readonly string[]
  /** Null: it succeeds. */
  readonly errno: Errno | null
  /** What happens in the upper layer, a line each; none: nothing. */
  readonly effects: readonly string[]
  readonly rules: readonly number[]
}

type Operation = { readonly name: string; readonly run: (fs: FileSystem, path: string) => void }

const openFor =
  (flags: number): Operation['run'] =>
  (fs, path) =>
    fs.open(path, flags).close()

const common: readonly Operation[] = [
  { name: 'chown', run: (fs, path) => fs.lchown(path, 1, 1) },
  { name: 'touch', run: (fs, path) => fs.utimens(path, { atime: 'now', mtime: 'now', follow: false }) },
  { name: 'mv', run: (fs, path) => fs.rename(path, `${path}.renamed`) },
]
const remove: Operation = { name: 'rm', run: (fs, path) => fs.unlink(path) }
const chmod: Operation = { name: 'chmod', run: (fs, path) => fs.chmod(path, 0o600) }
const link: Operation = { name: 'ln', run: (fs, path) => fs.link(path, `${path}.linked`) }

const operationsOf: Readonly<Record<FileType, readonly Operation[]>> = {
  file: [
    { name: 'open for reading', run: openFor(O_RDONLY) },
    { name: 'open for writing', run: openFor(O_RDWR) },
    { name: 'truncate to 0 (O_TRUNC)', run: openFor(O_WRONLY | O_TRUNC) },
    chmod,
    link,
    ...common,
    remove,
  ],
  dir: [
    { name: 'list', run: (fs, path) => void fs.readdir(path) },
    { name: 'make something in it', run: (fs, path) => fs.mkdir(`${path}/made`, 0o755) },
    chmod,
    ...common,
    { name: 'rmdir', run: (fs, path) => fs.rmdir(path) },
  ],
  symlink: [link, ...common, remove],
  char: [chmod, link, ...common, remove],
  block: [chmod, link, ...common, remove],
  fifo: [chmod, link, ...common, remove],
  socket: [chmod, link, ...common, remove],
}

const ifMissing: readonly Operation[] = [
  { name: 'make a file', run: (fs, path) => fs.writeFile(path, '') },
  { name: 'make a directory', run: (fs, path) => fs.mkdir(path, 0o755) },
]

/** Tries what can be done to an object of this type (null: there is none) at a path without symlinks on the way. */
export function tryOperations(
  stage: Stage,
  { path, type }: { readonly path: string; readonly type: FileType | null },
): readonly OperationOutcome[] {
  const outcomes: OperationOutcome[] = []
  for (const operation of type === null ? ifMissing : operationsOf[type]) {
    const outcome = tryOne(stage, operation, path)
    const same = outcomes.findIndex(each => isSame(each, outcome))
    const known = outcomes[same]
    if (known === undefined) outcomes.push(outcome)
    else outcomes[same] = { ...known, operations: [...known.operations, operation.name] }
  }
  return outcomes
}

function tryOne({ upper, lower, settings }: Stage, { name, run }: Operation, path: string): OperationOutcome {
  const memory = stageUpper(upper, path)
  const events: OverlayEvent[] = []
  const overlay = new OverlayFs({
    lower:
      lower.length === 0
        ? [{ fs: new MemoryFs(), path: '/' }]
        : lower.map(each => ({ fs: hollow(each.fs), path: each.path })),
    upper: { fs: memory, path: '/upper' },
    work: { fs: memory, path: '/work' },
    options: settings,
    trace: event => void events.push(event),
  })
  const errno = attempt(() => run(overlay, path))
  overlay.unmount()
  const told = events.filter(({ kind }) => kind !== 'lookup' && kind !== 'origin' && kind !== 'impure')
  return {
    operations: [name],
    errno,
    effects: describeEffects(told, path),
    rules: [...new Set(told.map(({ rule }) => rule))],
  }
}

/** The directories above the path in one line: they are copied up by whatever is done first. */
function describeEffects(events: readonly OverlayEvent[], path: string): readonly string[] {
  const isParent = (event: OverlayEvent): boolean => event.kind === 'copy-up' && path.startsWith(`${event.path}/`)
  const parents = events.filter(event => isParent(event)).map(event => event.path)
  const others = events.filter(event => event.kind !== 'refused' && !isParent(event)).map(event => describeEvent(event))
  const [parent, ...more] = parents.toReversed()
  if (parent === undefined) return others
  const count =
    more.length === 0 ? '' : ` and the ${more.length === 1 ? 'directory' : `${more.length} directories`} above it`
  return [`copy up the directory ${escapeControls(parent)}${count}`, ...others]
}

function attempt(run: () => void): Errno | null {
  try {
    run()
    return null
  } catch (error) {
    if (error instanceof FsError) return error.code
    throw error
  }
}

function isSame(a: OperationOutcome, b: OperationOutcome): boolean {
  return a.errno === b.errno && a.effects.join('\n') === b.effects.join('\n')
}
