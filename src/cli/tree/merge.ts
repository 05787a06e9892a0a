import type { CommandSpec } from '../spec.ts'

/** `ovl merge`. */
export const mergeSpec: CommandSpec = {
  name: 'merge',
  group: 'Overlay',
  summary: 'flatten lower and upper directories into one directory or tar archive',
  description:
    'Writes what an overlay of the directories shows: whiteouts and opaque directories take effect, redirects and metacopies are followed, marks of overlayfs are left out. The directories are only read; no mount and no privilege is needed. A directory appears complete or not at all. As root owners, devices and all attributes are kept; for an ordinary user everything belongs to that user.',
  arguments: [{ name: 'OUT', text: 'directory to make, or tar archive to write; "-" is standard output' }],
  flags: [
    { long: '--lower', value: 'DIR[:DIR…]', text: 'lower layers, top-most first, as in lowerdir=; repeatable' },
    { long: '--upper', value: 'DIR', text: 'the upper directory' },
    { long: '--format', value: 'F', choices: ['dir', 'tar'], text: 'default: tar for OUT.tar and "-", else dir' },
    { long: '--userxattr', text: 'marks are user.overlay.*; found out when the root of the top layer has some' },
    { long: '--epoch', value: 'SECONDS', text: 'later times in a tar archive become it; default: SOURCE_DATE_EPOCH' },
    {
      long: '--sparse',
      short: '-S',
      text: 'leave out the holes of files in a tar archive; a directory always has them',
    },
    { long: '--force', text: 'replace an archive that exists' },
  ],
  examples: [
    { command: 'ovl merge --lower low --upper up ./merged', text: 'what a mount of them would show' },
    { command: 'ovl merge --lower top:middle:base tree.tar', text: 'three layers as one archive' },
    { command: 'ovl merge --lower lower/2:lower/1 --upper upper - | tar tv', text: 'through a pipe' },
  ],
  load: async () => (await import('../actions/merge.ts')).mergeAction,
}
