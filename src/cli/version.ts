import { readFileSync } from 'node:fs'

/** The version in package.json, read without parsing what else is in there. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'latin1')
  return /"version":\s*"([^"]+)"/.exec(text)?.[1] ?? 'unknown'
}
