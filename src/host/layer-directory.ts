// A directory as one layer of an overlay: what overlayfs reads from the disk, names and attributes, and nothing else.
import fs from 'node:fs'
import { isCode } from '../errors/index.ts'
import type { LayerName, LayerNode, LayerReader } from '../overlay/index.ts'
import { hostPath, ovlName } from './host-path.ts'
import type { System } from './system/system.ts'

/** How a layer is read. */
export type LayerDirectoryOptions = {
  readonly system: System
  /** Marks are below `user.overlay.` instead of `trusted.overlay.`. */
  readonly userxattr: boolean
  /** Told about every path that cannot be looked at or listed, with the name of the errno. */
  readonly onUnreadable: (path: string, errno: string) => void
}

/** Reads the layer in a directory; the files may change meanwhile, nothing is kept. */
export function openLayerDirectory(root: string, options: LayerDirectoryOptions): LayerReader {
  const attempt = <Result>(path: string, read: (host: string) => Result): Result | null => {
    try {
      return read(path === '' ? root : `${root}/${path}`)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === undefined) throw error
      if (code !== 'ENOENT' && code !== 'ENOTDIR') options.onUnreadable(path, code)
      return null
    }
  }
  return {
    look: path => attempt(path, host => readNode(host, path === '', options)),
    list: path => attempt(path, listNames) ?? [],
  }
}

/** The root may be given as a symlink, as in mount options. */
function readNode(host: string, isRoot: boolean, options: LayerDirectoryOptions): LayerNode {
  const stat = isRoot ? fs.statSync(hostPath(host)) : fs.lstatSync(hostPath(host))
  const type = stat.isDirectory()
    ? 'directory'
    : stat.isFile()
      ? 'file'
      : stat.isCharacterDevice() && stat.rdev === 0
        ? 'whiteout'
        : 'other'
  return { type, sizeBytes: stat.size, ...readMarks(isRoot ? `${host}/.` : host, options) }
}

/** Attributes that mean something, by the name behind the prefix; others of their kind are state, not marks. */
const meaningful = /^(?:trusted\.overlay|user\.overlay|user\.fuseoverlayfs)\.(?:opaque|redirect|metacopy|whiteout)$/

function readMarks(
  host: string,
  { system, userxattr }: LayerDirectoryOptions,
): Pick<LayerNode, 'marks' | 'otherMarks'> {
  const prefix = userxattr ? 'user.overlay.' : 'trusted.overlay.'
  const marks = new Map<string, Uint8Array>()
  const otherMarks: string[] = []
  for (const name of listAttributes(host, system)) {
    if (name.startsWith(prefix)) marks.set(name.slice(prefix.length), system.lgetxattr(host, name))
    else if (meaningful.test(name)) otherMarks.push(name)
  }
  return { marks, otherMarks }
}

function listAttributes(host: string, system: System): readonly string[] {
  try {
    return system.llistxattr(host)
  } catch (error) {
    if (isCode(error, 'ENOTSUP')) return [] // a file system without attributes
    throw error
  }
}

function listNames(host: string): readonly LayerName[] {
  const entries = fs.readdirSync(hostPath(host), { withFileTypes: true, encoding: 'buffer' as BufferEncoding })
  return entries.map(entry => ({
    name: ovlName(entry.name as unknown as Uint8Array),
    isDirectory: entry.isDirectory(),
  }))
}
