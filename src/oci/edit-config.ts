// Changes to an image config: the settings of a container, an entry of the history, the layers. Members that ovl does
// not know stay as they are.

import { OvlError, quote } from '../errors/index.ts'
import type { Digest } from './digest.ts'
import type { JsonObject } from './format.ts'

/** The settings that can be emptied before others are made. */
export const clearableSettings = ['env', 'entrypoint', 'cmd', 'labels', 'exposedports', 'volume'] as const

/** One of the settings that can be emptied. */
export type ClearableSetting = (typeof clearableSettings)[number]

/** What is to be different about how containers of the image run. Absent and empty members leave things as they are. */
export type ConfigEdit = {
  readonly clear: readonly ClearableSetting[]
  /** `NAME=VALUE`; replaces an earlier value of the name. */
  readonly env: readonly string[]
  /** The whole list; empty leaves it as it is. */
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  /** `NAME=VALUE` */
  readonly labels: readonly string[]
  /** `PORT[/PROTOCOL]` */
  readonly exposedPorts: readonly string[]
  readonly volumes: readonly string[]
  readonly user?: string
  readonly workingDir?: string
  readonly stopSignal?: string
  readonly author?: string
}

/** Leaves all settings as they are. */
export const noConfigEdit: ConfigEdit = {
  clear: [],
  env: [],
  entrypoint: [],
  cmd: [],
  labels: [],
  exposedPorts: [],
  volumes: [],
}

/** Applies settings to a config. Errors: USAGE for a variable or label without "=", and a port that is none. */
export function editConfig(config: JsonObject, edit: ConfigEdit): JsonObject {
  const settings: Record<string, unknown> = { ...((config['config'] ?? {}) as JsonObject) }
  for (const name of edit.clear) delete settings[clearedMembers[name]]
  if (edit.env.length > 0) settings['Env'] = mergeEnv((settings['Env'] ?? []) as readonly string[], edit.env)
  if (edit.entrypoint.length > 0) settings['Entrypoint'] = edit.entrypoint
  if (edit.cmd.length > 0) settings['Cmd'] = edit.cmd
  if (edit.labels.length > 0) settings['Labels'] = { ...objectOf(settings['Labels']), ...pairs(edit.labels, 'label') }
  if (edit.exposedPorts.length > 0)
    settings['ExposedPorts'] = { ...objectOf(settings['ExposedPorts']), ...set(edit.exposedPorts.map(checkPort)) }
  if (edit.volumes.length > 0) settings['Volumes'] = { ...objectOf(settings['Volumes']), ...set(edit.volumes) }
  if (edit.user !== undefined) settings['User'] = edit.user
  if (edit.workingDir !== undefined) settings['WorkingDir'] = edit.workingDir
  if (edit.stopSignal !== undefined) settings['StopSignal'] = edit.stopSignal
  // What Docker tells of the container that an image was made from is not true of this one.
  const { container: _, container_config: __, ...rest } = config
  return {
    ...rest,
    ...(edit.author === undefined ? {} : { author: edit.author }),
    ...(Object.keys(settings).length === 0 && config['config'] === undefined ? {} : { config: settings }),
  }
}

/** One step of how an image was made, as it is written. */
export type NewHistoryEntry = {
  readonly created: string
  readonly createdBy: string
  readonly author?: string
  readonly comment?: string
  readonly emptyLayer: boolean
}

/**
 * A config with one step more. A history that tells of fewer layers than the image has is filled up, so that the new
 * entry does not stand for an old layer.
 */
export function addHistory(config: JsonObject, entry: NewHistoryEntry, layersBefore: number): JsonObject {
  const old = (config['history'] ?? []) as readonly JsonObject[]
  const told = old.filter(each => each['empty_layer'] !== true).length
  const missing = Array.from({ length: Math.max(0, layersBefore - told) }, () => ({ comment: 'not in the history' }))
  const { created, createdBy, author, comment, emptyLayer } = entry
  const step = {
    created,
    created_by: createdBy,
    ...(author === undefined ? {} : { author }),
    ...(comment === undefined ? {} : { comment }),
    ...(emptyLayer ? { empty_layer: true } : {}),
  }
  return { ...config, created, history: [...old, ...missing, step] }
}

/** A config whose history stays, as steps none of which made a layer. */
export function emptyHistory(config: JsonObject): JsonObject {
  const history = (config['history'] ?? []) as readonly JsonObject[]
  return { ...config, history: history.map(step => ({ ...step, empty_layer: true })) }
}

/** A config for these layers, base first. */
export function withLayers(config: JsonObject, diffIDs: readonly Digest[]): JsonObject {
  return { ...config, rootfs: { type: 'layers', diff_ids: diffIDs } }
}

const clearedMembers: { readonly [name in ClearableSetting]: string } = {
  env: 'Env',
  entrypoint: 'Entrypoint',
  cmd: 'Cmd',
  labels: 'Labels',
  exposedports: 'ExposedPorts',
  volume: 'Volumes',
}

function mergeEnv(old: readonly string[], added: readonly string[]): readonly string[] {
  const env = new Map(old.map(entry => [nameOf(entry), entry]))
  for (const entry of added) {
    if (!/^[^=]+=/.test(entry)) throw badSetting('variable', entry, 'NAME=VALUE')
    env.set(nameOf(entry), entry)
  }
  return [...env.values()]
}

function nameOf(entry: string): string {
  return entry.split('=', 1)[0] ?? entry
}

function pairs(texts: readonly string[], what: string): { readonly [name: string]: string } {
  return Object.fromEntries(
    texts.map(text => {
      const equals = text.indexOf('=')
      if (equals <= 0) throw badSetting(what, text, 'NAME=VALUE')
      return [text.slice(0, equals), text.slice(equals + 1)]
    }),
  )
}

function checkPort(text: string): string {
  if (/^[0-9]{1,5}(?:-[0-9]{1,5})?(?:\/(?:tcp|udp|sctp))?$/.test(text)) return text
  throw badSetting('port', text, 'PORT or PORT/PROTOCOL')
}

/** Go writes a set as an object of empty objects. */
function set(names: readonly string[]): { readonly [name: string]: object } {
  return Object.fromEntries(names.map(name => [name, {}]))
}

function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {}
}

function badSetting(what: string, text: string, form: string): OvlError {
  return new OvlError('USAGE', `Cannot set the ${what} ${quote(text)}: it is not ${form}`, { data: { value: text } })
}
