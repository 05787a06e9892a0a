// Packages of test/bench/package.json, which the project itself does not need: `npm install --prefix test/bench`.

import { createRequire } from 'node:module'
import path from 'node:path'
import { skipUnless } from './probe.ts'

const require = createRequire(path.resolve('test/bench/package.json'))

/** A package as it exports itself; skips the test where it is not installed. */
export function benchPackage(context: Mocha.Context, name: string): unknown {
  skipUnless(context, isInstalled(name), `${name} is not installed (npm install --prefix test/bench)`)
  return require(name) as unknown
}

function isInstalled(name: string): boolean {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}
