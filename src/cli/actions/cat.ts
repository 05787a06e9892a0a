import { loadCommand } from '../../commands/index.ts'
import { exitStatus, OvlError, quote } from '../../errors/index.ts'
import type { Session } from '../session.ts'
import type { Action } from '../spec.ts'
import { argumentAt, readImageOptions, readLayerNumber } from './image-options.ts'

/** Writes the bytes of a file to standard output. */
export const catAction: Action = async (call, session) => {
  const { printFile } = await loadCommand.printFile()
  const path = argumentAt(call, 1)
  await printFile(argumentAt(call, 0), {
    ...readImageOptions(call, session),
    ...readLayerNumber(call),
    path,
    onChunk: startOutput(session, path),
  })
  return exitStatus.done
}

function startOutput(session: Session, path: string): (chunk: Uint8Array) => Promise<void> {
  let isFirst = true
  return chunk => {
    if (isFirst && session.stdoutIsTerminal && chunk.includes(0)) throw binaryToTerminal(path)
    isFirst = false
    return session.write(chunk)
  }
}

/** A NUL in the first piece is what grep(1) and others take for the sign of binary data. */
function binaryToTerminal(path: string): OvlError {
  return new OvlError('USAGE', `Cannot print ${quote(path)}: refusing to write binary data to the terminal`, {
    hint: 'send it to a file or a pipe: ovl cat … > FILE',
    data: { path },
  })
}
