import { loadCommand, type MountCommandOptions } from '../../commands/index.ts'
import { exitStatus, OvlError } from '../../errors/index.ts'
import { mountToJson, renderMount } from '../render/mount.ts'
import type { Session } from '../session.ts'
import type { Action, Call } from '../spec.ts'
import { argumentAt } from './image-options.ts'

/** Mounts an overlay, says what that would do, or runs a command where it is mounted. */
export const mountAction: Action = async (call, session) => {
  const options = readMountOptions(call)
  if (call.rest.length > 0 && !options.userns) {
    throw new OvlError('USAGE', 'mount runs a command only with --userns', {
      hint: `ovl mount --userns ${argumentAt(call, 0)} -- ${call.rest.join(' ')}`,
    })
  }
  const { mount, runMounted } = await loadCommand.mount()
  if (options.userns && !options.dryRun) {
    // The command decides what Ctrl-C does to it.
    session.interruption.release()
    return runMounted(argumentAt(call, 0), { ...options, command: commandOf(call), self: selfOf(session) })
  }
  const report = mount(argumentAt(call, 0), options)
  if (!session.settings.quiet || session.settings.format === 'json') {
    await session.answer('ovl.mount/1', { text: () => renderMount(report), json: () => mountToJson(report) })
  }
  return exitStatus.done
}

function readMountOptions({ flags }: Call): MountCommandOptions {
  const [upper, work] = [flags.text('--upper'), flags.text('--work')]
  return {
    options: flags.all('--options'),
    lower: flags.all('--lower'),
    ...(upper === undefined ? {} : { upper }),
    ...(work === undefined ? {} : { work }),
    dryRun: flags.has('--dry-run'),
    userns: flags.has('--userns'),
  }
}

function commandOf({ rest }: Call): readonly string[] {
  return rest.length > 0 ? rest : [process.env['SHELL'] ?? 'sh']
}

/** How the same program is started in the namespace, with errors in the same form. */
function selfOf({ settings }: Session): readonly string[] {
  const verbose = Array.from({ length: settings.verbosity }, () => '-v')
  return [
    process.execPath,
    process.argv[1] ?? 'ovl',
    ...verbose,
    ...(settings.debug ? ['--debug'] : []),
    `--format=${settings.format}`,
    `--color=${settings.color}`,
  ]
}
