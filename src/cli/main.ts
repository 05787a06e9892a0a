// Where the program starts. Everything heavy is imported later, so that `ovl --version` costs little more than an
// empty Node program and each command loads only what it needs.

import { readVersion } from './version.ts'

/** Runs one command line and sets the exit status of the process; never throws. */
export async function main(argv: readonly string[]): Promise<void> {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    process.stdout.write(`ovl ${readVersion()}\n`)
    return
  }
  const { run } = await import('./run.ts')
  process.exitCode = await run(argv, process)
}
