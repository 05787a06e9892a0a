// The documents of Docker's own archives: manifest.json (docker save since 1.10), and the older "repositories" file
// with one directory and one version 1 image JSON per layer (moby image/spec/v1.md).

import { type HistoryEntry, parseConfigPlatform, parseProcessConfig, type ProcessConfig } from './config.ts'
import { type Descriptor, parseDescriptor } from './descriptor.ts'
import {
  badField,
  documentField,
  type Field,
  flag,
  isAbsent,
  items,
  members,
  optionalText,
  property,
  requiredItems,
  requiredText,
  texts,
} from './field.ts'
import type { Platform } from './platform.ts'

/** One image of an archive's manifest.json. Paths are names of members. */
export type ArchiveImage = {
  readonly config: string
  readonly repoTags: readonly string[]
  /** Base first. */
  readonly layers: readonly string[]
  /** Descriptors of layers by diffID, which Docker writes for foreign layers. */
  readonly layerSources: ReadonlyMap<string, Descriptor>
}

/** Reads manifest.json of a docker-archive. Errors: BAD_DOCUMENT naming the field. */
export function parseArchiveManifest(json: unknown, where: string): readonly ArchiveImage[] {
  return requiredItems(documentField(json, where)).map(image => ({
    config: requiredText(eitherCase(image, 'Config')),
    repoTags: texts(eitherCase(image, 'RepoTags')),
    layers: texts(eitherCase(image, 'Layers')),
    layerSources: new Map(
      members(eitherCase(image, 'LayerSources')).map(([diffID, source]) => [diffID, parseDescriptor(source)]),
    ),
  }))
}

/** Jib writes the keys of manifest.json with a small first letter, and Docker, whose decoder ignores case, reads them. */
function eitherCase(image: Field, key: string): Field {
  const field = property(image, key)
  const small = property(image, key.charAt(0).toLowerCase() + key.slice(1))
  return field.value === undefined && small.value !== undefined ? small : field
}

/** A name and tag of the `repositories` file, and the ID of the top layer it stands for. */
export type RepositoryTag = { readonly name: string; readonly id: string }

/** Reads the `repositories` file: `{name: {tag: image ID}}`. Errors: BAD_DOCUMENT. */
export function parseRepositories(json: unknown, where: string): readonly RepositoryTag[] {
  const document = documentField(json, where)
  if (isAbsent(document)) throw badField(document, 'an object')
  return members(document).flatMap(([repository, tags]) =>
    members(tags).map(([tag, id]) => {
      const text = requiredText(id)
      if (!/^[0-9a-f]{64}$/.test(text)) throw badField(id, 'an image ID of 64 hexadecimal digits')
      return { name: `${repository}:${tag}`, id: text }
    }),
  )
}

/** One version 1 image: a layer, the way to its parent, and a configuration. */
export type V1Image = {
  readonly parent: string | null
  readonly platform: Platform
  readonly created: string | null
  readonly author: string | null
  readonly process: ProcessConfig
  /** The `config` object as it stands; null when absent. */
  readonly rawConfig: object | null
  readonly history: HistoryEntry
}

/** Reads ID/json of a version 1 image. Errors: BAD_DOCUMENT naming the field. */
export function parseV1Image(json: unknown, where: string): V1Image {
  const document = documentField(json, where)
  const created = optionalText(property(document, 'created'))
  const author = optionalText(property(document, 'author'))
  const config = property(document, 'config')
  const containerConfig = property(document, 'container_config')
  const command = isAbsent(containerConfig) ? [] : items(property(containerConfig, 'Cmd')).map(requiredText)
  return {
    parent: optionalText(property(document, 'parent')) || null,
    platform: parseConfigPlatform(document),
    created,
    author,
    process: parseProcessConfig(config),
    rawConfig: isAbsent(config) ? null : (config.value as object), // an object: it was just parsed
    history: {
      created,
      createdBy: command.length === 0 ? null : command.join(' '),
      author,
      comment: optionalText(property(document, 'comment')),
      emptyLayer: flag(property(document, 'throwaway')),
    },
  }
}
