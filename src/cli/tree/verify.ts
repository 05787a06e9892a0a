import type { CommandSpec } from '../spec.ts'
import { imageArgument, imageFlags } from './image-flags.ts'

/** `ovl verify`. */
export const verifySpec: CommandSpec = {
  name: 'verify',
  group: 'Images',
  summary: 'check digests, sizes, diff IDs and tree rules',
  description:
    'Reads the whole image and checks every digest, size and diff ID, and that the layers can be applied one upon the other. Goes on after a fault. Exit status 1 when a layer is bad.',
  arguments: [imageArgument],
  flags: [...imageFlags, { long: '--strict', text: 'also refuse ".." in the names of a layer' }],
  examples: [
    { command: 'ovl verify image.tar', text: 'one line a layer' },
    { command: 'ovl verify -q ./layout:1.0 && echo good', text: 'the exit status alone' },
    { command: 'ovl verify --json image.tar | jq ".layers[] | select(.ok | not)"', text: 'the bad layers' },
  ],
  load: async () => (await import('../actions/verify.ts')).verifyAction,
}
