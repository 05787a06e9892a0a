import { loadCommand } from '../../commands/index.ts'
import { exitStatus } from '../../errors/index.ts'
import { renderVerification, verificationToJson } from '../render/verify.ts'
import type { Action } from '../spec.ts'
import { argumentAt, readImageOptions } from './image-options.ts'

/** Prints a verdict per layer; the exit status is the verdict on all. */
export const verifyAction: Action = async (call, session) => {
  const { verify } = await loadCommand.verify()
  const result = await verify(argumentAt(call, 0), {
    ...readImageOptions(call, session),
    strict: call.flags.has('--strict'),
  })
  if (!session.settings.quiet) {
    await session.answer('ovl.verify/1', {
      text: view => renderVerification(result, view),
      json: () => verificationToJson(result),
    })
  }
  return result.ok ? exitStatus.done : exitStatus.checkFailed
}
