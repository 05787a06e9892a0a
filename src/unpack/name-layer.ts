import { type ErrorCode, OvlError } from '../errors/index.ts'

/** An error of parsing or applying a layer says what is wrong with an entry; this adds in which layer. */
export function nameLayer(
  error: unknown,
  { number, count }: { readonly number: number; readonly count: number },
): unknown {
  if (!(error instanceof OvlError) || error.data['layer'] !== undefined || ofThisMachine.has(error.code)) return error
  const { code, message, hint, facts, data, cause } = error
  return new OvlError(code, message, {
    facts: [...facts, `in layer ${number} of ${count}`],
    data: { ...data, layer: number },
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  })
}

/** Faults of the place that is written to: no layer is to blame. */
const ofThisMachine: ReadonlySet<ErrorCode> = new Set(['NEEDS_PRIVILEGE', 'NO_SPACE', 'WRITE_FAILED', 'INTERRUPTED'])
