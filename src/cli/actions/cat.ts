import { loadCommand } from '../../commands/index.ts'
import { exitStatus, OvlError, quote } from '../../errors/index.ts'
import type { Session } from '../session.ts'
import type { Action } from '../spec.ts'
import { argumentAt, readImageOptions, readLayerNumber } from './image-options.ts'

/** Writes the bytes of a file to standard output. */
export const catAction: Action = async (call, session) => {
  const { printFile } = await loadCommand.printFile()
  const path = argumentAt(call, 1)
  const output = startOutput(session, path)
  const options = readImageOptions(call, session)
  try {
    await printFile(argumentAt(call, 0), {
      ...options,
      ...readLayerNumber(call),
      path,
      onChunk: output.write,
      signal: AbortSignal.any([options.signal, output.closed]),
    })
  } catch (error) {
    throw output.closed.aborted ? output.closed.reason : error
  }
  await output.finish()
  return exitStatus.done
}

type Output = {
  readonly write: (chunk: Uint8Array) => void
  /** Aborted with the error when standard output cannot be written, so that no more is decompressed. */
  readonly closed: AbortSignal
  finish(): Promise<void>
}

function startOutput(session: Session, path: string): Output {
  const closing = new AbortController()
  let isFirst = true
  let last = Promise.resolve()
  return {
    write: chunk => {
      if (isFirst && session.stdoutIsTerminal && chunk.includes(0)) throw binaryToTerminal(path)
      isFirst = false
      // A copy, because the chunk is reused as soon as this returns.
      last = session.write(Uint8Array.from(chunk))
      last.catch((error: unknown) => closing.abort(error))
    },
    closed: closing.signal,
    finish: () => last,
  }
}

/** A NUL in the first piece is what grep(1) and others take for the sign of binary data. */
function binaryToTerminal(path: string): OvlError {
  return new OvlError('USAGE', `Cannot print ${quote(path)}: refusing to write binary data to the terminal`, {
    hint: 'send it to a file or a pipe: ovl cat … > FILE',
    data: { path },
  })
}
