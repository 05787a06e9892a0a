// Writes ovl.json. Owners are grouped by owner and directory, so that a whole home directory costs its names only.

import { baseName, comparePaths, jsonName, parentPath } from '../path/index.ts'
import { type BundleState, type OwnerNote, stateSchema } from './state.ts'

type JsonName = ReturnType<typeof jsonName>

/** The text of ovl.json; equal states give equal bytes. */
export function formatState(state: BundleState): string {
  const { ovl, mode, image, layers, overlay, userNamespace, notKept, saved } = state
  const document = {
    schema: stateSchema,
    ovl,
    mode,
    image,
    layers,
    overlay,
    userNamespace,
    notKept: {
      owners: groupOwners(notKept.owners),
      files: sorted(notKept.files).map(({ path, mode: bits, was }) => ({
        path: jsonName(path),
        mode: `0${bits.toString(8)}`,
        was,
      })),
      xattrs: sorted(notKept.xattrs).map(({ path, names }) => ({
        path: jsonName(path),
        names: names.toSorted(comparePaths).map(jsonName),
      })),
    },
    ...(saved === null ? {} : { saved }),
  }
  return formatDocument(document)
}

/** JSON as ovl writes it into a bundle: indented, with a newline at the end. */
export function formatDocument(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`
}

type OwnerGroup = { readonly uid: number; readonly gid: number; readonly in: JsonName; readonly names: JsonName[] }

/** The root itself has no name: it stands as "" in "". */
function groupOwners(owners: readonly OwnerNote[]): readonly OwnerGroup[] {
  const groups = new Map<string, OwnerGroup>()
  for (const { path, uid, gid } of sorted(owners)) {
    const directory = path === '' ? '' : parentPath(path)
    const key = `${uid}:${gid}:${directory}`
    const group = groups.get(key) ?? { uid, gid, in: jsonName(directory), names: [] }
    group.names.push(jsonName(path === '' ? '' : baseName(path)))
    groups.set(key, group)
  }
  return [...groups.values()]
}

function sorted<T extends { readonly path: string }>(notes: readonly T[]): readonly T[] {
  return notes.toSorted((a, b) => comparePaths(a.path, b.path))
}
