import type { FileNote, NotKept, OwnerNote, StandsFor } from '../bundle/index.ts'
import type { LayerPath } from '../path/index.ts'
import type { Owner } from './ownership.ts'

/** Collects what the tree on disk does not show, for ovl.json. */
export type NotKeptLog = {
  owner(path: LayerPath, owner: Owner): void
  file(path: LayerPath, file: { readonly mode: number; readonly was: StandsFor }): void
  xattr(path: LayerPath, name: string): void
  /** The path was removed. */
  forget(path: LayerPath): void
  all(): NotKept
}

/** An empty log. A later note for a path replaces an earlier one, as layers do. */
export function createNotKeptLog(): NotKeptLog {
  const owners = new Map<LayerPath, OwnerNote>()
  const files = new Map<LayerPath, FileNote>()
  const xattrs = new Map<LayerPath, Set<string>>()
  return {
    owner: (path, { uid, gid }) => void owners.set(path, { path, uid, gid }),
    file: (path, { mode, was }) => void files.set(path, { path, mode, was }),
    xattr: (path, name) => void xattrs.set(path, (xattrs.get(path) ?? new Set()).add(name)),
    forget: path => {
      for (const notes of [owners, files, xattrs]) notes.delete(path)
    },
    all: () => ({
      owners: [...owners.values()],
      files: [...files.values()],
      xattrs: [...xattrs].map(([path, names]) => ({ path, names: [...names] })),
    }),
  }
}
