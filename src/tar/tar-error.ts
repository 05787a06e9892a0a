import { OvlError } from '../errors/index.ts'

/** An archive that is malformed at byte `offset` (BAD_TAR). */
export function badTar(fact: string, offset: number): OvlError {
  return new OvlError('BAD_TAR', `Cannot read tar archive: ${fact}, at byte ${offset}`, { data: { offset } })
}

/** An archive that ends inside `where` (TRUNCATED); `offset` is its length. */
export function truncatedTar(where: string, offset: number): OvlError {
  return new OvlError('TRUNCATED', `Cannot read tar archive: it ends inside ${where}, at byte ${offset}`, {
    data: { offset },
  })
}

/** An archive that asks for more memory than allowed (LIMIT_EXCEEDED). */
export function tarLimit(what: string, offset: number, limitBytes: number): OvlError {
  return new OvlError('LIMIT_EXCEEDED', `Cannot read tar archive: ${what}, at byte ${offset}`, {
    hint: `allow more with --limit paxBytes=${limitBytes * 16}`,
    data: { offset, limit: 'paxBytes', limitBytes },
  })
}
