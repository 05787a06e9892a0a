import type { CommandSpec } from '../spec.ts'

/** `ovl umount`. */
export const umountSpec: CommandSpec = {
  name: 'umount',
  aliases: ['unmount'],
  group: 'Overlay',
  summary: 'unmount an overlay',
  description:
    'Unmounts the overlay on MERGED, or every overlay on the merged directory of a bundle. Where nothing is mounted there is nothing to do, and the exit status is 0.',
  arguments: [{ name: 'MERGED|BUNDLE', text: 'directory that an overlay is mounted on, or a bundle' }],
  flags: [{ long: '--lazy', short: '-l', text: 'take it out of sight now, and end it with its last user' }],
  examples: [
    { command: 'ovl umount merged', text: 'the overlay on a directory' },
    { command: 'ovl umount ./bundle', text: 'the overlay of a bundle' },
    { command: 'ovl umount --lazy merged', text: 'also when files on it are open' },
  ],
  load: async () => (await import('../actions/umount.ts')).umountAction,
}
