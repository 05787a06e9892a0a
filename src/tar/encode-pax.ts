// PAX records → the contents of an extended header ("LENGTH KEY=VALUE\n", the length counting itself), sorted by key
// so that equal entries give equal bytes.

import { comparePaths, encodeName } from '../path/index.ts'
import type { TarTime } from './numbers.ts'

/** Encodes records, sorted; keys hold neither "=" nor NUL. */
export function encodePaxRecords(records: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const encoded = [...records]
    .toSorted(([a], [b]) => comparePaths(a, b))
    .map(([key, value]) => encodeRecord(encodeName(key), value))
  const body = new Uint8Array(encoded.reduce((sum, record) => sum + record.length, 0))
  let at = 0
  for (const record of encoded) {
    body.set(record, at)
    at += record.length
  }
  return body
}

/** Seconds with a fraction as short as it can be; times before 1970 count down from zero ("-0.5"). */
export function formatPaxTime(time: TarTime): string {
  if (time.nsec === 0) return `${time.sec}`
  const isNegative = time.sec < 0
  const seconds = isNegative ? -(time.sec + 1) : time.sec
  const nanoseconds = isNegative ? 1_000_000_000 - time.nsec : time.nsec
  const fraction = `${nanoseconds}`.padStart(9, '0').replace(/0+$/, '')
  return `${isNegative ? '-' : ''}${seconds}.${fraction}`
}

function encodeRecord(key: Uint8Array, value: Uint8Array): Uint8Array {
  const rest = key.length + value.length + 3 // blank, "=", newline
  let length = rest + 1
  while (`${length}`.length + rest !== length) length = `${length}`.length + rest
  const record = new Uint8Array(length)
  const digits = encodeName(`${length} `)
  record.set(digits)
  record.set(key, digits.length)
  record[digits.length + key.length] = 0x3d
  record.set(value, digits.length + key.length + 1)
  record[length - 1] = 0x0a
  return record
}
