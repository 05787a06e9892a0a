import type { CommandSpec } from '../spec.ts'
import { writeFlags } from './commit.ts'
import { imageArgument, imageFlags } from './image-flags.ts'

/** `ovl squash`. */
export const squashSpec: CommandSpec = {
  name: 'squash',
  group: 'Images',
  summary: 'all layers of an image into one',
  description:
    'Writes the image with one layer, which holds what the layers show together: what later layers hide is not in it. The config stays but for the layers; the steps of the history stay, as steps without a layer. OUT is [oci|oci-archive|docker-archive:]PATH[:TAG], as for ovl copy. Prints the digest of the manifest (of the config for a docker-archive) and nothing else.',
  arguments: [imageArgument, { name: 'OUT', text: 'where the new image is written' }],
  flags: [...imageFlags, ...writeFlags],
  examples: [
    { command: 'ovl squash image.tar ./layout:flat', text: 'one layer, added to a layout' },
    { command: 'ovl squash --epoch 0 ./layout:1 oci-archive:flat.tar', text: 'the same bytes each time' },
    { command: 'ovl squash --compress zstd image.tar ./layout:small', text: 'the layer compressed with zstd' },
  ],
  load: async () => (await import('../actions/squash.ts')).squashAction,
}
