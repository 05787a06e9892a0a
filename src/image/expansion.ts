import { type Limits, OvlError } from '../errors/index.ts'

/**
 * Watches how much data becomes (rule 29 of the layer rules): call it with the uncompressed bytes so far and the
 * stored bytes they came from. Errors: LIMIT_EXCEEDED.
 */
export function expansionGuard(
  subject: string,
  limits: Limits,
): (uncompressedBytes: number, storedBytes: number) => void {
  const { sizeBytes, ratio, ratioFromBytes } = limits
  return (uncompressedBytes, storedBytes) => {
    if (uncompressedBytes > sizeBytes) {
      throw new OvlError(
        'LIMIT_EXCEEDED',
        `Cannot read ${subject}: it is larger than ${sizeBytes} bytes uncompressed`,
        {
          hint: 'raise the limit with --limit size=…',
          data: { limit: sizeBytes },
        },
      )
    }
    if (uncompressedBytes > ratioFromBytes && uncompressedBytes > storedBytes * ratio) {
      throw new OvlError('LIMIT_EXCEEDED', `Cannot read ${subject}: it expands more than ${ratio} times`, {
        facts: [`${storedBytes} compressed bytes became more than ${uncompressedBytes}`],
        hint: 'raise the limit with --limit ratio=…',
        data: { limit: ratio, storedBytes, uncompressedBytes },
      })
    }
  }
}
