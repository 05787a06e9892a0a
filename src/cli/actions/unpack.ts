import { loadCommand, type UnpackCommandOptions } from '../../commands/index.ts'
import { exitStatus, OvlError } from '../../errors/index.ts'
import { ownWorkspaces } from '../../host/index.ts'
import { planToJson, renderPlan } from '../render/plan-unpack.ts'
import { renderUnpacked, unpackedToJson, unpackHeadline } from '../render/unpack.ts'
import { prepareThreadsFor } from '../../unpack/index.ts'
import type { Session } from '../session.ts'
import type { Action, Call } from '../spec.ts'
import { argumentAt, readImageOptions } from './image-options.ts'
import { showUnpackProgress } from './unpack-progress.ts'

/** Unpacks an image to a bundle, or says what that would write. */
export const unpackAction: Action = async (call, session) => {
  const [image, bundle] = [argumentAt(call, 0), argumentAt(call, 1)]
  const options = readUnpackOptions(call, session)
  return call.flags.has('--dry-run')
    ? plan(session, { image, bundle, options })
    : unpack(session, { image, bundle, options })
}

type Job = { readonly image: string; readonly bundle: string; readonly options: UnpackCommandOptions }

async function plan(session: Session, { image, bundle, options }: Job): Promise<0> {
  const { planUnpack } = await loadCommand.planUnpack()
  const result = await planUnpack(image, bundle, options)
  await session.answer('ovl.unpack-plan/1', { text: () => renderPlan(result), json: () => planToJson(result) })
  return exitStatus.done
}

async function unpack(session: Session, { image, bundle, options }: Job): Promise<0> {
  prepareThreadsFor(options.mode === 'flat' ? 'flat' : 'layers')
  const { unpackImage } = await loadCommand.unpack()
  session.findLeftovers(() => ownWorkspaces(bundle))
  const start = performance.now()
  const report = await unpackImage(image, bundle, {
    ...options,
    onImage: opened => session.progress.announce(unpackHeadline(opened)),
    onProgress: showUnpackProgress(session),
  })
  const elapsedMs = performance.now() - start
  if (session.settings.quiet && session.settings.format === 'text') return exitStatus.done
  await session.answer('ovl.unpack/1', {
    text: () => renderUnpacked(report, elapsedMs),
    json: () => unpackedToJson(report),
  })
  return exitStatus.done
}

function readMode({ flags }: Call): UnpackCommandOptions['mode'] {
  const [isFlat, isNative] = [flags.has('--flat'), flags.has('--native')]
  if (isFlat && (isNative || flags.has('--userxattr'))) {
    const other = isNative ? '--native' : '--userxattr'
    throw new OvlError('USAGE', `unpack takes either --flat or ${other}: a flat bundle has no layers`)
  }
  return isFlat ? 'flat' : isNative ? 'native' : 'emulated'
}

function readUnpackOptions(call: Call, session: Session): UnpackCommandOptions {
  const { flags } = call
  return {
    ...readImageOptions(call, session),
    mode: readMode(call),
    userxattr: flags.has('--userxattr'),
    force: flags.has('--force-any') ? 'any' : flags.has('--force') ? 'bundle' : 'no',
    rootless: flags.has('--rootless'),
    uidMap: flags.all('--uid-map'),
    gidMap: flags.all('--gid-map'),
    keepDirlinks: flags.has('--keep-dirlinks'),
    noConfig: flags.has('--no-config'),
    strict: flags.has('--strict'),
    skipUnknown: flags.has('--skip-unknown'),
    terminal: session.stdinIsTerminal && session.stdoutIsTerminal,
  }
}
