import type { CommandSpec } from '../spec.ts'

/** `ovl diff`. */
export const diffSpec: CommandSpec = {
  name: 'diff',
  group: 'Overlay',
  summary: 'what an upperdir changed: text, JSON or an OCI layer',
  description: [
    'Says what UPPER, the upper directory of an overlay, changes: A added, C changed, D deleted, R renamed. Without the lower layers, what was copied up is told by overlay.origin; with --lower contents are compared, what is the same is left out, and renamed directories and metacopies are followed. Whiteouts and opaque marks of overlayfs, fuse-overlayfs and AUFS are understood.',
    'The upper directory of a bundle finds its lower layers by itself, and so does BUNDLE: its changes are found where it has them, in upper or in the copy of the merged tree; a flat one is compared with the image that it was unpacked from. Two arguments, each a directory, a bundle or an image, are compared as whole trees. With --layer, what one layer of an image or bundle changes.',
    'With --format tar the changes are written as a layer for an image: sorted, and the same bytes on every machine. Times later than SOURCE_DATE_EPOCH become that. Prints the diff ID of the layer.',
  ].join('\n'),
  arguments: [
    { name: 'UPPER|BUNDLE|A', text: 'an upper directory or a bundle; with B: a directory, bundle or image' },
    { name: 'B', text: 'what A is compared with', optional: true },
  ],
  flags: [
    { long: '--lower', value: 'DIR[:DIR…]', text: 'lower layers, top-most first, as in lowerdir=; repeatable' },
    {
      long: '--format',
      value: 'FORMAT',
      choices: ['text', 'json', 'stat', 'tar'],
      text: 'text (the default), json (a line for each change), stat (counts and bytes) or tar (a layer)',
    },
    { long: '--output', short: '-o', value: 'FILE', text: 'write to FILE; "-" is standard output' },
    { long: '--force', text: 'replace FILE if it exists; with --save, what else is in the upper directory' },
    { long: '--exit-code', text: 'exit status 1 when there are changes' },
    { long: '--layer', value: 'N', text: 'what layer N of an image or bundle changes; 1 is the base' },
    {
      long: '--platform',
      value: 'P',
      text: 'os/architecture[/variant] of an image for several; default: this machine',
    },
    { long: '--parent', value: 'IMAGE', text: 'the image of a flat bundle, where ovl.json does not lead to it' },
    { long: '--userxattr', text: 'marks of UPPER are user.overlay.*; found out when its root has some' },
    {
      long: '--marks',
      value: 'STYLE',
      choices: ['overlay', 'fuse-overlayfs', 'aufs'],
      text: 'whose marks UPPER has; found out when absent',
    },
    { long: '--all', text: 'also what was copied up and is the same as below' },
    { long: '--no-parents', text: 'without directories of which nothing changed but what is in them' },
    { long: '--save', text: 'put the changes of an emulated bundle into its upper directory' },
    {
      long: '--opaque',
      value: 'HOW',
      choices: ['marker', 'explicit'],
      text: 'in a layer: mark opaque directories (the default), or a whiteout for each name they hide',
    },
    {
      long: '--time-precision',
      value: 'P',
      choices: ['ns', 's'],
      text: 'in a layer: times with nanoseconds or without',
    },
    { long: '--sparse', short: '-S', text: 'in a layer: leave out the holes of files, which not every tool reads' },
    { long: '--compress', value: 'C', choices: ['none', 'gzip', 'zstd'], text: 'compress the layer' },
  ],
  examples: [
    { command: 'ovl diff up --lower low2:low1', text: 'what an upper directory changes' },
    {
      command: 'ovl diff --format tar --compress gzip -o layer.tar.gz ./bundle',
      text: 'the changes of a bundle as a layer',
    },
    { command: 'ovl diff --exit-code old.tar new.tar', text: 'are two images the same tree?' },
  ],
  load: async () => (await import('../actions/diff.ts')).diffAction,
}
