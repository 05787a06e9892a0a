import type { CommandSpec } from '../spec.ts'
import { imageArgument, imageFlags } from './image-flags.ts'

/** `ovl unpack`. */
export const unpackSpec: CommandSpec = {
  name: 'unpack',
  group: 'Bundles',
  summary: 'image -> OCI runtime bundle (config.json, layers and merged tree)',
  description:
    'Writes BUNDLE/config.json, BUNDLE/ovl.json, a directory for each layer as overlayfs reads it (lower/1 is the base), upper and work for what a container changes, and merged, a copy of the merged tree, for which no mount and no privilege is needed.\nEverything is verified, all or nothing: BUNDLE appears complete or not at all.',
  arguments: [imageArgument, { name: 'BUNDLE', text: 'directory to make' }],
  flags: [
    { long: '--flat', text: 'only one directory, rootfs/, with the merged tree: the least that a runtime needs' },
    { long: '--native', text: 'merged is a mount of the layers by the kernel, not a copy; needs root' },
    { long: '--userxattr', text: 'layers for mounts with userxattr, as in a user namespace' },
    ...imageFlags,
    { long: '--rootless', text: 'for an ordinary user: files belong to you, owners are recorded in ovl.json' },
    {
      long: '--uid-map',
      value: 'C:H:N',
      text: 'user ids C… of the container are H… of the host, N of them; repeatable',
    },
    { long: '--gid-map', value: 'C:H:N', text: 'the same for group ids' },
    {
      long: '--keep-dirlinks',
      text: 'follow a symlink of a lower layer that leads to a directory instead of replacing it',
    },
    { long: '--no-config', text: 'no config.json: only the files and ovl.json' },
    { long: '--strict', text: 'refuse ".." in names instead of resolving it inside the root' },
    { long: '--skip-unknown', text: 'leave out entries of unknown types instead of refusing them' },
    { long: '--force', inlineChoices: ['any'], text: 'replace BUNDLE if ovl made it; with =any, whatever it is' },
    { long: '--dry-run', short: '-n', text: 'say what would be written and whether it fits; write nothing' },
  ],
  examples: [
    { command: 'ovl unpack image.tar ./bundle', text: 'then: runc run -b ./bundle name' },
    { command: 'ovl unpack --flat --rootless --platform linux/arm64 ./layout:1.0 ./bundle', text: 'without root' },
    { command: 'docker save debian | ovl unpack --native - ./bundle', text: 'from a pipe, and mounted' },
  ],
  load: async () => (await import('../actions/unpack.ts')).unpackAction,
}
