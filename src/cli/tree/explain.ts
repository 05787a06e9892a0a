import type { CommandSpec } from '../spec.ts'
import { imageFlags } from './image-flags.ts'

/** `ovl explain`. */
export const explainSpec: CommandSpec = {
  name: 'explain',
  group: 'Overlay',
  summary: 'why a path looks as it does; what a marker, errno, option or error code means',
  description: [
    'With PATH, explains a path of the merged tree of an image, a bundle, a mounted overlay, or of the directories that --lower and --upper name: what each layer has there, which one decides and by which rule, and what is hidden but still shipped. With --ops, also what each operation on it would do, tried on an emulated overlay; nothing on the disk changes.',
    'With a word alone, explains it: an errno (EXDEV), a mount option (redirect_dir), a mark of overlayfs or of layer archives (opaque, .wh.), an error code of ovl, a finding of ovl doctor, a rule by its number. Or a file in the directory of a layer: what it says to overlayfs.',
    'Every statement rests on a rule of docs/overlayfs/rules.md, measured on Linux; -v prints the rules and their evidence.',
  ].join('\n'),
  arguments: [
    { name: 'SUBJECT', text: 'an image, a bundle or a mount point; without PATH a word, or a file of a layer' },
    { name: 'PATH', text: 'path in the merged tree', optional: true },
  ],
  flags: [
    { long: '--ops', text: 'also what each operation on PATH would do' },
    { long: '--exists', text: 'exit status 1 when PATH does not exist in the merged tree' },
    { long: '--lower', value: 'DIR[:DIR…]', text: 'explain PATH in these layers, top-most first; repeatable' },
    { long: '--upper', value: 'DIR', text: 'with this upperdir above them' },
    { long: '--userxattr', text: 'their marks are user.overlay.*' },
    ...imageFlags,
  ],
  examples: [
    { command: 'ovl explain ./bundle /etc/hosts --ops', text: 'where a file is from, and what changing it would do' },
    { command: 'ovl explain image.tar /usr/share/doc', text: 'which layer of an image decides' },
    { command: 'ovl explain EXDEV', text: 'why rename(2) of a directory fails' },
  ],
  load: async () => (await import('../actions/explain.ts')).explainAction,
}
