// User namespaces: which ids of the container are which of the host (config-linux.md, "User namespace mappings").

import { OvlError, quote } from '../errors/index.ts'
import type { IdMapping } from './runtime-spec.ts'

/** The user namespace that a bundle is made for. */
export type UserNamespace = {
  readonly uidMappings: readonly IdMapping[]
  readonly gidMappings: readonly IdMapping[]
  /** The runtime is started by an ordinary user: what needs privilege on the host is left out of config.json. */
  readonly rootless: boolean
}

/** What the command line says about user namespaces. */
export type UserNamespaceOptions = {
  readonly rootless: boolean
  /** Values of --uid-map and --gid-map; empty when not given. */
  readonly uidMap: readonly string[]
  readonly gidMap: readonly string[]
  /** Effective ids of the user who will start the container. */
  readonly euid: number
  readonly egid: number
}

/** 2³² − 1 ids; the last one means "none". */
const idCount = 2 ** 32 - 1

/**
 * The user namespace that the flags ask for, null when none. `--rootless` without maps makes the caller root of the
 * container; with only one kind of map the other maps the caller. Errors: USAGE.
 */
export function userNamespace(options: UserNamespaceOptions): UserNamespace | null {
  const { rootless, uidMap, gidMap, euid, egid } = options
  if (!rootless && uidMap.length === 0 && gidMap.length === 0) return null
  return {
    uidMappings: readMappings(uidMap, { flag: '--uid-map', self: euid }),
    gidMappings: readMappings(gidMap, { flag: '--gid-map', self: egid }),
    rootless,
  }
}

/** Reads `CONTAINER:HOST[:SIZE]`, size 1 when left out. Errors: USAGE. */
export function parseIdMapping(text: string, flag = '--uid-map'): IdMapping {
  const fields = /^([0-9]{1,10}):([0-9]{1,10})(?::([0-9]{1,10}))?$/.exec(text)
  const [containerID, hostID, size] = (fields ?? []).slice(1).map(field => Number(field ?? 1))
  if (containerID === undefined || hostID === undefined || size === undefined) {
    throw badMap(flag, `${quote(text)} is not CONTAINER:HOST[:SIZE]`)
  }
  if (size === 0) throw badMap(flag, `${quote(text)} maps no ids`)
  if (containerID + size > idCount || hostID + size > idCount) {
    throw badMap(flag, `${quote(text)} goes beyond the largest id`)
  }
  return { containerID, hostID, size }
}

/** The host's id for an id of the container; null when it is not mapped. */
export function toHostID(mappings: readonly IdMapping[], id: number): number | null {
  const mapping = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size)
  return mapping === undefined ? null : mapping.hostID + (id - mapping.containerID)
}

/** The container's id for an id of the host; null when it is not mapped. */
export function toContainerID(mappings: readonly IdMapping[], id: number): number | null {
  const mapping = mappings.find(({ hostID, size }) => id >= hostID && id < hostID + size)
  return mapping === undefined ? null : mapping.containerID + (id - mapping.hostID)
}

function readMappings(texts: readonly string[], from: { flag: string; self: number }): readonly IdMapping[] {
  if (texts.length === 0) return [{ containerID: 0, hostID: from.self, size: 1 }]
  const all = texts.map(text => parseIdMapping(text, from.flag))
  if (toHostID(all, 0) === null) throw badMap(from.flag, 'it gives no id to root (0) of the container')
  for (const [i, one] of all.entries()) {
    const clash = all.slice(i + 1).find(other => overlaps(one, other))
    if (clash !== undefined) throw badMap(from.flag, `${show(one)} and ${show(clash)} overlap`)
  }
  return all
}

/** The kernel refuses mappings that share an id on either side (user_namespaces(7)). */
function overlaps(a: IdMapping, b: IdMapping): boolean {
  const shared = (left: number, right: number) => left < right + b.size && right < left + a.size
  return shared(a.containerID, b.containerID) || shared(a.hostID, b.hostID)
}

function show({ containerID, hostID, size }: IdMapping): string {
  return `${containerID}:${hostID}:${size}`
}

function badMap(flag: string, fact: string): OvlError {
  return new OvlError('USAGE', `Cannot use ${flag}: ${fact}`, {
    hint: `write for example ${flag} 0:100000:65536`,
    data: { flag },
  })
}
