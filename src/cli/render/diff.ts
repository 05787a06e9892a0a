import type { DiffReport } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import { jsonName } from '../../path/index.ts'
import type { Change, ChangeTime } from '../../layer/index.ts'
import { countText, octalMode, sizeText, timeText, typeNames } from '../wording.ts'
import type { View } from './view.ts'

/** Details begin in one column, unless a path is longer than this. */
const widestPath = 40

/** A line for each change: letter, path, and what is different about it. */
export function renderDiff({ changes }: Pick<DiffReport, 'changes'>, { style }: View): string[] {
  const rows = changes.map(change => ({ change, path: pathText(change), details: detailsOf(change) }))
  const widths = rows.flatMap(({ path, details }) => (details === '' || path.length > widestPath ? [] : path.length))
  const width = widths.reduce((most, each) => Math.max(most, each), 0)
  return rows.map(({ change, path, details }) => {
    const text = details === '' ? path : `${path.padEnd(width)}  ${style('marker', details)}`
    return `${letterOf(change, style)} ${text}`
  })
}

const letters = { added: 'A', changed: 'C', deleted: 'D', renamed: 'R' } as const

function letterOf({ kind }: Change, style: View['style']): string {
  return style(kind === 'renamed' ? 'changed' : kind, letters[kind])
}

function pathText({ path, from }: Change): string {
  const shown = `/${escapeControls(path)}`
  return from === undefined ? shown : `/${escapeControls(from)}  -> ${shown}`
}

function detailsOf(change: Change): string {
  const details = [...identityDetails(change), ...metadataDetails(change), ...overlayDetails(change)].join(', ')
  return change.metacopy === true ? `${details}${details === '' ? '' : ' '}(metadata only, metacopy)` : details
}

function identityDetails(change: Change): string[] {
  const { kind, typeBefore, content, target, device, from } = change
  const details: string[] = []
  if (from !== undefined) details.push('redirect')
  if (typeBefore !== undefined) details.push(`was a ${typeBefore === 'file' ? 'file' : typeNames[typeBefore]}`)
  if (content !== undefined && kind !== 'added') details.push(contentText(content))
  if (target !== undefined)
    details.push(`target ${escapeControls(target.before ?? '?')} -> ${escapeControls(target.after)}`)
  if (device !== undefined) details.push(`device ${deviceText(device.before)} -> ${deviceText(device.after)}`)
  return details
}

function contentText({ before, after }: NonNullable<Change['content']>): string {
  const more = after - (before ?? 0)
  return more === 0 ? 'content, same size' : `content ${more > 0 ? '+' : '-'}${countText(Math.abs(more), 'byte')}`
}

function deviceText(device: { readonly major: number; readonly minor: number } | null): string {
  return device === null ? '?' : `${device.major}:${device.minor}`
}

function metadataDetails(change: Change): string[] {
  const { mode, owner, time, xattrs } = change
  const details: string[] = []
  if (mode !== undefined) details.push(`mode ${octalMode(mode.before ?? 0)} -> ${octalMode(mode.after)}`)
  if (owner !== undefined) details.push(`owner ${ownerText(owner.before)} -> ${ownerText(owner.after)}`)
  if (xattrs !== undefined) {
    const all = [...signed('+', xattrs.added), ...signed('~', xattrs.changed), ...signed('-', xattrs.removed)]
    details.push(`xattrs ${all.join(' ')}`)
  }
  if (time !== undefined && !changesTime(change)) details.push('time')
  return details
}

function signed(sign: string, names: readonly string[]): string[] {
  return names.map(name => `${sign}${escapeControls(name)}`)
}

/** Another content comes with another time, and so do names that were made in a directory: that says nothing more. */
function changesTime({ content, target, isParent, opaque, hides }: Change): boolean {
  return content !== undefined || target !== undefined || isParent === true || opaque === true || hides !== undefined
}

function ownerText(owner: { readonly uid: number; readonly gid: number } | null): string {
  return owner === null ? '?' : `${owner.uid}:${owner.gid}`
}

function overlayDetails(change: Change): string[] {
  const { opaque, hides, links, linkTo, whiteout, hidesNothing, identical } = change
  const details: string[] = []
  const hidden = hides === undefined ? '' : `${countText(hides.length, 'lower entry', 'lower entries')} hidden`
  if (opaque === true) details.push(hidden === '' ? 'opaque' : `opaque: ${hidden}`)
  else if (hidden !== '') details.push(hidden)
  if (linkTo !== undefined) details.push(`hard link to /${escapeControls(linkTo)}`)
  else if (links === true) details.push('hard links')
  if (whiteout !== undefined) details.push(`whiteout${whiteoutForms[whiteout]}`)
  if (hidesNothing === true) details.push('hides nothing')
  if (identical === true) details.push('identical')
  return details
}

const whiteoutForms = { device: '', xattr: ' (xattr)', name: ' (.wh.)' } as const

/** Counts of changes and bytes. */
export function renderDiffStat({ changes }: Pick<DiffReport, 'changes'>, { style }: View): string[] {
  const stat = countChanges(changes)
  const row = (kind: Change['kind'], bytes: string): string => {
    const text = `${kind.padEnd(8)} ${String(stat[kind]).padStart(7)}`
    return style(kind === 'renamed' ? 'changed' : kind, bytes === '' ? text : `${text}  ${bytes}`)
  }
  const { addedBytes, changedBytes } = stat
  return [
    row('added', sizeText(addedBytes)),
    row('changed', changedBytes < 0 ? `-${sizeText(-changedBytes)}` : `+${sizeText(changedBytes)}`),
    row('deleted', ''),
    row('renamed', ''),
  ]
}

/** Counts of changes; bytes of files that are new, and by how much changed ones grew. */
export function countChanges(
  changes: readonly Change[],
): Record<Change['kind'] | 'addedBytes' | 'changedBytes', number> {
  const stat = { added: 0, changed: 0, deleted: 0, renamed: 0, addedBytes: 0, changedBytes: 0 }
  for (const change of changes) {
    stat[change.kind]++
    if (change.kind === 'added' && change.linkTo === undefined) stat.addedBytes += change.sizeBytes ?? 0
    else if (change.content !== undefined) stat.changedBytes += change.content.after - (change.content.before ?? 0)
  }
  return stat
}

/** JSON Lines: what was compared and the counts, then a line for each change. */
export function diffToJsonLines(report: DiffReport): string[] {
  const { isCompared, style, notes, saved, changes } = report
  const head: Json = {
    schema: 'ovl.diff/1',
    compared: isCompared,
    marks: style,
    notes: [...notes],
    ...(saved === null ? {} : { saved: jsonName(saved) }),
    stat: countChanges(changes),
  }
  return [head, ...changes.map(changeToJson)].map(line => JSON.stringify(line))
}

/** One change as JSON: paths begin with a slash, modes are octal strings, times RFC 3339. */
export function changeToJson(change: Change): { readonly [key: string]: Json } {
  const { path, kind, type, typeBefore, sizeBytes, content, mode, owner, time, target, device, xattrs } = change
  const { links, linkTo, opaque, hides, from, metacopy, whiteout, hidesNothing, identical, isParent } = change
  const fields: { readonly [key: string]: Json | undefined } = {
    path: jsonName(`/${path}`),
    kind,
    type,
    typeBefore,
    sizeBytes,
    from: from === undefined ? undefined : jsonName(`/${from}`),
    content: pair(content, bytes => bytes),
    mode: pair(mode, octalMode),
    owner: pair(owner, ({ uid, gid }) => ({ uid, gid })),
    time: pair(time, ({ sec, nsec }: ChangeTime) => timeText(sec, nsec)),
    target: pair(target, jsonName),
    device: pair(device, ({ major, minor }) => `${major}:${minor}`),
    xattrs: xattrs === undefined ? undefined : mapNames(xattrs),
    links,
    linkTo: linkTo === undefined ? undefined : jsonName(`/${linkTo}`),
    opaque,
    hides: hides?.map(jsonName),
    metacopy,
    whiteout,
    hidesNothing,
    identical,
    parent: isParent,
  }
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  )
}

function pair<Value>(
  both: { readonly before: Value | null; readonly after: Value } | undefined,
  show: (value: Value) => Json,
): Json | undefined {
  if (both === undefined) return undefined
  return { before: both.before === null ? null : show(both.before), after: show(both.after) }
}

function mapNames({ added, changed, removed }: NonNullable<Change['xattrs']>): Json {
  return { added: added.map(jsonName), changed: changed.map(jsonName), removed: removed.map(jsonName) }
}
