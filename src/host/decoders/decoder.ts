import { OvlError, type Warn } from '../../errors/index.ts'
import type { Compression } from '../compression.ts'

/** How far one step came. Both zero: the decoder wants more input. */
export type StepResult = { readonly consumed: number; readonly produced: number }

/**
 * A decompressor that works in buffers of its caller, so that a pipeline can reuse them; both may lie on a
 * SharedArrayBuffer.
 *
 * Call `step` with what is left of the input until it returns no progress (consumed and produced both 0), then bring
 * more input. When there is no more, drain with empty input until nothing is produced, then call `end`. Unconsumed
 * input must be presented again. A step with room for output makes progress whenever there is input or pending output.
 */
export interface Decoder {
  /** Which implementation it is: for measurements and bug reports. */
  readonly backend: Backend
  /**
   * Decodes from input[inStart, inEnd) into output[outStart, outEnd). The result is a promise only with the fallback
   * for a Node whose zlib has another shape: await it when it is one.
   * Errors: BAD_COMPRESSION (with `data.offset`, in compressed bytes), LIMIT_EXCEEDED (window, dictionary).
   */
  step(
    input: Uint8Array,
    inStart: number,
    inEnd: number,
    output: Uint8Array,
    outStart: number,
    outEnd: number,
  ): StepResult | Promise<StepResult>
  /** To be called after all input was consumed and all output drained. Errors: TRUNCATED when the stream is unfinished. */
  end(): void
  /** Frees memory outside of JavaScript's heap; idempotent, also after an error. */
  close(): void
}

/**
 * Where a decoder's code comes from: inside Node, a shared library of the system (through koffi), or a package that
 * runs everywhere (WebAssembly or JavaScript, slower).
 */
export type Backend = 'node' | 'library' | 'portable'

/** What every decoder is told by its caller. */
export type DecoderOptions = {
  /** Told about data after the end of a gzip stream. */
  readonly warn: Warn
  /** What is decoded, for messages: "layer 2", "app.tar.gz". */
  readonly subject?: string
}

/** Window (zstd) or dictionary (xz) that a stream may ask for: what zstd(1) accepts without --long, and twice what xz -9 writes. */
export const windowLimitBytes = 128 * 1024 * 1024

/** Makes the errors of one decoder, all of one form. */
export type Faults = {
  corrupt(fact: string, offset: number, cause?: unknown): OvlError
  truncated(offset: number): OvlError
  /** The data is fine, this backend cannot read it. */
  unsupported(fact: string, hint: string): OvlError
  /** The stream wants a window or dictionary beyond `windowLimitBytes`; null when only the fact is known. */
  windowTooLarge(neededBytes: number | null, offset: number): OvlError
}

/** The errors of a decoder of this compression; `subject` says what is decompressed. */
export function faultsOf(compression: Compression, subject: string | undefined): Faults {
  const what = subject ?? `${compression} data`
  return {
    corrupt: (fact, offset, cause) =>
      new OvlError('BAD_COMPRESSION', `Cannot decompress ${what}: ${fact}`, {
        data: { compression, offset },
        ...(cause === undefined ? {} : { cause }),
      }),
    truncated: offset =>
      new OvlError('TRUNCATED', `Cannot decompress ${what}: the ${compression} stream ends too early`, {
        facts: [`${offset} compressed bytes are there; more must follow`],
        data: { compression, offset },
      }),
    unsupported: (fact, hint) =>
      new OvlError('UNSUPPORTED', `Cannot decompress ${what}: ${fact}`, { hint, data: { compression } }),
    windowTooLarge: (neededBytes, offset) =>
      new OvlError(
        'LIMIT_EXCEEDED',
        `Cannot decompress ${what}: its ${compression} stream needs ${
          neededBytes === null ? '' : `${Math.ceil(neededBytes / 1048576)} MiB of memory, `
        }more than ${windowLimitBytes / 1048576} MiB of history`,
        {
          hint: 'compress it again with a smaller window',
          data: { compression, offset, limitBytes: windowLimitBytes, ...(neededBytes === null ? {} : { neededBytes }) },
        },
      ),
  }
}
