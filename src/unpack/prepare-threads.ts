import { availableParallelism } from 'node:os'
import { prepareLayerThreads } from './layer-threads.ts'
import { prepareWriter } from './writer.ts'

/** Few images have many large layers. */
const mostPrepared = 4

/** Starts the threads that an unpack of this form is going to need, while the image is still to be opened. */
export function prepareThreadsFor(mode: 'flat' | 'layers'): void {
  if (mode === 'flat') prepareWriter()
  else prepareLayerThreads(Math.min(availableParallelism(), mostPrepared))
}
