import { readFileSync } from 'node:fs'

/** The version in package.json, read without parsing what else is in there. */
export function readVersion(): string {
  const text = readFileSync(`${import.meta.dirname}/../../package.json`, 'latin1')
  return /"version":\s*"([^"]+)"/.exec(text)?.[1] ?? 'unknown'
}
