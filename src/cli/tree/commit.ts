import type { CommandSpec, FlagSpec } from '../spec.ts'

/** The flags that say how a layer and its image are written; `ovl squash` has them too. */
export const writeFlags: readonly FlagSpec[] = [
  { long: '--created-by', value: 'TEXT', text: 'the command that the history names' },
  { long: '--author', value: 'NAME', text: 'who made the layer' },
  { long: '--comment', value: 'TEXT', text: 'a remark in the history' },
  {
    long: '--epoch',
    value: 'SECONDS',
    text: 'the time of the image; later times in the layer become it. Default: SOURCE_DATE_EPOCH, else now',
  },
  { long: '--format', value: 'F', choices: ['oci', 'docker'], text: 'an OCI or a Docker manifest; default: as before' },
  { long: '--compress', value: 'C', choices: ['gzip', 'zstd', 'none'], text: 'how the new layer is stored' },
  { long: '--time-precision', value: 'T', choices: ['s', 'ns'], text: 'times in the layer: ns (the default) or s' },
  { long: '--sparse', short: '-S', text: 'leave out the holes of files in the layer, which not every tool reads' },
  { long: '--force', text: 'replace an image of the same name in a layout, or an existing archive' },
]

/** The flags that change how containers of the image run, named as umoci names them. */
export const configFlags: readonly FlagSpec[] = [
  { long: '--config.env', value: 'NAME=VALUE', text: 'set an environment variable; repeatable' },
  { long: '--config.entrypoint', value: 'WORD', text: 'a word of the entrypoint; repeatable, replaces the whole' },
  { long: '--config.cmd', value: 'WORD', text: 'a word of the default arguments; repeatable, replaces them' },
  { long: '--config.label', value: 'NAME=VALUE', text: 'set a label; repeatable' },
  { long: '--config.workingdir', value: 'PATH', text: 'the working directory' },
  { long: '--config.user', value: 'USER[:GROUP]', text: 'who runs the program' },
  { long: '--config.exposedports', value: 'PORT[/PROTO]', text: 'add a port; repeatable' },
  { long: '--config.volume', value: 'PATH', text: 'add a volume; repeatable' },
  { long: '--config.stopsignal', value: 'SIGNAL', text: 'the signal that stops a container' },
  {
    long: '--clear',
    value: 'config.X',
    choices: ['env', 'entrypoint', 'cmd', 'labels', 'exposedports', 'volume'].map(name => `config.${name}`),
    text: 'empty a setting first; repeatable',
  },
]

/** `ovl commit`. */
export const commitSpec: CommandSpec = {
  name: 'commit',
  aliases: ['repack'],
  group: 'Bundles',
  summary: 'bundle or upperdir -> new layer on an image',
  description:
    'Writes the image that BUNDLE was unpacked from with one layer more: what was changed in the bundle. Changes are found where the bundle has them: in merged (compared with the layers), in the upperdir of a mounted bundle, or in rootfs (compared with the image). Of a bundle for an ordinary user the recorded owners are restored. A bare upperdir needs --parent.\nWhen nothing was changed, there is no new layer, only a step more in the history. IMAGE is [oci|oci-archive|docker-archive:]PATH[:TAG], as for ovl copy; the tag is latest if none is given. Prints the digest of the manifest (of the config for a docker-archive) and nothing else.',
  arguments: [
    { name: 'BUNDLE', text: 'bundle, or upperdir of an overlay' },
    { name: 'IMAGE', text: 'where the new image is written' },
  ],
  flags: [
    { long: '--parent', value: 'IMAGE', text: 'the image below: for an upperdir, or a bundle whose image was moved' },
    ...writeFlags,
    {
      long: '--opaque',
      value: 'HOW',
      choices: ['marker', 'explicit'],
      text: 'opaque directories by one marker (the default) or by a whiteout for each name',
    },
    { long: '--userxattr', text: 'the marks of the upperdir are user.overlay.*; default: found out' },
    ...configFlags,
  ],
  examples: [
    { command: 'ovl commit ./bundle ./layout:2', text: 'after something was changed in ./bundle/merged' },
    {
      command: 'ovl commit --config.cmd /bin/sh --epoch 0 ./bundle oci-archive:image.tar:v2',
      text: 'reproducible, another command',
    },
    {
      command: 'ovl commit --parent image.tar ./upper docker-archive:new.tar:hello:2',
      text: 'an upperdir of any overlay',
    },
  ],
  load: async () => (await import('../actions/commit.ts')).commitAction,
}
