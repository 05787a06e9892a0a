import type { ListedEntry } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import type { TreeInode } from '../../layer/index.ts'
import { jsonName } from '../../path/index.ts'
import type { Meaning } from '../style.ts'
import { renderTable } from '../table.ts'
import { modeText, octalMode, timeText } from '../wording.ts'
import type { View } from './view.ts'

const letters: Readonly<Record<TreeInode['kind'], string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  charDevice: 'c',
  blockDevice: 'b',
  fifo: 'p',
}

const signs = { added: '+', replaced: '~', removed: '-' } as const
const meanings: Readonly<Record<keyof typeof signs, Meaning>> = {
  added: 'added',
  replaced: 'changed',
  removed: 'deleted',
}

/** One line per entry: sign, mode, owner, size, with -v the time, path. */
export function renderListing(entries: readonly ListedEntry[], view: View): string[] {
  const hasSigns = entries.some(entry => entry.change !== undefined)
  const hasTimes = view.verbosity > 0
  const rows = entries.map(entry => [
    ...(hasSigns ? [signText(entry, view)] : []),
    ...attributeCells(entry, view),
    ...(hasTimes ? [timeText(entry.inode.attributes.mtimeSec, entry.inode.attributes.mtimeNsec)] : []),
    pathText(entry, view),
  ])
  return renderTable([...(hasSigns ? [{}] : []), {}, {}, { align: 'right' }, ...(hasTimes ? [{}] : []), {}], rows)
}

/** The JSON of `ovl ls`. */
export function listingToJson(entries: readonly ListedEntry[]): { readonly [key: string]: Json } {
  return { entries: entries.map(entryToJson) }
}

function signText({ change }: ListedEntry, { style }: View): string {
  return change === undefined ? ' ' : style(meanings[change], signs[change])
}

function attributeCells({ inode, change, by }: ListedEntry, { style }: View): string[] {
  if (change === 'removed' && by !== undefined) return [style('marker', by), '', '']
  const { mode, uid, gid } = inode.attributes
  return [modeText(letters[inode.kind], inode.kind === 'symlink' ? 0o777 : mode), `${uid}:${gid}`, sizeCell(inode)]
}

function sizeCell(inode: TreeInode): string {
  if (inode.kind === 'file') return String(inode.size)
  return inode.kind === 'charDevice' || inode.kind === 'blockDevice' ? `${inode.major},${inode.minor}` : '-'
}

function pathText({ path, inode, layer, change, hiddenBy }: ListedEntry, { style }: View): string {
  const name = escapeControls(path === '' ? '.' : path)
  const target =
    inode.kind === 'symlink' && hiddenBy === undefined && change !== 'removed'
      ? ` -> ${escapeControls(inode.target)}`
      : ''
  if (hiddenBy === undefined) return name + target
  const what = change === 'replaced' ? 'replaced' : 'removed'
  return `${name}   ${style('marker', `layer ${layer}, ${what} by layer ${hiddenBy}`)}`
}

function entryToJson({ path, inode, layer, change, by, hiddenBy }: ListedEntry): Json {
  const { mode, uid, gid, mtimeSec, mtimeNsec, xattrs } = inode.attributes
  return {
    path: jsonName(path),
    type: inode.kind,
    mode: octalMode(mode),
    uid,
    gid,
    mtime: timeText(mtimeSec, mtimeNsec),
    ...(xattrs === null
      ? {}
      : { xattrs: [...xattrs].map(([name, value]) => ({ name: jsonName(name), base64: base64(value) })) }),
    ...(inode.kind === 'file' ? { sizeBytes: inode.size } : {}),
    ...(inode.kind === 'symlink' ? { target: jsonName(inode.target) } : {}),
    ...(inode.kind === 'charDevice' || inode.kind === 'blockDevice' ? { major: inode.major, minor: inode.minor } : {}),
    ...(inode.links > 1 ? { links: inode.links } : {}),
    layer,
    ...(change === undefined ? {} : { change }),
    ...(by === undefined ? {} : { by }),
    ...(hiddenBy === undefined ? {} : { hiddenBy }),
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
