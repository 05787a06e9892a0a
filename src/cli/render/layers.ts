import type { LayerRow, LayersReport } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import { renderTable } from '../table.ts'
import { countText, shortDigest, sizeText } from '../wording.ts'
import { historyToJson } from './config.ts'
import type { View } from './view.ts'

const shownCommand = 60

/** The table of `ovl layers`, and what the signs mean. */
export function renderLayers({ layers }: LayersReport, view: View): string[] {
  const lines = renderTable(
    [
      { title: '#', align: 'right' },
      { title: 'DIFF ID' },
      { title: 'SIZE', align: 'right' },
      { title: '+', align: 'right' },
      { title: '~', align: 'right' },
      { title: '-', align: 'right' },
      { title: 'HIDDEN BY LATER LAYERS' },
      { title: 'CREATED BY' },
    ],
    layers.map(layer => layerCells(layer, view)),
  )
  return [...lines, ...legend(layers)]
}

/** The JSON of `ovl layers`. */
export function layersToJson({ layers, history }: LayersReport): { readonly [key: string]: Json } {
  return {
    layers: layers.map(layer => ({ ...layer, history: layer.history === null ? null : historyToJson(layer.history) })),
    history: history.map(historyToJson),
  }
}

function layerCells(layer: LayerRow, { noTrunc, style }: View): string[] {
  return [
    String(layer.number),
    layer.diffID === null ? '–' : shortDigest(layer.diffID, noTrunc),
    sizeText(layer.uncompressedBytes),
    style('added', countCell(layer.added)),
    style('changed', countCell(layer.replaced)),
    style('deleted', countCell(layer.removed)),
    layer.hiddenFiles === 0 ? '–' : `${countText(layer.hiddenFiles, 'file')}, ${sizeText(layer.hiddenBytes)}`,
    createdBy(layer, noTrunc),
  ]
}

function countCell(count: number): string {
  return count === 0 ? '-' : String(count)
}

function createdBy({ history }: LayerRow, noTrunc: boolean): string {
  const text = history?.createdBy || history?.comment
  if (text === null || text === undefined || text === '') return '–'
  const oneLine = escapeControls(text.replace(/\s+/g, ' ').trim())
  return noTrunc || oneLine.length <= shownCommand ? oneLine : `${oneLine.slice(0, shownCommand - 1)}…`
}

function legend(layers: readonly LayerRow[]): string[] {
  const line = '  + added  ~ replaced  - removed (whiteouts)'
  const wasteful = layers.filter(layer => layer.hiddenBytes > 0)
  if (wasteful.length === 0) return [line]
  const bytes = sizeText(wasteful.reduce((sum, layer) => sum + layer.hiddenBytes, 0))
  const names = wasteful.map(layer => layer.number).join(', ')
  const where = `${wasteful.length === 1 ? 'layer' : 'layers'} ${names}`
  return [line, `  ${bytes} of ${where} cannot be seen in the merged tree but are still in the image`]
}
