import type { CommandSpec } from '../spec.ts'
import { imageArgument, imageFlags } from './image-flags.ts'

/** `ovl layers`, alias `ovl history`. */
export const layersSpec: CommandSpec = {
  name: 'layers',
  aliases: ['history'],
  group: 'Images',
  summary: 'the layers, their history and what each one really adds',
  description:
    'Reads every layer and counts the paths that it adds (+), replaces (~) and removes (-), and the files that later layers hide: bytes that ship with the image although no path shows them.',
  arguments: [imageArgument],
  flags: imageFlags,
  examples: [
    { command: 'ovl layers image.tar', text: 'one line a layer, base first' },
    { command: 'ovl history --no-trunc image.tar', text: 'the same with full digests and commands' },
    { command: 'ovl layers --json image.tar | jq ".layers[].hiddenBytes"', text: 'wasted bytes per layer' },
  ],
  load: async () => (await import('../actions/layers.ts')).layersAction,
}
