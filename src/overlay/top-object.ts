import type { Inode } from '../fs/index.ts'
import { OverlayDentry } from './model.ts'

/** Where what an overlay shows is: in the layer of this index, 0 the upper one, lower ones from 1, top-most first. */
export type TopObject = { readonly layer: number; readonly inode: Inode }

/** The topmost object behind an inode of an overlay (`FileHandle.inode`, or what its super block looks up). */
export function topObjectOf(inode: Inode): TopObject | null {
  if (!(inode instanceof OverlayDentry)) return null
  const { upper, lower } = inode.inode
  if (upper !== null) return { layer: 0, inode: upper }
  const [top] = lower
  return top === undefined ? null : { layer: top.layer.index, inode: top.inode }
}
