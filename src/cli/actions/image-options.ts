import type { ImageOptions } from '../../commands/index.ts'
import { OvlError, quote } from '../../errors/index.ts'
import type { Session } from '../session.ts'
import type { Call } from '../spec.ts'
import { layerTask } from './layer-task.ts'

/** How the image of this call is opened and read. */
export function readImageOptions({ flags }: Call, session: Session): ImageOptions {
  const ref = flags.text('--ref')
  const platform = flags.text('--platform')
  return {
    ...(ref === undefined ? {} : { ref }),
    ...(platform === undefined ? {} : { platform }),
    limits: session.settings.limits,
    warn: session.warnings.warn,
    signal: session.interruption.signal,
    letGo: run => session.interruption.letGo(run),
    onReading: (layer, uncompressedBytes) => session.progress.showOnly(layerTask(layer, uncompressedBytes)),
  }
}

/** The value of --layer. Errors: USAGE unless it is a whole number. */
export function readLayerNumber({ flags }: Call): { readonly layer?: number } {
  const text = flags.text('--layer')
  if (text === undefined) return {}
  if (/^\d{1,9}$/.test(text)) return { layer: Number(text) }
  throw new OvlError('USAGE', `--layer takes a number (1 is the base layer), not ${quote(text)}`, {
    data: { value: text },
  })
}

/** The positional argument at `index`, which the parser has checked to be there. */
export function argumentAt({ positionals }: Call, index: number): string {
  const argument = positionals[index]
  if (argument === undefined) throw new Error(`no argument ${index}`)
  return argument
}
