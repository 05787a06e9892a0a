// Errors as programs know them from node:fs: code, errno, syscall, path and dest, and the words of libuv.
import { getSystemErrorMap, inspect } from 'node:util'
import { type Errno, errnoNumbers, FsError } from '../errors/index.ts'
import { withoutStacks } from './without-stacks.ts'

/** What was called: names the system call and the paths in an error. */
export type SystemCall = { readonly syscall: string; readonly path?: string; readonly dest?: string }

/** An error in the shape of node:fs. */
export type NodeError = Error & {
  readonly code: string
  readonly errno?: number
  readonly syscall?: string
  readonly path?: string
  readonly dest?: string
}

/** Runs one call on a file system; its refusal is thrown as node:fs would throw it. */
export function calling<T>(call: SystemCall, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof FsError ? nodeError(error.code, call, error) : error
  }
}

/** `ENOENT: no such file or directory, open '/x'`; `cause` is what the file system threw. */
export function nodeError(errno: Errno, { syscall, path, dest }: SystemCall, cause?: FsError): NodeError {
  // libuv's name for the one errno where Linux has two.
  const code = errno === 'EOPNOTSUPP' ? 'ENOTSUP' : errno
  const places = `${path === undefined ? '' : ` '${path}'`}${dest === undefined ? '' : ` -> '${dest}'`}`
  const message = `${code}: ${texts().get(code) ?? 'unknown error'}, ${syscall}${places}`
  const error = cause === undefined ? new Error(message) : withStackOf(cause, message)
  return Object.assign(error, {
    errno: -errnoNumbers[errno],
    code,
    syscall,
    ...(path !== undefined && { path }),
    ...(dest !== undefined && { dest }),
  })
}

/** Walks the stack once, not twice. */
function withStackOf(cause: FsError, message: string): Error {
  const error = withoutStacks(() => new Error(message))
  const stack = (): string => `Error: ${message}${(cause.stack ?? '').slice(`FsError: ${cause.message}`.length)}`
  return Object.defineProperty(error, 'stack', { get: stack, configurable: true })
}

/** The refusal of an argument: ERR_INVALID_ARG_TYPE. */
export function wrongType(name: string, wanted: string, value: unknown): TypeError {
  const text = `The "${name}" argument must be ${wanted}. Received ${received(value)}`
  return Object.assign(new TypeError(text), { code: 'ERR_INVALID_ARG_TYPE' })
}

/** The refusal of an argument's value: ERR_INVALID_ARG_VALUE. */
export function wrongValue(name: string, value: unknown, fact = 'is invalid'): TypeError {
  const text = `The argument '${name}' ${fact}. Received ${inspect(value)}`
  return Object.assign(new TypeError(text), { code: 'ERR_INVALID_ARG_VALUE' })
}

/** A refusal that node:fs makes itself, without a system call that failed. */
export function ownError(code: string, message: string, call: SystemCall, errno?: Errno): NodeError {
  return Object.assign(new Error(message), {
    code,
    ...call,
    ...(errno !== undefined && { errno: errnoNumbers[errno] }),
  })
}

let textsByCode: Map<string, string> | null = null

function texts(): Map<string, string> {
  textsByCode ??= new Map(getSystemErrorMap().values())
  return textsByCode
}

function received(value: unknown): string {
  if (value === undefined || value === null) return `${value}`
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value === 'object') return `an instance of ${value.constructor?.name ?? 'Object'}`
  return `type ${typeof value} (${inspect(value)})`
}
