// The objects of one layer in the form in which overlayfs reads it: whiteouts are character devices 0:0, an opaque
// directory carries the overlay's attribute. Content stays in the layer; a file knows where its bytes are.

import type { FileType, Inode } from '../../fs/index.ts'
import type { SparseSegment } from '../../tar/index.ts'
import { type Attributes, impliedAttributes } from '../attributes.ts'

/** Where the content of a regular file is in the uncompressed bytes of a layer. */
export type ContentPlace = {
  /** 1 = base: a hard link to a file of a lower layer has its content there. */
  readonly layer: number
  readonly offset: number
  readonly sizeBytes: number
  /** How the stored bytes are laid out; null when they are the content from its first byte to its last. */
  readonly sparse: readonly SparseSegment[] | null
}

/** What a kind of object has besides its attributes. */
export type LayerInodeContent =
  | { readonly type: 'file'; readonly place: ContentPlace }
  | { readonly type: 'dir'; readonly children: Map<string, LayerInode> }
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'char' | 'block' | 'fifo'; readonly rdev: number }

/** An object of a layer; hard links share it. */
export class LayerInode implements Inode {
  readonly type: FileType
  readonly content: LayerInodeContent
  /** From 1, the root, in the order of the archive. */
  readonly number: number
  attributes: Attributes
  /** Names in this layer; of a directory its own two and one for every directory in it. */
  links: number
  /** Nothing of lower layers shows in this directory. */
  isOpaque = false

  constructor(number: number, content: LayerInodeContent, attributes: Attributes = impliedAttributes) {
    this.type = content.type
    this.content = content
    this.number = number
    this.attributes = attributes
    this.links = content.type === 'dir' ? 2 : 0
  }
}

/** The names in a directory; null for anything else. */
export function childrenOf({ content }: LayerInode): Map<string, LayerInode> | null {
  return content.type === 'dir' ? content.children : null
}
