import type { Limits, Warn } from '../errors/index.ts'
import type { Image, Layer } from '../image/index.ts'

/** Which image, and how it is read: the same for every command that takes IMAGE. */
export type ImageOptions = {
  /** Tag, name, digest or `@N` inside the input, as --ref gives it. */
  readonly ref?: string
  /** `os/architecture[/variant]`. */
  readonly platform?: string
  readonly limits: Limits
  readonly warn: Warn
  /** Aborted when the user asks to stop. */
  readonly signal: AbortSignal
  /** Runs what neither waits nor writes: a signal ends the process meanwhile. */
  readonly letGo?: LetGo
  /** Called when a layer begins to be read, and where it is known, with the bytes that have come out of it. */
  readonly onReading?: (layer: Layer, uncompressedBytes: number) => void
}

/** Runs a function at once. */
export type LetGo = <T>(run: () => T) => T

/** Where nobody listens for signals there is nothing to do about them. */
export const justRun: LetGo = run => run()

/** Reports each layer as the one before it is done: `readImageTree` tells only of layers that are done. */
export function reportReading(image: Image, { onReading }: ImageOptions): (done: Layer) => void {
  const report = (layer: Layer | undefined): void => {
    if (layer !== undefined) onReading?.(layer, 0)
  }
  report(image.layers[0])
  return done => report(image.layers[done.number])
}
