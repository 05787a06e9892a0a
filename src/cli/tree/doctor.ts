import type { CommandSpec } from '../spec.ts'

/** `ovl doctor`. */
export const doctorSpec: CommandSpec = {
  name: 'doctor',
  group: 'Overlay',
  summary: "what this machine can do, and what is wrong with an overlay's directories",
  description:
    'Says what the kernel, this user and the file system of DIR can do for images and overlays; what can be tried is tried, in a temporary directory in DIR that is removed again. Exit status 1 when something that ovl needs is missing.\nWith --overlay, checks the directories of an overlay that is not mounted: marks that hide nothing or lead nowhere, files without data, what a crash left in the workdir. --lower must name all lower layers: what hides something in a layer that is not named looks useless. Every finding has a code; docs/doctor.md explains them. Exit status 1 when an error or a warning is found and not mended.\nWith --clean, removes the temporary directories (*.ovl-tmp-*) that killed runs of ovl left in DIR.',
  arguments: [{ name: 'DIR', text: 'directory to try out, or to clean; default: the current one', optional: true }],
  flags: [
    { long: '--overlay', text: 'check the directories of an overlay' },
    { long: '--upper', value: 'DIR', text: 'its upperdir' },
    { long: '--lower', value: 'DIR[:DIR…]', text: 'its lower layers, top-most first, as in lowerdir=; repeatable' },
    { long: '--work', value: 'DIR', text: 'its workdir, to be checked too' },
    { long: '--userxattr', text: 'its marks are user.overlay.*; the default for those who may not read trusted.*' },
    {
      long: '--fix',
      inlineChoices: ['lower'],
      text: 'mend in upperdir and workdir what can be mended without changing what the overlay shows; with =lower, in lower layers too',
    },
    { long: '--clean', text: 'remove what killed runs of ovl left in DIR' },
    { long: '--dry-run', short: '-n', text: 'with --fix or --clean: say what would be done, do nothing' },
  ],
  examples: [
    { command: 'ovl doctor /var/lib', text: 'can this directory hold an upperdir?' },
    { command: 'ovl doctor --overlay --upper up --lower low2:low1 --work work', text: 'what is wrong with an overlay' },
    { command: 'ovl doctor --clean .', text: 'remove leftovers of killed runs' },
  ],
  load: async () => (await import('../actions/doctor.ts')).doctorAction,
}
