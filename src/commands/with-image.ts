// An image for as long as something is done with it. In a file of its own: who only may need one loads it when it does.
import { type Image, openImage } from '../image/index.ts'
import type { ImageOptions } from './image-options.ts'

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
