// Names in the index.json of a layout. Members and descriptors that ovl does not know stay as they are.

import { escapeControls, OvlError } from '../../errors/index.ts'
import {
  containerdNameAnnotation,
  type Descriptor,
  descriptorToJson,
  type Digest,
  formatDocumentBytes,
  type JsonObject,
  mediaType,
  parseIndex,
  parseJson,
  refNameAnnotation,
} from '../../oci/index.ts'
import { type ImageName, nameAnnotations } from './names.ts'

/** An index.json as it was read, or the one of a new layout. */
export type LayoutIndex = { readonly document: JsonObject; readonly entries: readonly JsonObject[] }

/** The index of a layout without images. */
export const emptyIndex: LayoutIndex = { document: { schemaVersion: 2, mediaType: mediaType.index }, entries: [] }

/** Reads index.json to change it. Errors: BAD_JSON, BAD_DOCUMENT, LIMIT_EXCEEDED. */
export function readLayoutIndex(
  bytes: Uint8Array,
  place: { readonly where: string; readonly maxBytes: number },
): LayoutIndex {
  const json = parseJson(bytes, place)
  parseIndex(json, place.where) // what is no index is refused rather than changed
  const document = json as JsonObject
  return { document, entries: (document['manifests'] ?? []) as readonly JsonObject[] }
}

/**
 * The index with entries for an image under all of its names; whatever had these names before has them no longer.
 * Errors: TAG_EXISTS when a name stands for something else and `force` is not given.
 */
export function addToIndex(
  index: LayoutIndex,
  image: { readonly roots: readonly Descriptor[]; readonly names: readonly ImageName[] },
  options: { readonly force: boolean; readonly shownAs: string },
): LayoutIndex {
  const { roots, names } = image
  if (!options.force) checkNames(index, { names, digests: roots.map(({ digest }) => digest) }, options.shownAs)
  const others = index.entries.filter(entry => !names.some(name => hasName(entry, name)))
  const added = names.flatMap(name => roots.map(root => namedEntry(root, name)))
  return { document: index.document, entries: [...others, ...added] }
}

/** Names, and what they stand for. */
export type NamedDigests = { readonly names: readonly ImageName[]; readonly digests: readonly Digest[] }

/** Errors: TAG_EXISTS when a name stands for anything but these digests. */
export function checkNames({ entries }: LayoutIndex, { names, digests: given }: NamedDigests, shownAs: string): void {
  const digests = new Set<unknown>(given)
  for (const name of names) {
    const taken = entries.find(entry => hasName(entry, name) && !digests.has(entry['digest']))
    if (taken === undefined) continue
    const shown = escapeControls(name.refName)
    throw new OvlError('TAG_EXISTS', `Cannot write ${shownAs}:${shown}: the layout has an image of that name`, {
      facts: [`it is ${String(taken['digest'])}`],
      hint: 'choose another name, or add --force to replace it',
      data: { path: shownAs, name: name.refName, digest: String(taken['digest']) },
    })
  }
}

/** The bytes of index.json. */
export function formatIndex({ document, entries }: LayoutIndex): Uint8Array {
  return formatDocumentBytes({ ...document, manifests: entries })
}

/** Two images of one tag may stand in a layout when both say which repository they are from. */
function hasName(entry: JsonObject, { refName, fullName }: ImageName): boolean {
  const annotations = (entry['annotations'] ?? {}) as { readonly [key: string]: unknown }
  if (annotations[refNameAnnotation] !== refName) return false
  const other = annotations[containerdNameAnnotation]
  return fullName === null || other === undefined || other === fullName
}

function namedEntry(root: Descriptor, name: ImageName): JsonObject {
  const annotations = new Map(root.annotations)
  annotations.delete(containerdNameAnnotation)
  for (const [key, value] of nameAnnotations(name)) annotations.set(key, value)
  return descriptorToJson({ ...root, annotations })
}
