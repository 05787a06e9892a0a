// A real overlay, mounted in a mount namespace of a child process and changed there: the one way to know whether a
// directory serves as upperdir. Nothing of it is seen outside, and nothing stays mounted.
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { hostPath } from '../host-path.ts'
import { type Ability, able, unable, untried } from './ability.ts'
import { findProgram } from './tools.ts'

/** How the overlay is mounted. */
export type OverlayTrialKind =
  /** By this user, with trusted.* attributes. */
  | 'native'
  /** In a user namespace in which this user is root, with user.* attributes. */
  | 'userxattr'

/** How far the overlay worked. */
export type OverlayTrial = {
  /** A user namespace could be made; of `native`, a mount namespace. */
  readonly namespace: Ability
  readonly mounts: Ability
  /** A lower file can be removed. */
  readonly whiteout: Ability
  /** A removed lower directory can be made again. */
  readonly opaque: Ability
  /** A lower file can be renamed. */
  readonly rename: Ability
}

/** Each step says its name when it is done; the first message of a step that fails is its reason. */
const script = `
say() { echo "done $1"; }
fail() { echo "failed $1"; }
say namespace
if mount -t overlay overlay -o "$1" m; then say mounts; else fail mounts; exit 0; fi
if rm m/file; then say whiteout; else fail whiteout; fi
if rm -r m/directory && mkdir m/directory && [ -z "$(ls -A m/directory)" ]; then say opaque; else fail opaque; fi
if mv m/old m/new; then say rename; else fail rename; fi
`

const timeoutMs = 10_000

/** Tries it in a new directory inside `workspace`, which stays behind for the caller to remove. */
export async function tryOverlay(workspace: string, kind: OverlayTrialKind): Promise<OverlayTrial> {
  const unshare = findProgram('unshare')
  if (unshare === null || findProgram('mount') === null) return allSteps(untried('unshare(1) or mount(8) is missing'))
  const stage = path.join(workspace, `overlay-${kind}`)
  try {
    makeStage(stage)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (typeof code !== 'string') throw error
    return allSteps(untried(`the directories cannot be made (${code})`))
  }
  const options = `lowerdir=lower,upperdir=upper,workdir=work${kind === 'userxattr' ? ',userxattr' : ''}`
  const namespaces = kind === 'userxattr' ? ['--user', '--map-root-user', '--mount'] : ['--mount']
  const output = await run(unshare, [...namespaces, 'sh', '-c', script, 'sh', options], stage)
  return readOutput(output)
}

function makeStage(stage: string): void {
  const at = (...names: readonly string[]): string | Buffer => hostPath(path.join(stage, ...names))
  for (const name of ['', 'lower', 'lower/directory', 'upper', 'work', 'm']) fs.mkdirSync(at(name))
  for (const name of ['file', 'directory/inside', 'old']) fs.writeFileSync(at('lower', name), 'x')
}

function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const PATH = [process.env['PATH'] ?? '', '/usr/sbin', '/sbin', '/usr/bin', '/bin'].join(':')
  return new Promise(resolve => {
    // Both streams in one, so that messages stand before the step that they explain.
    const command = ['-c', 'exec "$@" 2>&1', 'sh', program, ...args]
    execFile('sh', command, { cwd, timeout: timeoutMs, env: { ...process.env, PATH, LC_ALL: 'C' } }, (_error, stdout) =>
      resolve(stdout),
    )
  })
}

/** `unshare: unshare failed: Operation not permitted`, `mount: …: permission denied.`, `done mounts`, `failed opaque` */
function readOutput(output: string): OverlayTrial {
  const results = new Map<string, Ability>()
  let message: string | null = null
  for (const line of output.split('\n').filter(text => text.trim() !== '')) {
    const [, verdict, step] = /^(done|failed) (\w+)$/.exec(line) ?? []
    if (verdict === undefined || step === undefined) {
      message ??= reasonIn(line)
      continue
    }
    results.set(step, verdict === 'done' ? able : unable(message ?? 'failed'))
    message = null
  }
  const namespace = results.get('namespace') ?? unable(message ?? 'no answer')
  const mounts = results.get('mounts') ?? untried('no namespace')
  const stepOf = (name: string): Ability => results.get(name) ?? untried('no mount')
  return { namespace, mounts, whiteout: stepOf('whiteout'), opaque: stepOf('opaque'), rename: stepOf('rename') }
}

/** The last part of a message: what the system said. */
function reasonIn(line: string): string {
  const part = line.split(': ').at(-1) ?? line
  return part.trim().replace(/\.$/, '')
}

function allSteps(ability: Ability): OverlayTrial {
  return { namespace: ability, mounts: ability, whiteout: ability, opaque: ability, rename: ability }
}
