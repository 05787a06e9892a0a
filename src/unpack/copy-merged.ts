// The merged tree as real files: every directory made here, every file copied by the pool from the layer that has it,
// in batches; files with several names at the end, when all their names are known.

import type { System } from '../host/index.ts'
import { DirectoryNode, SymlinkNode, walkDirectories } from '../layer/index.ts'
import { joinPath, type LayerPath } from '../path/index.ts'
import type { FilesCopied, LinkGroup, MergedFile } from './layer-protocol.ts'
import { createNotKeptLog } from './not-kept-log.ts'
import { RootfsSink } from './rootfs-sink.ts'
import { throwIfFull, type WrittenLayers } from './write-layers.ts'

/** What is in the merged tree. */
export type MergedCounts = {
  /** Names, the root not counted. */
  readonly entries: number
  /** Content of regular files, each once. */
  readonly bytes: number
}

const batchFiles = 256

/**
 * Copies the merged tree to `merged`, which exists and is empty. Errors: NO_SPACE, WRITE_FAILED, RequestFailed.
 */
export async function copyMerged(layers: WrittenLayers, system: System): Promise<MergedCounts> {
  const { root, task, pool } = layers
  const sink = mergedSink(layers, { directory: 'merged', system })
  try {
    const answers: FilesCopied[] = []
    const running = new Set<Promise<void>>()
    const enough = pool.threads * 4
    let entries = 0
    for (const batch of batches(root, path => sink.makeDirectory(path))) {
      entries += batch.names
      const files = batch.files
      const job: Promise<void> = pool
        .ask({ kind: 'copy', files })
        .then(answer => void answers.push(answer))
        .finally(() => running.delete(job))
      running.add(job)
      if (running.size >= enough) await Promise.race(running)
    }
    await Promise.all(running)
    const groups = groupLinks(answers.flatMap(({ linked }) => linked))
    if (groups.length > 0) answers.push(await pool.ask({ kind: 'link', groups }))
    throwIfFull(
      answers.map(({ full }) => (full === null ? null : { ...full, path: `merged/${full.path}` })),
      task,
    )
    walkDirectories({ directory: root, path: '' }, ({ directory, path }) =>
      sink.finishDirectory(path, directory.attributes),
    )
    return { entries, bytes: answers.reduce((sum, { bytes }) => sum + bytes, 0) }
  } finally {
    sink.close()
  }
}

/** A sink for directories of the merged tree; what they cannot keep was told when their layers were written. */
export function mergedSink(
  { task }: Pick<WrittenLayers, 'task'>,
  place: { readonly directory: string; readonly system: System; readonly nameXattr?: (name: string) => string },
): RootfsSink {
  const { directory, system, nameXattr } = place
  return new RootfsSink({
    prefix: `${task.workspace}/${directory}/`,
    umask: task.umask,
    system,
    ownership: task.ownership,
    shownAs: `${task.shownAs}/${directory}`,
    warn: () => {},
    notKept: createNotKeptLog(),
    ...(nameXattr === undefined ? {} : { nameXattr }),
  })
}

/** The files of a tree, some at a time; `makeDirectory` is called before the files of a directory come. */
function* batches(
  root: DirectoryNode,
  makeDirectory: (path: LayerPath) => void,
): Generator<{ readonly files: readonly MergedFile[]; readonly names: number }> {
  let files: MergedFile[] = []
  let names = 0
  const pending: { readonly path: LayerPath; readonly directory: DirectoryNode }[] = [{ path: '', directory: root }]
  for (let top = pending.pop(); top !== undefined; top = pending.pop()) {
    if (top.path !== '') makeDirectory(top.path)
    for (const [name, node] of top.directory.children) {
      names++
      const path = joinPath(top.path, name)
      if (node instanceof DirectoryNode) pending.push({ path, directory: node })
      else files.push({ path, layer: node instanceof SymlinkNode ? node.layer : node })
      if (files.length < batchFiles) continue
      yield { files, names }
      files = []
      names = 0
    }
  }
  yield { files, names }
}

function groupLinks(linked: FilesCopied['linked']): readonly LinkGroup[] {
  const groups = new Map<string, { readonly layer: number; readonly paths: LayerPath[] }>()
  for (const { path, layer, inode } of linked) {
    const key = `${layer}:${inode}`
    const group = groups.get(key) ?? { layer, paths: [] }
    group.paths.push(path)
    groups.set(key, group)
  }
  return [...groups.values()].map(({ layer, paths }) => ({ layer, paths: paths.toSorted() }))
}
