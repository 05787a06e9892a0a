import type { CommandSpec } from '../spec.ts'
import { imageArgument, imageFlags } from './image-flags.ts'

/** `ovl cat`. */
export const catSpec: CommandSpec = {
  name: 'cat',
  group: 'Images',
  summary: 'print a file of the merged image or of a layer',
  description:
    'Writes the bytes of a regular file to standard output; symlinks are followed inside the image. With --layer, the file as that layer ships it, even if a later layer replaces or removes it. Binary content is not written to a terminal.',
  arguments: [imageArgument, { name: 'PATH', text: 'path inside the image' }],
  flags: [{ long: '--layer', value: 'N', text: 'the file as layer N ships it; 1 is the base' }, ...imageFlags],
  examples: [
    { command: 'ovl cat image.tar etc/os-release', text: 'a file of the merged image' },
    { command: 'ovl cat --layer 1 image.tar etc/passwd', text: 'as the base layer has it' },
    { command: 'ovl cat image.tar usr/bin/env > env', text: 'a program, to a file' },
  ],
  load: async () => (await import('../actions/cat.ts')).catAction,
}
