import type { CopyOptions } from '../../commands/index.ts'
import { OvlError } from '../../errors/index.ts'
import type { Session } from '../session.ts'

/** Takes the image where it goes to standard output, on which nothing else is printed then; empty otherwise. */
export type ImageOutput = Pick<CopyOptions, 'writeOutput'>

/**
 * What is done with a destination `oci-archive:-` or `docker-archive:-` of `ovl COMMAND`. Errors: USAGE for a terminal.
 */
export function readImageOutput(destination: string, session: Session, command: string): ImageOutput {
  if (!/^(?:oci|docker)-archive:-(?::|$)/.test(destination)) return {}
  if (session.stdoutIsTerminal) {
    throw new OvlError('USAGE', 'Cannot write an image to standard output: it is a terminal', {
      hint: `send it into a file or a pipe: ovl ${command} docker-archive:- | docker load`,
    })
  }
  return { writeOutput: bytes => session.write(bytes) }
}
