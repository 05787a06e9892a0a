// Image configuration: image-spec config.md, and Docker's image JSON, of which it is a subset. Optional fields may be
// absent or null; a field of a wrong type is refused, because a wrong Entrypoint must not be guessed.

import { type Digest, parseDigest } from './digest.ts'
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
  textMap,
  texts,
} from './field.ts'
import type { Platform } from './platform.ts'

/** One step of how the image was made (config.md, "history"); null where the step does not say. */
export type HistoryEntry = {
  readonly created: string | null
  readonly createdBy: string | null
  readonly author: string | null
  readonly comment: string | null
  readonly emptyLayer: boolean
}

/** The `config` object: how a container of the image runs. Absent lists are empty, absent strings ''. */
export type ProcessConfig = {
  readonly user: string
  /** Keys as given: `80`, `80/tcp`, `53/udp`. */
  readonly exposedPorts: readonly string[]
  readonly env: readonly string[]
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly volumes: readonly string[]
  readonly workingDir: string
  readonly labels: ReadonlyMap<string, string>
  readonly stopSignal: string
  readonly argsEscaped: boolean
}

/** An image config (config.md) as far as ovl understands it; the raw bytes stay with the image. */
export type ImageConfig = {
  /** RFC 3339 as written; null when absent. */
  readonly created: string | null
  readonly author: string | null
  readonly platform: Platform
  readonly process: ProcessConfig
  /** Base first. */
  readonly diffIDs: readonly Digest[]
  readonly history: readonly HistoryEntry[]
}

/** Reads an image configuration. Errors: BAD_DOCUMENT naming the field, also when `rootfs.type` is not "layers". */
export function parseImageConfig(json: unknown, where: string): ImageConfig {
  const document = documentField(json, where)
  return {
    created: optionalText(property(document, 'created')),
    author: optionalText(property(document, 'author')),
    platform: parseConfigPlatform(document),
    process: parseProcessConfig(property(document, 'config')),
    diffIDs: parseRootfs(property(document, 'rootfs')),
    history: items(property(document, 'history')).map(parseHistoryEntry),
  }
}

/** The platform at the top of a config or of a version 1 image: the fields are required, but old images lack them. */
export function parseConfigPlatform(document: Field): Platform {
  return {
    os: optionalText(property(document, 'os')) ?? '',
    architecture: optionalText(property(document, 'architecture')) ?? '',
    variant: optionalText(property(document, 'variant')) ?? '',
    osVersion: optionalText(property(document, 'os.version')) ?? '',
    osFeatures: texts(property(document, 'os.features')),
  }
}

/** Reads the `config` object, which may be absent. */
export function parseProcessConfig(field: Field): ProcessConfig {
  if (isAbsent(field)) return noProcessConfig
  return {
    user: optionalText(property(field, 'User')) ?? '',
    exposedPorts: keys(property(field, 'ExposedPorts')),
    env: texts(property(field, 'Env')),
    entrypoint: words(property(field, 'Entrypoint')),
    cmd: words(property(field, 'Cmd')),
    volumes: keys(property(field, 'Volumes')),
    workingDir: optionalText(property(field, 'WorkingDir')) ?? '',
    labels: textMap(property(field, 'Labels')),
    stopSignal: optionalText(property(field, 'StopSignal')) ?? '',
    argsEscaped: flag(property(field, 'ArgsEscaped')),
  }
}

const noProcessConfig: ProcessConfig = {
  user: '',
  exposedPorts: [],
  env: [],
  entrypoint: [],
  cmd: [],
  volumes: [],
  workingDir: '',
  labels: new Map(),
  stopSignal: '',
  argsEscaped: false,
}

function parseRootfs(field: Field): readonly Digest[] {
  const type = property(field, 'type')
  // "Implementations MUST generate an error if they encounter an unknown value" (config.md, rootfs.type).
  if (type.value !== 'layers') throw badField(type, '"layers"')
  const diffIDs = property(field, 'diff_ids')
  return isAbsent(diffIDs) ? [] : requiredItems(diffIDs).map(parseDigest)
}

function parseHistoryEntry(field: Field): HistoryEntry {
  return {
    created: optionalText(property(field, 'created')),
    createdBy: optionalText(property(field, 'created_by')),
    author: optionalText(property(field, 'author')),
    comment: optionalText(property(field, 'comment')),
    emptyLayer: flag(property(field, 'empty_layer')),
  }
}

/** Go writes a set as an object of empty objects; very old Docker wrote ports as a list. */
function keys(field: Field): readonly string[] {
  return Array.isArray(field.value) ? texts(field) : members(field).map(([key]) => key)
}

/** Docker accepts one string where a list of arguments stands. */
function words(field: Field): readonly string[] {
  return typeof field.value === 'string' ? [field.value] : texts(field)
}
