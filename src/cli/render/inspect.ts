import type { InspectedLayer, Inspection } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import { formatPlatform } from '../../oci/index.ts'
import { renderTable } from '../table.ts'
import { digestText, sizeText } from '../wording.ts'
import { configToJson, platformToJson } from './config.ts'
import type { View } from './view.ts'

const shownTags = 10

/** The lines of `ovl inspect`. */
export function renderInspection(inspection: Inspection, view: View): string[] {
  const { source, manifest, config, layers } = inspection
  const size = source.archiveBytes === null ? '' : ` (${sizeText(source.archiveBytes)})`
  const head = [escapeControls(source.location), `${source.transport}${size}`, tagsText(inspection.names)]
  const type = escapeControls(manifest?.mediaType ?? 'no media type')
  const rows = [
    ...(manifest === null ? [] : [['manifest', digestText(manifest.digest, view.noTrunc), type]]),
    ['config', digestText(config.digest, view.noTrunc), configText(inspection)],
    ...(view.verbosity > 0 ? detailRows(inspection) : []),
    ['layers', String(layers.length), layerSizesText(layers)],
  ]
  const layerColumns = [{ align: 'right' }, {}, { align: 'right' }, {}] as const
  return [
    head.join('   '),
    ...renderTable([{}, {}, {}], rows),
    ...(view.verbosity > 0
      ? renderTable(
          layerColumns,
          layers.map(layer => layerRow(layer, view)),
        )
      : []),
  ]
}

/** The JSON of `ovl inspect`. */
export function inspectionToJson(inspection: Inspection): { readonly [key: string]: Json } {
  const { source, config } = inspection
  return {
    source: { transport: source.transport, location: source.location, archiveBytes: source.archiveBytes },
    names: [...inspection.names],
    platform: platformToJson(inspection.platform),
    indexes: inspection.indexes.map(index => ({ ...index })),
    manifest: inspection.manifest === null ? null : { ...inspection.manifest },
    config: {
      digest: config.digest,
      mediaType: config.mediaType,
      sizeBytes: config.sizeBytes,
      ...configToJson(config.parsed),
    },
    layers: inspection.layers.map(layer => ({ ...layer })),
  }
}

function tagsText(names: readonly string[]): string {
  if (names.length === 0) return 'no tags'
  const shown = names.slice(0, shownTags).map(escapeControls).join(', ')
  return `tags: ${shown}${names.length > shownTags ? ` and ${names.length - shownTags} more` : ''}`
}

function configText({ platform, config }: Inspection): string {
  const { process, created } = config.parsed
  const words = [
    escapeControls(formatPlatform(platform)),
    `created ${created === null ? '–' : escapeControls(created)}`,
    `Entrypoint ${listText(process.entrypoint)}`,
    `Cmd ${listText(process.cmd)}`,
    `Env ${process.env.length === 0 ? '–' : process.env.length}`,
  ]
  return words.join('  ')
}

/** What a container of the image would get, for -v. */
function detailRows({ config }: Inspection): string[][] {
  const { user, workingDir, env, exposedPorts, volumes, labels, stopSignal } = config.parsed.process
  const rows: (readonly [string, readonly string[]])[] = [
    ['User', user === '' ? [] : [user]],
    ['WorkingDir', workingDir === '' ? [] : [workingDir]],
    ['Env', env],
    ['ExposedPorts', exposedPorts],
    ['Volumes', volumes],
    ['Labels', [...labels].map(([key, value]) => `${key}=${value}`)],
    ['StopSignal', stopSignal === '' ? [] : [stopSignal]],
  ]
  return rows.flatMap(([name, values]) => values.map((value, i) => ['', i === 0 ? name : '', escapeControls(value)]))
}

function listText(words: readonly string[]): string {
  return words.length === 0 ? '–' : escapeControls(JSON.stringify(words))
}

function layerSizesText(layers: readonly InspectedLayer[]): string {
  const missing = layers.filter(layer => layer.compression === null).length
  const bytes = layers.reduce((sum, layer) => sum + (layer.sizeBytes ?? 0), 0)
  const kinds = [...new Set(layers.flatMap(layer => layer.compression ?? []))]
  const how = kinds.every(kind => kind === 'none') ? 'not compressed' : kinds.join(', ')
  return `${sizeText(bytes)} ${how}${missing === 0 ? '' : `, ${missing} missing`}`
}

function layerRow(layer: InspectedLayer, view: View): string[] {
  const digest = layer.digest ?? layer.diffID
  return [
    `  ${layer.number}`,
    digest === null ? '–' : digestText(digest, view.noTrunc),
    layer.sizeBytes === null ? 'missing' : sizeText(layer.sizeBytes),
    escapeControls(layer.mediaType ?? layer.compression ?? 'missing'),
  ]
}
