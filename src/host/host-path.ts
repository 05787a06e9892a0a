import { decodeName, encodeName, isUtf8Name } from '../path/index.ts'

/** An ovl name as node:fs takes it: a string, or its bytes when they are no UTF-8. */
export function hostPath(name: string): string | Buffer {
  return isUtf8Name(name) ? name : Buffer.from(encodeName(name))
}

/** A name from node:fs (asked for with `encoding: 'buffer'`) as an ovl name. */
export function ovlName(bytes: Uint8Array): string {
  return decodeName(bytes)
}
