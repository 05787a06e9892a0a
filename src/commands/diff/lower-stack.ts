// Lower directories as the tree that they show together.
import { type FileSystem, MemoryFs } from '../../fs/index.ts'
import { openHostFs } from '../../host/index.ts'
import { type TreeView, viewFileSystem } from '../../layer/index.ts'
import { OverlayFs, type OverlaySettings } from '../../overlay/index.ts'
import { cannotOpen, type Closers, type LowerStack } from './inputs.ts'

/** What lower directories show together, as the kernel's overlay of them would. Errors: those of a mount. */
export function openStack({ directories, userxattr }: LowerStack, closers: Closers): TreeView {
  const lower = directories.map(directory => ({ fs: openFileSystem(directory, closers), path: '/' }))
  // An overlay without upper layer needs two lower ones; an empty one at the bottom adds nothing.
  while (lower.length < 2) lower.push({ fs: new MemoryFs(), path: '/' })
  const options: OverlaySettings = userxattr ? { userxattr: true } : { redirect_dir: 'on', metacopy: 'on' }
  const overlay = new OverlayFs({ lower, options })
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
