import { OvlError } from '../errors/index.ts'

/** An error of parsing or applying a layer says what is wrong with an entry; this adds in which layer. */
export function nameLayer(
  error: unknown,
  { number, count }: { readonly number: number; readonly count: number },
): unknown {
  if (!(error instanceof OvlError) || error.data['layer'] !== undefined) return error
  const { code, message, hint, facts, data, cause } = error
  return new OvlError(code, message, {
    facts: [...facts, `in layer ${number} of ${count}`],
    data: { ...data, layer: number },
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  })
}
