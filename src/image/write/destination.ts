// Where an image is written to: a form, a place and a name, from an argument and from what is there already.

import { lstatSync, type Stats, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { escapeControls, isCode, OvlError } from '../../errors/index.ts'
import { hostPath } from '../../host/index.ts'
import { parseDestinationArgument, type WrittenTransport } from '../argument.ts'
import { type ImageName, readRepoTag } from './names.ts'

/** A place for an image. */
export type ImageDestination = {
  readonly transport: WrittenTransport
  /** As the user gave it, for messages. */
  readonly shownAs: string
  /** Absolute; null is standard output. */
  readonly path: string | null
  /** The name that the user wants; null keeps those that the image has. */
  readonly name: ImageName | null
}

/**
 * Reads `[transport:]LOCATION[:NAME]`. Without a transport an existing directory is an OCI layout, and what does not
 * exist becomes one unless its name ends in ".tar": that is an OCI archive.
 *
 * Errors: those of `parseDestinationArgument`; USAGE for standard output without the form of an archive, and for a name
 * that a docker-archive cannot hold; INPUT_NOT_FOUND when the directory around it does not exist; DEST_EXISTS when a file
 * stands where a directory is to be, or the other way round.
 */
export function readDestination(argument: string): ImageDestination {
  const {
    transport: asked,
    location,
    name,
  } = parseDestinationArgument(argument, { exists: path => statOf(path) !== null })
  const stat = location === '-' ? null : statOf(location)
  const transport = asked ?? (stat?.isDirectory() === true || !location.endsWith('.tar') ? 'oci' : 'oci-archive')
  const destination: ImageDestination = {
    transport,
    shownAs: escapeControls(location === '-' ? 'standard output' : location),
    path: location === '-' ? null : resolve(location),
    name: name === null ? null : transport === 'docker-archive' ? readRepoTag(name) : { refName: name, fullName: null },
  }
  checkPlace(destination, { isAsked: asked !== null, stat })
  return destination
}

type Found = { readonly isAsked: boolean; readonly stat: { isDirectory(): boolean } | null }

function checkPlace({ transport, shownAs, path }: ImageDestination, { isAsked, stat }: Found): void {
  if (path === null) {
    if (isAsked && transport !== 'oci') return
    throw new OvlError('USAGE', 'Cannot write an image to standard output without knowing its form', {
      hint: 'write oci-archive:- or docker-archive:-',
    })
  }
  const parent = dirname(path)
  if (statOf(parent)?.isDirectory() !== true) {
    throw new OvlError(
      'INPUT_NOT_FOUND',
      `Cannot write ${shownAs}: the directory ${escapeControls(parent)} does not exist`,
      {
        data: { path: parent },
      },
    )
  }
  if (stat === null || stat.isDirectory() === (transport === 'oci')) return
  const fact = transport === 'oci' ? 'it is a file, and an OCI layout is a directory' : 'it is a directory'
  throw new OvlError('DEST_EXISTS', `Cannot write ${shownAs} as ${transport}: ${fact}`, { data: { path: shownAs } })
}

function statOf(path: string): Stats | null {
  try {
    // A link that leads nowhere is in the way as well.
    return statSync(hostPath(path), { throwIfNoEntry: false }) ?? lstatSync(hostPath(path))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].some(code => isCode(error, code))) return null
    throw error
  }
}
