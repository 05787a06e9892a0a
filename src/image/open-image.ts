// From an image argument to an image: what the input is, is read from its content; a transport prefix is only checked.

import { lstatSync } from 'node:fs'
import { defaultLimits, isCode, type Limits, OvlError } from '../errors/index.ts'
import { parseJson, parsePlatformName } from '../oci/index.ts'
import { parseImageArgument } from './argument.ts'
import { systemPath } from './blob.ts'
import { describeArchive, describeDirectory, notAnImage } from './describe.ts'
import { openDockerArchive } from './docker-archive.ts'
import { readWhole } from './documents.ts'
import type { Files } from './files.ts'
import { openPath, openStandardInput } from './input.ts'
import { isLegacyArchive, openLegacyArchive } from './legacy-archive.ts'
import { openLayoutRoots, openOciLayout } from './oci-layout.ts'
import { hostPlatform, type Request } from './request.ts'
import type { ImageRoots } from './roots.ts'
import { openSkopeoDirectory, openSkopeoRoots } from './skopeo-directory.ts'
import { type Image, type OpenImageOptions, standardInput, type Transport } from './types.ts'

/**
 * Opens an image: `[transport:]LOCATION[:REF][@DIGEST]`, "-" for standard input. All documents are read and verified,
 * layers are not. The caller closes the image.
 *
 * Errors: USAGE, INPUT_NOT_FOUND, NOT_AN_IMAGE, WRONG_FORMAT, TAG_NOT_FOUND, PLATFORM_NOT_FOUND, IMAGE_AMBIGUOUS,
 * BLOB_MISSING, TRUNCATED, and all that documents and archives can have wrong.
 */
export function openImage(argument: string, options: OpenImageOptions = {}): Promise<Image> {
  return openInput(argument, { readers: imageReaders, options })
}

/**
 * Opens what a name stands for with all its platforms: the roots in an index, or the image of a source that has no
 * index. The caller closes it. Errors: those of `openImage`, other than PLATFORM_NOT_FOUND.
 */
export function openRoots(argument: string, options: OpenImageOptions = {}): Promise<OpenedRoots> {
  return openInput(argument, { readers: rootReaders, options })
}

/** What `openRoots` found. */
export type OpenedRoots =
  | { readonly roots: ImageRoots; readonly image: null }
  | { readonly roots: null; readonly image: Image }

/** One reader for each form. */
type Readers<T> = {
  readonly docker: (files: Files, request: Request) => T
  readonly legacy: (files: Files, request: Request) => T
  readonly oci: (files: Files, request: Request) => T
  readonly skopeo: (files: Files, request: Request) => T
}

const imageReaders: Readers<Image> = {
  docker: openDockerArchive,
  legacy: openLegacyArchive,
  oci: openOciLayout,
  skopeo: openSkopeoDirectory,
}

const rootReaders: Readers<OpenedRoots> = {
  docker: (files, request) => ({ roots: null, image: openDockerArchive(files, request) }),
  legacy: (files, request) => ({ roots: null, image: openLegacyArchive(files, request) }),
  oci: (files, request) => ({ roots: openLayoutRoots(files, request), image: null }),
  skopeo(files, request) {
    const roots = openSkopeoRoots(files, request)
    return roots === null ? { roots, image: openSkopeoDirectory(files, request) } : { roots, image: null }
  },
}

async function openInput<T>(
  argument: string,
  { readers, options }: { readonly readers: Readers<T>; readonly options: OpenImageOptions },
): Promise<T> {
  const { transport, location, selector } = parseImageArgument(argument, {
    ref: options.ref ?? null,
    exists: pathExists,
  })
  const host = hostPlatform()
  const request: Request = {
    path: location === '-' ? standardInput : location,
    selector,
    platform: options.platform === undefined ? host : parsePlatformName(options.platform, host),
    platformAsked: options.platform !== undefined,
    allowMissingLayers: options.allowMissingLayers === true,
    limits: options.limits ?? defaultLimits,
    warn: options.warn ?? (() => {}),
  }
  const { limits, warn } = request
  const input = { limits, warn, signal: options.signal }
  const files = location === '-' ? await openStandardInput(options.stdin ?? 0, input) : await openPath(location, input)
  try {
    return openFiles(files, { transport, request, readers })
  } catch (error) {
    files.close()
    throw error
  }
}

/** What an input holds, by its content. Several can be true of one archive. */
type Contents = {
  readonly oci: boolean
  readonly docker: 'manifest' | 'legacy' | null
  readonly skopeo: boolean
}

type OpenContext<T> = {
  readonly transport: Transport | null
  readonly request: Request
  readonly readers: Readers<T>
}

function openFiles<T>(files: Files, context: OpenContext<T>): T {
  const { transport, request, readers } = context
  const contents = recognise(files, request.limits)
  const found = transportsOf(contents, files)
  if (found.length === 0) {
    const names = files.names()
    throw notAnImage(files.location, files.kind === 'archive' ? describeArchive(names) : describeDirectory(names))
  }
  if (transport !== null && !found.includes(transport)) throw wrongFormat(files.location, { transport, found })
  const openDocker = (): T => (contents.docker === 'legacy' ? readers.legacy : readers.docker)(files, request)
  if (transport === 'docker-archive') return openDocker()
  if (contents.oci && contents.docker !== null && transport === null) {
    return openHybrid(() => readers.oci(files, { ...request, allowMissingLayers: false }), openDocker)
  }
  if (contents.oci) return readers.oci(files, request)
  return contents.docker === null ? readers.skopeo(files, request) : openDocker()
}

function recognise(files: Files, limits: Limits): Contents {
  const has = (path: string): boolean => files.open(path) !== null
  const manifest = files.open('manifest.json')
  const shape = manifest === null ? null : shapeOf(readWhole(manifest, limits), { where: manifest.location, limits })
  const isLegacy = manifest === null && isLegacyArchive(files.names())
  return {
    oci: has('index.json') || has('oci-layout'),
    docker: shape === 'list' ? 'manifest' : isLegacy ? 'legacy' : null,
    skopeo: shape === 'object',
  }
}

/** A docker-archive's manifest.json is a list (or null, as Go writes an empty one), a registry's is an object. */
function shapeOf(raw: Uint8Array, context: { readonly where: string; readonly limits: Limits }): 'list' | 'object' {
  const json = parseJson(raw, { where: context.where, maxBytes: context.limits.jsonBytes })
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? 'object' : 'list'
}

function transportsOf({ oci, docker, skopeo }: Contents, files: Files): readonly Transport[] {
  const found: Transport[] = []
  if (oci) found.push(files.kind === 'archive' ? 'oci-archive' : 'oci')
  if (docker !== null) found.push('docker-archive')
  if (skopeo) found.push('dir')
  return found
}

/**
 * docker save since 25 writes an OCI layout and manifest.json into one archive. The layout knows more (manifest,
 * digests, platforms), so it wins when it has all that it names.
 */
function openHybrid<T>(openLayout: () => T, openDocker: () => T): T {
  try {
    return openLayout()
  } catch (error) {
    if (!incomplete.some(code => isCode(error, code))) throw error
    try {
      return openDocker()
    } catch (second) {
      // What the layout lacks is the better answer when the other side has no such image either.
      throw isCode(second, 'TAG_NOT_FOUND') || isCode(second, 'PLATFORM_NOT_FOUND') ? error : second
    }
  }
}

const incomplete = ['BLOB_MISSING', 'TAG_NOT_FOUND', 'PLATFORM_NOT_FOUND', 'NOT_AN_IMAGE']

const articles: { readonly [transport in Transport]: string } = {
  'docker-archive': 'a docker-archive',
  'oci-archive': 'an oci-archive',
  oci: 'an oci layout directory',
  dir: 'a dir of skopeo',
}

/** Row 13 of the error table. */
function wrongFormat(
  location: string,
  { transport, found }: { readonly transport: Transport; readonly found: readonly Transport[] },
): OvlError {
  const is = found.map(each => articles[each]).join(' and ')
  return new OvlError('WRONG_FORMAT', `Cannot open ${location} as ${transport}: it is ${is}`, {
    hint: `leave the "${transport}:" prefix away, ovl recognises the format`,
    data: { path: location, transport, found },
  })
}

function pathExists(path: string): boolean {
  try {
    lstatSync(systemPath(path))
    return true
  } catch {
    return false // whatever the reason, it cannot be read under this name
  }
}
