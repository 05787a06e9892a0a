// Reads ovl.json, which may come from a later version of ovl (members that are not known are passed over) or from
// anybody at all: every member is checked before it is used, and no path in it leads out of the image.

import { OvlError, quote } from '../errors/index.ts'
import {
  badField,
  documentField,
  type Field,
  flag,
  isAbsent,
  items,
  optionalText,
  property,
  requiredCount,
  requiredItems,
  requiredText,
  texts,
} from '../oci/index.ts'
import { decodeName, joinPath } from '../path/index.ts'
import type { UserNamespace } from './id-map.ts'
import type { StandsFor } from './override-stat.ts'
import type { IdMapping } from './runtime-spec.ts'
import {
  type BundleImage,
  type BundleLayer,
  type BundleMode,
  type BundleOverlay,
  type BundleState,
  type FileNote,
  type NotKept,
  type OwnerNote,
  type SavedChanges,
  stateSchema,
  type XattrNote,
} from './state.ts'

const modes: readonly BundleMode[] = ['flat', 'emulated', 'native', 'fuse']

/**
 * The state in a parsed ovl.json; `where` names it in errors. Errors: UNSUPPORTED for a later schema, BAD_DOCUMENT
 * for everything else that is wrong.
 */
export function parseState(json: unknown, where: string): BundleState {
  const document = documentField(json, where)
  checkSchema(property(document, 'schema'))
  const layers = requiredItems(property(document, 'layers')).map(parseLayer)
  return {
    ovl: requiredText(property(document, 'ovl')),
    mode: oneOf(property(document, 'mode'), modes),
    image: parseImage(property(document, 'image')),
    layers,
    overlay: parseOverlay(property(document, 'overlay'), layers.length),
    userNamespace: parseUserNamespace(property(document, 'userNamespace')),
    notKept: parseNotKept(property(document, 'notKept')),
    saved: parseSaved(property(document, 'saved')),
  }
}

function checkSchema(field: Field): void {
  const schema = requiredText(field)
  if (schema === stateSchema) return
  if (!/^ovl\.bundle\/[0-9]{1,6}$/.test(schema)) throw badField(field, quote(stateSchema))
  throw new OvlError('UNSUPPORTED', `Cannot use ${field.where}: its schema ${quote(schema)} is from another ovl`, {
    hint: 'use the version of ovl that unpacked the bundle, or unpack it again with --force',
    data: { where: field.where, schema },
  })
}

function parseImage(field: Field): BundleImage {
  return {
    transport: requiredText(property(field, 'transport')),
    location: requiredText(property(field, 'location')),
    names: texts(property(field, 'names')),
    platform: requiredText(property(field, 'platform')),
    manifest: optionalText(property(field, 'manifest')),
    config: requiredText(property(field, 'config')),
  }
}

function parseSaved(field: Field): SavedChanges | null {
  if (isAbsent(field)) return null
  return { merged: requiredText(property(field, 'merged')), upper: requiredText(property(field, 'upper')) }
}

function parseLayer(field: Field, index: number): BundleLayer {
  const number = property(field, 'number')
  if (requiredCount(number) !== index + 1) throw badField(number, String(index + 1))
  const size = property(field, 'sizeBytes')
  return {
    number: index + 1,
    diffID: optionalText(property(field, 'diffID')),
    digest: optionalText(property(field, 'digest')),
    mediaType: optionalText(property(field, 'mediaType')),
    sizeBytes: isAbsent(size) ? null : requiredCount(size),
    uncompressedBytes: requiredCount(property(field, 'uncompressedBytes')),
    entries: requiredCount(property(field, 'entries')),
    whiteouts: requiredCount(property(field, 'whiteouts')),
    opaques: requiredCount(property(field, 'opaques')),
  }
}

function parseOverlay(field: Field, layerCount: number): BundleOverlay | null {
  if (isAbsent(field)) return null
  const lowers = property(field, 'lowers')
  const numbers = requiredItems(lowers).map(requiredCount)
  if (numbers.some((number, index) => number > layerCount || number <= (numbers[index - 1] ?? 0)))
    throw badField(lowers, 'numbers of layers, base first')
  return {
    xattrs: oneOf(property(field, 'xattrs'), ['trusted', 'user']),
    whiteouts: oneOf(property(field, 'whiteouts'), ['device', 'xattr']),
    lowers: numbers,
  }
}

function parseUserNamespace(field: Field): UserNamespace | null {
  if (isAbsent(field)) return null
  return {
    uidMappings: requiredItems(property(field, 'uidMappings')).map(parseMapping),
    gidMappings: requiredItems(property(field, 'gidMappings')).map(parseMapping),
    rootless: flag(property(field, 'rootless')),
  }
}

function parseMapping(field: Field): IdMapping {
  return {
    containerID: requiredCount(property(field, 'containerID')),
    hostID: requiredCount(property(field, 'hostID')),
    size: requiredCount(property(field, 'size')),
  }
}

function parseNotKept(field: Field): NotKept {
  return {
    owners: items(property(field, 'owners')).flatMap(parseOwners),
    files: items(property(field, 'files')).map(parseFile),
    xattrs: items(property(field, 'xattrs')).map(parseXattrs),
  }
}

function parseOwners(field: Field): readonly OwnerNote[] {
  const directory = pathOf(property(field, 'in'))
  const uid = requiredCount(property(field, 'uid'))
  const gid = requiredCount(property(field, 'gid'))
  return requiredItems(property(field, 'names')).map(each => {
    const name = nameOf(each)
    if (name.includes('/') || name === '.' || name === '..') throw badField(each, 'a file name')
    return { path: name === '' ? directory : joinPath(directory, name), uid, gid }
  })
}

function parseFile(field: Field): FileNote {
  const mode = property(field, 'mode')
  if (!/^0[0-7]{1,4}$/.test(requiredText(mode))) throw badField(mode, 'an octal mode')
  return {
    path: pathOf(property(field, 'path')),
    mode: Number.parseInt(requiredText(mode), 8),
    was: parseStandsFor(property(field, 'was')),
  }
}

function parseStandsFor(field: Field): StandsFor {
  const type = oneOf(property(field, 'type'), ['charDevice', 'blockDevice', 'fifo', 'socket'])
  if (type === 'fifo' || type === 'socket') return { type }
  return { type, major: requiredCount(property(field, 'major')), minor: requiredCount(property(field, 'minor')) }
}

function parseXattrs(field: Field): XattrNote {
  return {
    path: pathOf(property(field, 'path')),
    names: requiredItems(property(field, 'names')).map(nameOf),
  }
}

/** A path inside the image: relative, clean, no way up. */
function pathOf(field: Field): string {
  const path = nameOf(field)
  const parts = path === '' ? [] : path.split('/')
  if (parts.some(part => part === '' || part === '.' || part === '..')) throw badField(field, 'a path inside the image')
  return path
}

/** A string, or `{"base64": …}` for bytes that are no UTF-8; the inverse of `jsonName`. */
function nameOf(field: Field): string {
  const name = typeof field.value === 'string' ? field.value : decodeBase64(property(field, 'base64'))
  if (name.includes('\0')) throw badField(field, 'a name without NUL')
  return name
}

function decodeBase64(field: Field): string {
  const text = requiredText(field)
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) throw badField(field, 'base64')
  return decodeName(Buffer.from(text, 'base64'))
}

function oneOf<T extends string>(field: Field, allowed: readonly T[]): T {
  const found = allowed.find(each => each === field.value)
  if (found === undefined) throw badField(field, `one of ${allowed.join(', ')}`)
  return found
}
