import type { CommandSpec } from '../spec.ts'

/** `ovl help`. */
export const helpSpec: CommandSpec = {
  name: 'help',
  group: 'Other',
  summary: 'explain a command or a topic',
  description: 'Without an argument: the list of commands. Topics: images, formats, json, exit-status.',
  arguments: [{ name: 'TOPIC', text: 'a command, or images, formats, json, exit-status', optional: true }],
  flags: [],
  examples: [
    { command: 'ovl help help', text: 'usage, examples and flags of a command' },
    { command: 'ovl help images', text: 'how to name an image' },
    { command: 'ovl help exit-status', text: 'exit statuses and error codes' },
  ],
  load: async () => (await import('../actions/help.ts')).helpAction,
}
