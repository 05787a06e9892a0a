// What is explained of a bundle is what a mount shows. The copy of the merged tree, which programs may have changed without
// one, can be different.
import { join } from 'node:path'
import { isBundle, readBundle } from '../../bundle/index.ts'
import { quote } from '../../errors/index.ts'
import type { TreeView, ViewObject } from '../../layer/index.ts'
import { cleanLayerPath } from '../../path/index.ts'
import { objectAt } from '../changes/recorded-view.ts'
import { closeAll, type Closers, isMounted, lowersOf, openDirectory } from '../diff/inputs.ts'
import { openStack } from '../diff/lower-stack.ts'
import type { ImageOptions } from '../image-options.ts'

/** Warns when a path is another in the copy than in the overlay of a bundle. Errors: those of opening its directories. */
export function warnOfMergedCopy(directory: string, path: string, { warn }: Pick<ImageOptions, 'warn'>): void {
  if (!isBundle(directory)) return
  const bundle = readBundle(directory)
  const stack = lowersOf(bundle)
  if (stack === null || bundle.state.mode !== 'emulated' || isMounted(bundle)) return
  const closers: Closers = []
  try {
    const directories = [join(directory, 'upper'), ...stack.directories]
    const overlay = openStack({ ...stack, directories }, closers)
    const copy = openDirectory(join(directory, 'merged'), closers)
    if (shapeAt(overlay, path) === shapeAt(copy, path)) return
    const place = join(directory, 'merged')
    warn({
      code: 'MERGED_COPY',
      message: `${quote(path)} is another in the copy ${quote(place)}: explained is what a mount shows, ovl diff tells the rest`,
      path,
    })
  } finally {
    closeAll(closers)
  }
}

/** What a look at a path shows; times and sizes of directories are their file system's own. */
function shapeAt(view: TreeView, path: string): string {
  const object = objectAt(view, cleanLayerPath(path).path)
  if (object === null) return 'nothing'
  const { type, mode, uid, gid, rdev } = object
  return JSON.stringify([type, mode, uid, gid, rdev, ...contentOf(view, object)])
}

function contentOf(view: TreeView, object: ViewObject): readonly (number | string)[] {
  const { type, sizeBytes, mtimeSec, mtimeNsec } = object
  if (type === 'dir') return []
  return type === 'symlink' ? [view.readlink(object)] : [sizeBytes, mtimeSec, mtimeNsec]
}
