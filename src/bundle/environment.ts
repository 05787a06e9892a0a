// The environment of the process: defaults first, then what the image says, which wins by name.

import { OvlError, quote } from '../errors/index.ts'
import { isUtf8Name } from '../path/index.ts'
import { defaultEnv } from './runtime-defaults.ts'

/**
 * `NAME=value` entries, each name once, at the place where it came first and with the value that came last. HOME is
 * added from the account when the image does not set it. Errors: BAD_DOCUMENT for an entry without name or "=".
 */
export function createEnv(imageEnv: readonly string[], home: string): readonly string[] {
  const values = new Map<string, string>()
  for (const entry of [...defaultEnv, ...imageEnv]) {
    const equals = entry.indexOf('=')
    if (equals < 0) throw badEntry(entry, 'has no "="')
    if (equals === 0) throw badEntry(entry, 'has no name')
    values.set(entry.slice(0, equals), entry.slice(equals + 1))
  }
  // JSON cannot hold a home directory that is no UTF-8; the runtime then finds it in /etc/passwd itself.
  if (home !== '' && !values.has('HOME') && isUtf8Name(home)) values.set('HOME', home)
  return [...values].map(([name, value]) => `${name}=${value}`)
}

function badEntry(entry: string, fact: string): OvlError {
  return new OvlError('BAD_DOCUMENT', `Cannot use Env of the image config: entry ${quote(entry)} ${fact}`, {
    hint: 'unpack without config.json with --no-config',
    data: { entry },
  })
}
