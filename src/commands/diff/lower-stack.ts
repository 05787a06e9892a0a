// Lower directories as the tree that they show together.
import type { FileSystem } from '../../fs/index.ts'
import { openHostFs } from '../../host/index.ts'
import { type TreeView, viewFileSystem } from '../../layer/index.ts'
import { type OverlaySettings, readOnlyOverlay } from '../../overlay/index.ts'
import { cannotOpen, type Closers, type LowerStack } from './inputs.ts'

/** What lower directories show together, as the kernel's overlay of them would. Errors: those of a mount. */
export function openStack({ directories, userxattr }: LowerStack, closers: Closers): TreeView {
  const lower = directories.map(directory => ({ fs: openFileSystem(directory, closers), path: '/' }))
  const options: OverlaySettings = userxattr ? { userxattr: true } : { redirect_dir: 'on', metacopy: 'on' }
  const overlay = readOnlyOverlay(lower, { options })
  closers.push(() => overlay.unmount())
  return viewFileSystem(overlay)
}

function openFileSystem(directory: string, closers: Closers): FileSystem {
  try {
    const host = openHostFs(directory, { readOnly: true, noAtime: true })
    closers.push(() => host.close())
    return host
  } catch (error) {
    throw cannotOpen(error, directory)
  }
}
