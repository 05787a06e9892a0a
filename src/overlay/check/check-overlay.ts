// What is wrong with the layers of an overlay. A mark of a layer is judged by the layers beneath it, not by those above,
// so that what is found in a layer stays true whatever is put upon it; only how names are listed depends on all layers.

import { checkDirectoryMarks, checkFileMarks, checkOrigin, checkOtherMarks, checkRootMarks } from './check-marks.ts'
import { checkWhiteout } from './check-whiteout.ts'
import { findMembers, type Parent, rootsFrom } from './find-members.ts'
import type { LayerFinding } from './finding-table.ts'
import { below, isWhiteout, type LayerNode, type StoredOverlay } from './layer-reader.ts'
import { findVisibleDirectories, type VisibleDirectories } from './visible-directories.ts'

/** What the checks need besides the layers. */
export type CheckOptions = {
  /** The mount option userxattr. */
  readonly userxattr: boolean
  /** Whether the file that an overlay.origin names is there; null when that cannot be told. */
  readonly originExists: (origin: Uint8Array) => boolean | null
  readonly report: (finding: LayerFinding) => void
}

/** The overlay, and what is known about all of it while one layer is checked. */
export type CheckContext = CheckOptions & {
  readonly overlay: StoredOverlay
  readonly visible: VisibleDirectories
  /** Told about every file without data of its own whose data was found. */
  readonly onMetacopy: (layer: number, path: string) => void
}

/** A name of a layer, with what is beneath it. */
export type Place = {
  readonly layer: number
  readonly path: string
  readonly name: string
  readonly node: LayerNode
  readonly directory: string
  /** The directories beneath that the one with this name merges with. */
  readonly beneath: readonly Parent[]
}

/** Checks all layers, top-most first. */
export function checkOverlay(overlay: StoredOverlay, options: CheckOptions): void {
  const metacopies: { layer: number; path: string }[] = []
  let metacopyCount = 0
  const context: CheckContext = {
    ...options,
    overlay,
    visible: findVisibleDirectories(overlay),
    onMetacopy: (layer, path) => {
      metacopyCount++
      if (metacopies.length === 0) metacopies.push({ layer, path })
    },
  }
  if (!context.visible.isWhole) {
    const fact = 'shows more directories than can be looked at, by redirects upon redirects'
    options.report({ code: 'NOT_CHECKED', layer: 0, path: '', fact, mend: null })
  }
  for (let layer = 0; layer < overlay.layers.length; layer++) checkLayer(layer, context)
  const [first] = metacopies
  if (first === undefined || overlay.metacopy) return
  const more = metacopyCount === 1 ? '' : `, as do ${metacopyCount - 1} more`
  options.report({
    code: 'METACOPY_OFF',
    ...first,
    fact: `holds metadata only${more}: ${options.userxattr ? 'userxattr excludes metacopy' : 'mount with metacopy=on'}`,
    mend: null,
  })
}

function checkLayer(layer: number, context: CheckContext): void {
  const reader = context.overlay.layers[layer]
  const root = reader?.look('') ?? null
  if (reader === undefined || root === null) return
  checkRootMarks({ layer, node: root }, context)
  const open = [{ directory: '', beneath: rootsFrom(context.overlay, layer + 1) }]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { directory, beneath } = at
    for (const { name } of reader.list(directory)) {
      const path = below(directory, name)
      const node = reader.look(path)
      if (node === null) continue
      const place: Place = { layer, path, name, node, directory, beneath }
      checkName(place, context)
      if (node.type === 'directory') open.push({ directory: path, beneath: mergedWith(place, context) })
    }
  }
}

function checkName(place: Place, context: CheckContext): void {
  const { layer, path, name, node } = place
  if (name.startsWith('.wh.'))
    context.report({ code: 'AUFS_WHITEOUT', layer, path, fact: 'is an ordinary file to overlayfs', mend: null })
  checkOtherMarks(place, context)
  checkOrigin(place, context)
  if (isWhiteout(node)) checkWhiteout(place, context)
  else if (node.type === 'directory') checkDirectoryMarks(place, context)
  else checkFileMarks(place, context)
}

/** The directories beneath that a directory merges with. */
function mergedWith({ layer, directory, beneath, name }: Place, { overlay }: CheckContext): readonly Parent[] {
  const { members } = findMembers(overlay, [{ layer, path: directory }, ...beneath], name)
  return members.slice(1).map(member => ({ layer: member.layer, path: member.path }))
}
