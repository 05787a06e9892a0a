// The grammar of image arguments: `[transport:]LOCATION[:REF][@DIGEST]`. An existing path wins whole, so names with
// colons work; otherwise the longest existing path before a colon is the location.

import { escapeControls, OvlError, quote } from '../errors/index.ts'
import { type Digest, isDigest } from '../oci/index.ts'
import type { Transport } from './types.ts'

/** An image argument taken apart; nothing has been opened yet. */
export type ImageArgument = {
  readonly transport: Transport | null
  /** "-" is standard input. */
  readonly location: string
  readonly selector: Selector
}

/** Which image of the input: what stands behind the location, or in `--ref`. */
export type Selector = {
  /** A name or tag. */
  readonly name: string | null
  /** The N of `@N`, from 0. */
  readonly position: number | null
  readonly digest: Digest | null
}

const transports: readonly Transport[] = ['docker-archive', 'oci-archive', 'oci', 'dir']

/** Prefixes of other tools that lead to no file. */
const elsewhere =
  /^(?:docker:\/\/|docker-daemon:|containers-storage:|docker-overlay2:|https?:\/\/|ostree:|tarball:|sif:)/

/**
 * Splits an image argument. `exists` says whether a path exists; `ref` is what `--ref` gave, or null.
 * Errors: USAGE for an empty part or two references; UNSUPPORTED for a transport that reads no file.
 */
export function parseImageArgument(
  argument: string,
  options: { readonly ref: string | null; readonly exists: (path: string) => boolean },
): ImageArgument {
  const { ref } = options
  const exists = (path: string): boolean => path === '-' || options.exists(path)
  if (argument === '') throw usage('Cannot open an image: its path is empty')
  const { transport, rest } = exists(argument) ? { transport: null, rest: argument } : splitTransport(argument)
  const { location, suffix } = splitLocation(rest, exists)
  if (ref !== null && suffix !== '') {
    throw usage(`Cannot use ${quote(argument)} with --ref ${quote(ref)}: it names an image already`)
  }
  return { transport, location, selector: parseSelector(ref ?? suffix, ref === null ? argument : ref) }
}

/** The forms that are written. */
export type WrittenTransport = Exclude<Transport, 'dir'>

/** Where an image is to be written: an argument taken apart. */
export type DestinationArgument = {
  readonly transport: WrittenTransport | null
  /** "-" is standard output. */
  readonly location: string
  /** The tag or name behind the location. */
  readonly name: string | null
}

/**
 * Splits `[transport:]LOCATION[:NAME]`, by the rules of image arguments. Errors: USAGE for an empty part, a digest or a
 * name that no index may hold; UNSUPPORTED for a transport that is not written.
 */
export function parseDestinationArgument(
  argument: string,
  options: { readonly exists: (path: string) => boolean },
): DestinationArgument {
  const exists = (path: string): boolean => path === '-' || options.exists(path)
  if (argument === '') throw destinationUsage('Cannot write an image: its path is empty')
  if (!exists(argument) && elsewhere.test(argument)) throw notWritten(argument, 'not registries or stores')
  const { transport, rest } = exists(argument) ? { transport: null, rest: argument } : splitTransport(argument)
  if (transport === 'dir') throw notWritten(argument, 'not the dir form of skopeo')
  const { location, suffix } = splitLocation(rest, exists)
  if (suffix === '') return { transport, location, name: null }
  const name = suffix.slice(1)
  if (suffix.startsWith('@') || !nameGrammar.test(name)) {
    throw destinationUsage(`Cannot write ${quote(argument)}: ${quote(name)} cannot be the name of an image`)
  }
  return { transport, location, name }
}

/** What image-spec annotations.md allows for org.opencontainers.image.ref.name. */
const nameGrammar = /^[A-Za-z0-9]+(?:(?:--|[-._:@/+])[A-Za-z0-9]+)*$/

function notWritten(argument: string, what: string): OvlError {
  return new OvlError('UNSUPPORTED', `Cannot write ${quote(argument)}: ovl writes image files, ${what}`, {
    hint: 'write oci:DIRECTORY, oci-archive:FILE or docker-archive:FILE; other tools take it from there',
  })
}

function destinationUsage(message: string): OvlError {
  return new OvlError('USAGE', message, { hint: 'images are written to PATH or PATH:TAG' })
}

function splitTransport(argument: string): { readonly transport: Transport | null; readonly rest: string } {
  const transport = transports.find(name => argument.startsWith(`${name}:`))
  if (transport !== undefined) {
    const rest = argument.slice(transport.length + 1)
    if (rest === '') throw usage(`Cannot open ${quote(argument)}: there is no path after the transport`)
    return { transport, rest }
  }
  if (elsewhere.test(argument)) {
    throw new OvlError(
      'UNSUPPORTED',
      `Cannot open ${quote(argument)}: ovl reads image files, not registries or stores`,
      {
        hint: `copy it to a file first, for example: skopeo copy ${escapeControls(argument)} oci-archive:image.tar`,
      },
    )
  }
  return { transport: null, rest: argument }
}

/** The location, and what follows it from its ":" or "@" on. */
function splitLocation(
  text: string,
  exists: (path: string) => boolean,
): { readonly location: string; readonly suffix: string } {
  if (exists(text)) return { location: text, suffix: '' }
  const cuts = [...text.matchAll(/[:@]/g)].map(match => match.index).filter(at => at > 0 && at < text.length)
  const cut = cuts.findLast(at => isSuffix(text.slice(at)) && exists(text.slice(0, at)))
  // When nothing exists, the first cut makes the path that the message names.
  const at = cut ?? cuts.find(each => isSuffix(text.slice(each))) ?? text.length
  return { location: text.slice(0, at), suffix: text.slice(at) }
}

/** `:REF`, `:REF@DIGEST`, `:@N` or `@DIGEST`. */
function isSuffix(suffix: string): boolean {
  return suffix.startsWith(':') || isDigest(suffix.slice(1))
}

/** Reads `:REF[@DIGEST]`, `@DIGEST`, or the bare REF of `--ref`; '' selects nothing. */
function parseSelector(text: string, shown: string): Selector {
  const none: Selector = { name: null, position: null, digest: null }
  if (text === '') return none
  const bare = text.startsWith(':') ? text.slice(1) : text
  if (bare === '') throw usage(`Cannot open ${quote(shown)}: the reference after the colon is empty`)
  if (isDigest(bare) && /^(?:sha256|sha512):/.test(bare)) return { ...none, digest: bare }
  const at = bare.lastIndexOf('@')
  if (at < 0) return { ...none, name: bare }
  const after = bare.slice(at + 1)
  if (at === 0 && /^[0-9]{1,9}$/.test(after)) return { ...none, position: Number(after) }
  if (!isDigest(after)) throw usage(`Cannot open ${quote(shown)}: ${quote(after)} is neither a number nor a digest`)
  return { ...none, name: at === 0 ? null : bare.slice(0, at), digest: after }
}

function usage(message: string): OvlError {
  return new OvlError('USAGE', message, { hint: 'images are named PATH, PATH:TAG, PATH:@NUMBER or PATH@DIGEST' })
}
