import type { CommandSpec } from '../spec.ts'

/** `ovl explain`. */
export const explainSpec: CommandSpec = {
  name: 'explain',
  group: 'Overlay',
  summary: 'why a path looks as it does; what a marker, errno, option or error code means',
  description:
    'Explains a word: an errno (EXDEV), a mount option (redirect_dir), a mark of overlayfs or of layer archives (opaque, .wh.), an error code of ovl, a finding of ovl doctor, or a rule by its number. Or a file in the directory of a layer: what it says to overlayfs. Every statement rests on a rule of docs/overlayfs/rules.md, measured on Linux; -v prints the rules and their evidence.',
  arguments: [{ name: 'SUBJECT', text: 'a word, or a file of an upperdir or lowerdir' }],
  flags: [],
  examples: [
    { command: 'ovl explain EXDEV', text: 'why rename(2) of a directory fails' },
    { command: 'ovl explain ./bundle/upper/etc/gone.conf', text: 'a marker on disk' },
    { command: 'ovl explain -v "rule 124"', text: 'a rule and its evidence' },
  ],
  load: async () => (await import('../actions/explain.ts')).explainAction,
}
