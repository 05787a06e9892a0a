// A directory that nothing is known of but what its files say: whose marks it has, and whether owners and types are told
// by attributes.
import type { HostView } from '../../host/index.ts'
import type { MarkStyle, TreeView } from '../../layer/index.ts'
import { overriddenView } from '../changes/recorded-view.ts'
import { type Closers, type LowerStack, openDirectory, usesUserXattrs } from './inputs.ts'

/** An upper directory, and how its marks are read. */
export type OpenUpper = {
  readonly host: HostView
  readonly view: TreeView
  readonly userxattr: boolean
  readonly style?: MarkStyle
}

/** Opens an upper directory. Errors: those of `openDirectory`. */
export function openUpper(
  directory: string,
  { userxattr = false, style }: { readonly userxattr?: boolean; readonly style?: MarkStyle },
  closers: Closers,
): OpenUpper {
  const host = openDirectory(directory, closers)
  const { view, attribute } = overriddenView(host)
  const found = style ?? (attribute?.includes('fuseoverlayfs') === true ? 'fuse-overlayfs' : undefined)
  return {
    host,
    view,
    userxattr: userxattr || usesUserXattrs(host),
    ...(found === undefined ? {} : { style: found }),
  }
}

/** Lower directories as the tree that they show together. Errors: those of `openStack`. */
export async function openLower(stack: LowerStack, closers: Closers): Promise<TreeView> {
  const { openStack } = await import('./lower-stack.ts')
  return overriddenView(openStack(stack, closers)).view
}
