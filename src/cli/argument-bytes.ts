// Arguments are bytes. Node turns those that are no UTF-8 into U+FFFD; the kernel still has them as they were.

import fs from 'node:fs'
import { decodeName } from '../path/index.ts'

/** The same arguments as byte-exact names. Looks for the bytes only when some were lost. */
export function exactArguments(argv: readonly string[]): readonly string[] {
  if (!argv.some(word => word.includes('\ufffd'))) return argv
  const bytes = readCommandLine()
  if (bytes === null) return argv
  const words: string[] = []
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0, start)
    words.push(decodeName(bytes, start, end))
    start = end + 1
  }
  const exact = words.slice(words.length - argv.length)
  return exact.length === argv.length ? exact : argv
}

/** Null where there is no such file. */
function readCommandLine(): Uint8Array | null {
  try {
    return fs.readFileSync('/proc/self/cmdline')
  } catch {
    return null // another system: the arguments stay as Node has them
  }
}
