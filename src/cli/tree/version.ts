import type { CommandSpec } from '../spec.ts'

/** `ovl version`. */
export const versionSpec: CommandSpec = {
  name: 'version',
  group: 'Other',
  summary: 'the version of ovl and of what it runs on',
  description:
    'Prints the versions of ovl, Node and the kernel: what a bug report needs. `ovl --version` prints only the first.',
  arguments: [],
  flags: [],
  examples: [
    { command: 'ovl version', text: 'everything' },
    { command: 'ovl version --json', text: 'the same for a script' },
    { command: 'ovl --version', text: 'only the version of ovl, fast' },
  ],
  load: async () => (await import('../actions/version.ts')).versionAction,
}
