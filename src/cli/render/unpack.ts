import type { UnpackedImage, UnpackReport } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import { formatPlatform } from '../../oci/index.ts'
import { jsonName } from '../../path/index.ts'
import { countText, durationText, octalMode, shortDigest, sizeText } from '../wording.ts'
import { platformToJson } from './config.ts'

type UnpackedLayer = UnpackReport['layers'][number]

/** The line before the work: what the image was taken for. */
export function unpackHeadline(image: UnpackedImage): string {
  const parts = [
    image.transport,
    ...image.names.slice(0, 1),
    formatPlatform(image.platform),
    countText(image.layerCount, 'layer'),
    sizeText(image.storedBytes),
  ]
  return `${escapeControls(image.location)}: ${parts.map(escapeControls).join(', ')}`
}

/** The line when a layer is done. */
export function layerLine(
  { number, diffID, uncompressedBytes, counts }: UnpackedLayer,
  of: number,
  noTrunc: boolean,
): string {
  const width = String(of).length
  const parts = [
    `${String(number).padStart(width)}/${of}`,
    shortDigest(diffID, noTrunc),
    sizeText(uncompressedBytes).padStart(10),
    countText(counts.entries, 'entry', 'entries').padStart(13),
    ...(counts.whiteouts === 0 ? [] : [countText(counts.whiteouts, 'whiteout')]),
    ...(counts.opaques === 0 ? [] : [countText(counts.opaques, 'opaque directory', 'opaque directories')]),
  ]
  return `  ${parts.join('  ')}`
}

/** The lines after the work. */
export function renderUnpacked(report: UnpackReport, elapsedMs: number): string[] {
  const { bundle, image, hasConfig, notKept } = report
  const config = hasConfig ? `config.json for ${escapeControls(formatPlatform(image.platform))}` : 'no config.json'
  const recorded = recordedText(notKept)
  return [
    `bundle ready: ${escapeControls(bundle)}  (${contentText(report)}; ${config})   ${durationText(elapsedMs)}`,
    ...(recorded === '' ? [] : [`recorded in ovl.json: ${recorded}`]),
    ...(hasConfig ? [`next: ${nextCommand(report)}`] : []),
  ]
}

function contentText({ mode, merged, layers }: UnpackReport): string {
  if (merged !== null) return `merged: ${countText(merged.entries, 'entry', 'entries')}, ${sizeText(merged.bytes)}`
  const bytes = layers.reduce((sum, { counts }) => sum + counts.bytes, 0)
  return `${mode === 'native' ? 'mounted: ' : ''}${countText(layers.length, 'layer')}, ${sizeText(bytes)} of files`
}

/** The JSON of `ovl unpack`. */
export function unpackedToJson(report: UnpackReport): { readonly [key: string]: Json } {
  const { bundle, mode, hasConfig, rootless, notKept } = report
  return {
    image: unpackedImageToJson(report.image),
    bundle,
    mode,
    merged: report.merged === null ? null : { ...report.merged },
    config: hasConfig,
    rootless,
    layers: report.layers.map(({ counts, ...layer }) => ({ ...layer, ...counts })),
    notKept: notKeptToJson(notKept),
  }
}

/** The image of an unpack, for JSON. */
export function unpackedImageToJson({ platform, names, ...image }: UnpackedImage): Json {
  return { ...image, names: [...names], platform: platformToJson(platform) }
}

function recordedText({ owners, files, xattrs }: UnpackReport['notKept']): string {
  const parts = [
    ...(owners.length === 0 ? [] : [`owners of ${countText(owners.length, 'file')}`]),
    ...(files.length === 0 ? [] : [countText(files.length, 'device or FIFO', 'devices and FIFOs')]),
    ...(xattrs.length === 0 ? [] : [`extended attributes of ${countText(xattrs.length, 'file')}`]),
  ]
  return parts.join(', ')
}

function notKeptToJson({ owners, files, xattrs }: UnpackReport['notKept']): Json {
  return {
    owners: owners.map(({ path, uid, gid }) => ({ path: jsonName(path), uid, gid })),
    files: files.map(({ path, mode, was }) => ({ path: jsonName(path), mode: octalMode(mode), was: { ...was } })),
    xattrs: xattrs.map(({ path, names }) => ({ path: jsonName(path), names: names.map(jsonName) })),
  }
}

function nextCommand({ bundle, rootless, image }: UnpackReport): string {
  return `runc ${rootless ? '--root ~/run ' : ''}run -b ${shellWord(bundle)} ${containerName(image.names[0] ?? '', bundle)}`
}

/** A name for the container: the last part of the repository, or else of the bundle's path. */
function containerName(imageName: string, bundle: string): string {
  const isRepository = /[/:]/.test(imageName) // an OCI layout may give a bare tag
  const text = isRepository
    ? (imageName.split('/').at(-1)?.split(/[:@]/)[0] ?? '')
    : (bundle.split('/').findLast(Boolean) ?? '')
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9_.-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
  return name === '' ? 'demo' : name
}

/** A word that a shell takes as it is, in quotes where it needs them. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${escapeControls(text).replaceAll("'", `'\\''`)}'`
}
