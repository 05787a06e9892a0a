// Where the program starts. Everything heavy is imported later, so that `ovl --version` costs little more than an
// empty Node program and each command loads only what it needs.

import { exitStatus, ovlVersion } from '../errors/index.ts'

/** Runs one command line and sets the exit status of the process; never throws. */
export async function main(argv: readonly string[]): Promise<void> {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V') && (await printVersion())) return
  const [{ run }, { exactArguments }] = await Promise.all([import('./run.ts'), import('./argument-bytes.ts')])
  process.exitCode = exitStatus.bug // unless it comes to an end
  process.exitCode = await run(exactArguments(argv), process)
}

/** False when it could not be written: the long way knows what to say about that. */
function printVersion(): Promise<boolean> {
  process.stdout.on('error', () => {}) // told to the callback as well
  return new Promise(resolve => process.stdout.write(`ovl ${ovlVersion}\n`, error => resolve(!error)))
}
