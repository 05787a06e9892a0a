// Finds and opens the directories that an option string names, and says which one is missing and why.
import fs from 'node:fs'
import { quote } from '../errors/index.ts'
import { hostPath, type Mount } from '../host/index.ts'
import {
  cannotOpen,
  escapeLower,
  type LayerRole,
  notADirectory,
  type OverlayOptions,
  refusal,
  shown,
} from '../overlay/index.ts'
import { openDirectory, type OpenDirectory } from './directory.ts'

/** A directory and its part in the overlay. */
export type OpenLayer = OpenDirectory & { readonly role: LayerRole }

/** All directories of an overlay, open. */
export type OpenLayers = {
  /** Top-most first. */
  readonly lower: readonly OpenLayer[]
  readonly data: readonly OpenLayer[]
  readonly upper: OpenLayer | null
  readonly work: OpenLayer | null
  close(): void
}

/** What the checks know besides the directories. */
export type LayerContext = { readonly mounts: readonly Mount[]; readonly target: string | null }

/**
 * Opens every directory, in the order of the kernel's own checks.
 *
 * Errors: OVL_LOWER_NOT_FOUND, OVL_UPPER_NOT_FOUND, OVL_WORKDIR_NOT_FOUND, OVL_NOT_A_DIRECTORY, OVL_LAYER_UNREACHABLE,
 * OVL_UNESCAPED_COLON; nothing stays open then.
 */
export function openLayers(options: OverlayOptions, context: LayerContext): OpenLayers {
  const opened: OpenLayer[] = []
  const close = (): void => {
    for (const { fd } of opened.splice(0)) fs.closeSync(fd)
  }
  const open = (role: LayerRole, path: string): OpenLayer => {
    const layer = openLayer(role, path, { ...context, options })
    opened.push(layer)
    return layer
  }
  try {
    for (const { role, path } of options.replaced) open(role, path)
    close()
    return {
      lower: options.lower.map(path => open('lowerdir', path)),
      data: options.data.map(path => open('datadir', path)),
      upper: options.upper === null ? null : open('upperdir', options.upper),
      work: options.work === null ? null : open('workdir', options.work),
      close,
    }
  } catch (error) {
    close()
    throw error
  }
}

/** Every directory of the overlay, in the order of the option string. */
export function allLayers({ lower, data, upper, work }: OpenLayers): readonly OpenLayer[] {
  return [...lower, ...data, ...(upper === null ? [] : [upper]), ...(work === null ? [] : [work])]
}

/** `upperdir  up  ext4  /dev/vda  (mount 24)`, in columns. */
export function layerFacts(layers: readonly OpenLayer[]): string[] {
  const rows = layers.map(({ role, path, mount }) => [
    role,
    shown(path),
    mount?.type ?? '?',
    shown(mount?.source ?? '?'),
    `(mount ${mount?.id ?? 'unknown'})`,
  ])
  const widths = [0, 1, 2, 3, 4].map(column => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** The same for programs. */
export function layerData(layers: readonly OpenLayer[]): { readonly [key: string]: string | number | null }[] {
  return layers.map(({ role, path, mount }) => ({
    role,
    path,
    type: mount?.type ?? null,
    source: mount?.source ?? null,
    mount: mount?.id ?? null,
  }))
}

type OpenContext = LayerContext & { readonly options: OverlayOptions }

function openLayer(role: LayerRole, path: string, context: OpenContext): OpenLayer {
  try {
    const directory = openDirectory(path, context.mounts)
    if (directory.isDirectory) return { ...directory, role }
    fs.closeSync(directory.fd)
  } catch (error) {
    throw openError(error, { role, path }, context)
  }
  throw notADirectory({ role, path }, context.target)
}

type Wanted = { readonly role: LayerRole; readonly path: string }

function openError(error: unknown, { role, path }: Wanted, { options, target }: OpenContext): unknown {
  const { code: errno = '', errno: number = 0 } = error as NodeJS.ErrnoException
  if (errno === 'ENOENT' || errno === 'ENOTDIR') {
    const joined = role === 'lowerdir' ? findJoined(path, options.lower) : null
    if (joined !== null) return unescapedColon(path, joined, target)
  }
  return cannotOpen({ role, path }, { errno, number, target, cause: error }) ?? error
}

/** Neighbours of a lowerdir that give an existing directory once the colons between them are put back. */
function findJoined(path: string, lower: readonly string[]): string | null {
  const at = lower.indexOf(path)
  for (let count = 2; count <= 4; count++) {
    for (let first = Math.max(0, at - count + 1); first <= at && first + count <= lower.length; first++) {
      const joined = lower.slice(first, first + count).join(':')
      if (fs.statSync(hostPath(joined), { throwIfNoEntry: false })?.isDirectory() === true) return joined
    }
  }
  return null
}

function unescapedColon(path: string, joined: string, target: string | null): Error {
  const fact = `lowerdir ${shown(path)} does not exist, but ${quote(joined)} does: the colon separates layers`
  return refusal('OVL_UNESCAPED_COLON', fact, {
    errno: 'ENOENT',
    kernel: `failed to resolve '${path}': -2`,
    hint: `write it as ${escapeLower(joined)}`,
    target,
    data: { role: 'lowerdir', path, joined },
  })
}
