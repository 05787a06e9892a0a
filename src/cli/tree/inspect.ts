import type { CommandSpec } from '../spec.ts'
import { imageArgument, imageFlags } from './image-flags.ts'

/** `ovl inspect`. */
export const inspectSpec: CommandSpec = {
  name: 'inspect',
  group: 'Images',
  summary: 'what an image file is: manifest, config, layers',
  description:
    'Says what IMAGE was taken for and what its documents tell: tags, manifest, config, layers. No layer is read, so it is quick; `ovl verify` reads and checks them all.',
  arguments: [imageArgument],
  flags: [
    ...imageFlags,
    {
      long: '--raw',
      value: 'DOCUMENT',
      choices: ['index', 'manifest', 'config'],
      text: 'print index, manifest or config exactly as stored, nothing else',
    },
  ],
  examples: [
    { command: 'ovl inspect image.tar', text: 'what the file is' },
    { command: 'ovl inspect --platform linux/arm64 ./layout:1.0', text: 'one tag of a layout, for one platform' },
    { command: 'ovl inspect --raw config image.tar | jq .config.Env', text: 'a document for another program' },
  ],
  load: async () => (await import('../actions/inspect.ts')).inspectAction,
}
