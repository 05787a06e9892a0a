import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import { escapeControls } from '../../errors/index.ts'

/** A failed system call, shaped like the errors of node:fs, so that callers need not know who made the call. */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  /** Name of the errno, as Node spells it: "ENOENT". */
  readonly code: string
  /** Negative, as in Node. */
  readonly errno: number
  readonly syscall: string
  /** An ovl name: bytes that are no UTF-8 are escaped as lone surrogates. */
  readonly path: string | undefined

  constructor(syscall: string, errno: number, path?: string) {
    const [code, text] = describe(errno)
    super(`${code}: ${text}, ${syscall}${path === undefined ? '' : ` '${escapeControls(path)}'`}`)
    this.code = code
    this.errno = -errno
    this.syscall = syscall
    this.path = path
  }
}

/** The number of an errno by its name, on this machine. */
export const errnoOf: Readonly<Record<keyof typeof constants.errno, number>> = constants.errno

/** libuv's names come first, to agree with node:fs (ENOTSUP, not EOPNOTSUPP); it does not know all of Linux's. */
function describe(errno: number): readonly [code: string, text: string] {
  const known = getSystemErrorMap().get(-errno)
  if (known !== undefined) return known
  const name = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0]
  return [name ?? `E${errno}`, 'system call failed']
}
