// Trees as literals: what scenarios, tests and lessons write down and what a listing gives back.
import type { BytesJson } from './bytes.ts'

/** Kinds of a node. A whiteout is a character device 0:0; an xwhiteout is an empty file marked by an attribute. */
export type TreeNodeType = 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket' | 'whiteout' | 'xwhiteout'

/** One object. Without a type it is a file when it has contents, a symlink with a target, another name with a link. */
export type TreeObject = {
  readonly type?: TreeNodeType
  /** Contents as text; bytes that are no UTF-8 as in names, by lone surrogates. */
  readonly content?: string
  readonly base64?: string
  /** Size of a file; longer than its contents, it ends in a hole. */
  readonly size?: number
  readonly target?: string
  /** Octal digits: "0644". By default 0644, of directories 0755. */
  readonly mode?: string
  readonly uid?: number
  readonly gid?: number
  /** "SECONDS" or "SECONDS.FRACTION". */
  readonly mtime?: string
  /** "MAJOR:MINOR" of a device. */
  readonly rdev?: string
  readonly xattrs?: { readonly [name: string]: BytesJson }
  /** Path of an earlier node, of which this is another name. */
  readonly link?: string
  /** A directory that hides what lies below it: overlayfs' attribute with value "y". */
  readonly opaque?: boolean
}

/** A string is a regular file with that content. */
export type TreeNode = string | TreeObject

/** Path ("a/b", "" for the root) → node. Directories that are not named exist with mode 0755. */
export type Tree = { readonly [path: string]: TreeNode }

/** A node as a listing gives it: the type always, the rest where it says something. */
export type ListedNode = Omit<TreeObject, 'type' | 'link' | 'opaque'> & {
  /** Absent only beside `errno`: a name that readdir gives and lstat refuses. */
  readonly type?: TreeNodeType
  /** Instead of contents above 4 KiB. */
  readonly sha256?: string
  /** Names of the object; of directories not listed. */
  readonly nlink?: number
  /** What the file system answers instead of the object or its contents. */
  readonly errno?: string
}

/** A canonical listing: the keys are sorted by bytes. */
export type TreeListing = { readonly [path: string]: ListedNode }
