import type { Limits, Warn } from '../errors/index.ts'
import { type Image, openImage } from '../image/index.ts'

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
}

/** Opens an image, hands it to `use` and closes it whatever happens. Errors: those of `openImage` and of `use`. */
export async function withImage<T>(
  argument: string,
  options: ImageOptions & { readonly allowMissingLayers?: boolean },
  use: (image: Image) => T | Promise<T>,
): Promise<T> {
  const image = await openImage(argument, options)
  try {
    return await use(image)
  } finally {
    image.close()
  }
}
