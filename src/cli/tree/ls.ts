import type { CommandSpec } from '../spec.ts'
import { imageArgument, imageFlags } from './image-flags.ts'

/** `ovl ls`. */
export const lsSpec: CommandSpec = {
  name: 'ls',
  group: 'Images',
  summary: 'list files of the merged image or of a layer',
  description:
    'Lists a directory of the merged image: mode, owner, size, path. With --layer, everything that this layer adds (+), replaces (~) and removes (-). With --deleted, everything that ships in a layer although a later one removes (-) or replaces (~) it.',
  arguments: [imageArgument, { name: 'PATH', text: 'path inside the image; default: the root', optional: true }],
  flags: [
    { long: '--layer', value: 'N', text: 'what layer N changes; 1 is the base' },
    { long: '--deleted', text: 'what ships but does not show' },
    { long: '--recursive', short: '-R', text: 'all levels below PATH' },
    ...imageFlags,
  ],
  examples: [
    { command: 'ovl ls image.tar /etc', text: 'a directory of the merged image' },
    { command: 'ovl ls --layer 2 image.tar', text: 'what the second layer changes' },
    { command: 'ovl ls --deleted image.tar', text: 'what was removed but ships anyway' },
  ],
  load: async () => (await import('../actions/ls.ts')).lsAction,
}
