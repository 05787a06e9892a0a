import type { HistoryEntry } from './config.ts'

/** History matched to layers. */
export type LayerHistory = {
  /** One per layer, base first; null where the history does not tell. */
  readonly byLayer: readonly (HistoryEntry | null)[]
  /** What is odd about the history, for a warning; null when all is well. */
  readonly problem: string | null
}

/**
 * Which history entry made which layer: entries without `empty_layer`, in order. History is optional (config.md), so
 * one that does not fit the layers is reported and left out, not refused.
 */
export function mapHistory(history: readonly HistoryEntry[], layerCount: number): LayerHistory {
  const filled = history.filter(entry => !entry.emptyLayer)
  if (filled.length === layerCount) return { byLayer: filled, problem: null }
  const problem =
    history.length === 0 ? null : `the history tells of ${filled.length} layers, the image has ${layerCount}`
  return { byLayer: Array.from({ length: layerCount }, () => null), problem }
}
