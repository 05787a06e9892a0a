import { type ErrorCode, errorCodes } from './codes.ts'

/** A value that JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** What an error can say besides its code and message. */
export type ErrorDetails = {
  /** One command or action that helps; never a guess stated as a fact. */
  readonly hint?: string
  /** Lines printed indented below the message: expected, got, where. */
  readonly facts?: readonly string[]
  /** The same facts for programs: paths, digests, offsets. */
  readonly data?: { readonly [key: string]: Json }
  readonly cause?: unknown
}

/**
 * An error that a user can meet. Its message reads `Cannot <verb> <object>: <what is the case>`; the chain of causes
 * stays in `cause` and is never pasted into the message. Throw a plain `Error` (see `unreachable`) for states that
 * only a bug can reach.
 */
export class OvlError extends Error {
  override readonly name = 'OvlError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly facts: readonly string[]
  readonly data: { readonly [key: string]: Json }

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.hint = details.hint
    this.facts = details.facts ?? []
    this.data = details.data ?? {}
  }

  /** Exit status of a process that ends with this error. */
  get exitStatus(): number {
    return errorCodes[this.code].exit
  }

  /** The shape of cli.md 4.4; also how an error crosses from one thread to another (`fromJSON`). */
  toJSON(): OvlErrorJson {
    return {
      code: this.code,
      message: this.message,
      data: this.data,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.facts.length === 0 ? {} : { facts: this.facts }),
      ...(this.cause instanceof Error ? { cause: this.cause.message } : {}),
    }
  }

  static fromJSON(json: OvlErrorJson): OvlError {
    return new OvlError(json.code, json.message, {
      data: json.data,
      ...(json.hint === undefined ? {} : { hint: json.hint }),
      ...(json.facts === undefined ? {} : { facts: json.facts }),
      ...(json.cause === undefined ? {} : { cause: new Error(json.cause) }),
    })
  }
}

/** `OvlError` as plain data. */
export type OvlErrorJson = {
  readonly code: ErrorCode
  readonly message: string
  readonly data: { readonly [key: string]: Json }
  readonly hint?: string
  readonly facts?: readonly string[]
  readonly cause?: string
}

/** True for an error with this errno name (`ENOENT`) or this OvlError code. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === code
}

/** Marks a state that only a bug can reach; also checks at compile time that a union was exhausted. */
export function unreachable(state: never, what = 'state'): never {
  throw new Error(`Impossible ${what}: ${String(state)}`)
}
