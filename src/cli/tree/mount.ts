import type { CommandSpec } from '../spec.ts'

/** `ovl mount`. */
export const mountSpec: CommandSpec = {
  name: 'mount',
  group: 'Overlay',
  summary: 'mount an overlay, checked before the kernel sees it',
  description: [
    'Mounts an overlay of directories on MERGED, or the layers of a bundle on its merged directory. -o takes the option string of the kernel and of mount(8), byte for byte: lowerdir=TOP:NEXT:BASE, with a backslash before a colon, comma or backslash of a name.',
    'Every reason for which the kernel would refuse is found first and named. There may be 500 lower layers, with names of any length.',
    'Without root, --userns runs COMMAND (the shell, if none is given) in a user namespace where the overlay is mounted; the mount ends with it. The command of a bundle starts in the directory of the bundle.',
  ].join('\n'),
  arguments: [
    { name: 'MERGED|BUNDLE', text: 'directory to mount on, or a bundle when no layer is given' },
    { name: 'COMMAND', text: 'with --userns: what to run where the overlay is mounted', optional: true, rest: true },
  ],
  flags: [
    { long: '--options', short: '-o', value: 'OPTIONS', text: 'options as mount(8) takes them; repeatable' },
    { long: '--lower', value: 'DIR', text: 'a lower directory, top-most first, taken as it stands; repeatable' },
    { long: '--upper', value: 'DIR', text: 'the directory that is written to; without it the overlay is read-only' },
    { long: '--work', value: 'DIR', text: 'an empty directory on the same mount as the upper directory' },
    { long: '--userns', text: 'mount in a user namespace, for COMMAND alone, with userxattr' },
    { long: '--dry-run', short: '-n', text: 'check, print the command of mount(8) that does the same, mount nothing' },
  ],
  examples: [
    {
      command: 'ovl mount -o lowerdir=top:base,upperdir=up,workdir=work merged',
      text: 'two lower layers, writable',
    },
    { command: 'ovl mount ./bundle', text: 'the layers of a bundle on ./bundle/merged' },
    { command: 'ovl mount --userns ./bundle -- sh -c "rm merged/etc/hostname; ls merged/etc"', text: 'without root' },
  ],
  load: async () => (await import('../actions/mount.ts')).mountAction,
}
