// The names of an image in the forms that hold them: annotations in index.json, RepoTags in a docker-archive.

import { OvlError, quote } from '../../errors/index.ts'
import {
  containerdNameAnnotation,
  type Descriptor,
  familiarReference,
  formatReference,
  parseReference,
  refNameAnnotation,
} from '../../oci/index.ts'
import type { Image } from '../types.ts'

/** One name of an image. */
export type ImageName = {
  /** What org.opencontainers.image.ref.name says: often only a tag. */
  readonly refName: string
  /** The full reference, where it is known beside that: what containerd and Docker write. */
  readonly fullName: string | null
}

/** The name of an image that has none. */
export const defaultName: ImageName = { refName: 'latest', fullName: null }

/** The names that the source of an image gives it. */
export function namesOfImage(image: Image): readonly ImageName[] {
  const [top, inner] = image.indexes
  const digest = inner?.digest ?? image.manifest?.digest
  if (top === undefined) return image.names.map(nameOfTag)
  return namesOfDescriptors(top.parsed.manifests.filter(each => each.digest === digest))
}

/** The names in the annotations of descriptors. */
export function namesOfDescriptors(descriptors: readonly Descriptor[]): readonly ImageName[] {
  const names = descriptors.flatMap(({ annotations }): ImageName[] => {
    const fullName = annotations.get(containerdNameAnnotation) ?? null
    const refName = annotations.get(refNameAnnotation) ?? (fullName === null ? null : parseReference(fullName)?.tag)
    return refName === null || refName === undefined ? [] : [{ refName, fullName }]
  })
  return [...new Map(names.map(name => [`${name.refName}\n${name.fullName}`, name])).values()]
}

/** The annotations that give a descriptor a name. */
export function nameAnnotations({ refName, fullName }: ImageName): readonly (readonly [string, string])[] {
  const annotations: (readonly [string, string])[] = [[refNameAnnotation, refName]]
  if (fullName !== null) annotations.unshift([containerdNameAnnotation, fullName])
  return annotations
}

/** A name of RepoTags (`hello:1.0`): the tag for an index, the rest beside it, as `docker save` writes it. */
function nameOfTag(repoTag: string): ImageName {
  const reference = parseReference(repoTag)
  if (reference === null) return { refName: repoTag, fullName: null }
  return { refName: reference.tag ?? 'latest', fullName: formatReference(reference) }
}

/** What a docker-archive can call the image: names with a repository. A bare tag is none. */
export function repoTagsOf(names: readonly ImageName[]): readonly string[] {
  return names.flatMap(({ refName, fullName }) => {
    const text = fullName ?? (/[:/]/.test(refName) ? refName : null)
    const reference = text === null ? null : parseReference(text)
    return reference === null || reference.digest !== null ? [] : [familiarReference(reference)]
  })
}

/** The name that a user gives for a docker-archive. Errors: USAGE when it is no repository with or without a tag. */
export function readRepoTag(text: string): ImageName {
  const reference = parseReference(text)
  if (reference !== null && reference.digest === null) {
    return { refName: reference.tag ?? 'latest', fullName: formatReference(reference) }
  }
  throw new OvlError('USAGE', `Cannot name an image ${quote(text)} in a docker-archive: it is no repository:tag`, {
    hint: 'write for example docker-archive:image.tar:hello:1.0',
    data: { name: text },
  })
}
