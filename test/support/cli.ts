// Runs bin/ovl.js as a user would: another process, its two streams, its exit status.

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The root of the project, wherever the tests were compiled to. */
export const projectRoot = fileURLToPath(new URL('../../../', import.meta.url))

export const ovlPath = `${projectRoot}bin/ovl.js`

export type CliResult = {
  readonly stdout: string
  readonly stderr: string
  /** Exit status; null when a signal ended the process. */
  readonly status: number | null
  readonly signal: string | null
}

export type CliOptions = {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: Uint8Array
  /** Runs the process as this user (tests as root only). */
  readonly uid?: number
}

const cleanEnvironment = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', LANG: 'C.UTF-8' }

/** Starts ovl; the caller ends it. */
export function startOvl(args: readonly string[], options: CliOptions = {}): ChildProcess {
  return spawn(process.execPath, [ovlPath, ...args], {
    cwd: options.cwd ?? projectRoot,
    env: { ...cleanEnvironment, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  })
}

/** Runs ovl to its end. */
export function ovl(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = startOvl(args, options)
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.stdin?.on('error', () => undefined) // ovl may end before it has read everything
    child.stdin?.end(options.input)
    child.on('error', reject)
    child.on('close', (status, signal) => {
      resolve({ stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), status, signal })
    })
  })
}
