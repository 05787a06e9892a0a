// Programs that work on containers and overlays, and their versions by their own word.
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

/** A program in PATH or in a directory of system programs. */
export type Tool = {
  readonly name: string
  /** Null when it is not installed. */
  readonly path: string | null
  /** Null when it is not installed or does not tell. */
  readonly version: string | null
}

/** In the order of the report; those without an argument are not asked for their version. */
const programs: readonly (readonly [name: string, argument: string | null])[] = [
  ['runc', '--version'],
  ['crun', '--version'],
  ['umoci', '--version'],
  ['skopeo', '--version'],
  ['podman', '--version'],
  ['buildah', '--version'],
  ['fuse-overlayfs', '--version'],
  ['fusermount3', '--version'],
  ['newuidmap', null],
  ['newgidmap', null],
  ['unshare', '--version'],
]

/** Longer than any of them takes, even on a busy machine. */
const timeoutMs = 5000

/** Looks for all programs and asks those that are there; two at a time. */
export async function probeTools(): Promise<readonly Tool[]> {
  const tools: Tool[] = []
  for (let i = 0; i < programs.length; i += 2) tools.push(...(await Promise.all(programs.slice(i, i + 2).map(ask))))
  return tools
}

/** The path of a program: PATH first, then where system programs are, which ordinary users often lack in PATH. */
export function findProgram(name: string): string | null {
  const directories = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/local/sbin']
  return directories.map(directory => path.join(directory, name)).find(isProgram) ?? null
}

/** The version in what `NAME --version` prints; some name libraries and other programs, too. */
export function parseVersion(name: string, output: string): string | null {
  const lines = output.split('\n')
  const own = lines.filter(line => line.includes(name))
  for (const line of [...own, ...lines]) {
    const version = /(?<![\w.])v?(\d+(?:\.\d+)+[\w.+~-]*)/.exec(line)?.[1]
    if (version !== undefined) return version
  }
  return null
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return fs.statSync(file).isFile()
  } catch {
    return false // absent, or not for this user
  }
}

async function ask([name, argument]: readonly [string, string | null]): Promise<Tool> {
  const found = findProgram(name)
  if (found === null || argument === null) return { name, path: found, version: null }
  const output = await new Promise<string>(resolve => {
    // A program that fails may have told its version all the same.
    execFile(found, [argument], { timeout: timeoutMs }, (_error, stdout, stderr) => resolve(`${stdout}\n${stderr}`))
  })
  return { name, path: found, version: parseVersion(name, output) }
}
