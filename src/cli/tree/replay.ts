import type { CommandSpec } from '../spec.ts'

/** `ovl replay`. */
export const replaySpec: CommandSpec = {
  name: 'replay',
  group: 'Overlay',
  summary: 'run a scenario on the emulator, on real mounts, or compare them',
  description: [
    'A scenario is a JSON file with layers, mount options and steps (docs/scenarios.md). Each is run on every runner that --on names: emulator (in memory), host (the emulator on directories of this machine), kernel and kernel-ext4 (a real mount, with the layers on a tmpfs or an ext4; root only, in a mount namespace of its own). With several runners the first step that answers differently is shown, and how the trees differ; exit status 1 when any do.',
    '--random makes scenarios up. Each comes from a number, the first from the one that --seed gives: --random 1 --seed NUMBER is that one scenario again.',
    'With --json a line for each file and runner.',
  ].join('\n'),
  arguments: [{ name: 'FILE', text: 'scenario files', optional: true, many: true }],
  flags: [
    {
      long: '--on',
      value: 'RUNNERS',
      text: 'emulator, host, kernel, kernel-ext4, with commas between them; by default emulator, with --random emulator,kernel',
    },
    { long: '--random', value: 'N', text: 'run N scenarios that are made up' },
    { long: '--seed', value: 'S', text: 'the number of the first one; by default any' },
    { long: '--keep', value: 'DIR', text: 'write the made up scenarios that differ to this directory' },
    { long: '--shrink', text: 'print the smallest scenario found that still differs in the same way' },
    { long: '--exact', text: 'also compare what overlayfs notes for itself: origin, uuid, impure, nlink' },
  ],
  examples: [
    { command: 'ovl replay scenario.json --on emulator,kernel', text: 'do they agree?' },
    { command: 'ovl replay scenario.json --on emulator,kernel --shrink > small.json', text: 'what it comes down to' },
    { command: 'ovl replay --random 1000 --on emulator,kernel', text: 'look for a difference' },
  ],
  load: async () => (await import('../actions/replay.ts')).replayAction,
}
