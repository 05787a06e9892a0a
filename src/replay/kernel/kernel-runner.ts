// The runner of real mounts, as the rest of the program sees it: a process that answers.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import os from 'node:os'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { OvlError } from '../../errors/index.ts'
import { loadKernelCalls } from '../../host/index.ts'
import type { PlayOptions, Replay } from '../../scenario/index.ts'
import type { Runner } from '../runner.ts'
import type { KernelAnswer, KernelQuestion } from './kernel-process.ts'
import type { StageKind } from './kernel-stage.ts'
import { spawnInUserNamespace } from './user-namespace.ts'

/** A process in a mount namespace of its own. */
type Child = ChildProcessByStdio<Writable, Readable, Readable>

/**
 * Starts a process that mounts overlays, with the layers on a tmpfs or on an ext4 of its own. Nothing of it can be seen
 * from outside, and nothing stays when it ends, however that happens.
 *
 * Errors: NEEDS_PRIVILEGE for anybody but root; UNSUPPORTED without koffi, and where mounting fails.
 */
export async function openKernelRunner(kind: StageKind = 'tmpfs', options: PlayOptions = {}): Promise<Runner> {
  const name = kind === 'ext4' ? 'kernel-ext4' : 'kernel'
  checkPrivilege(name)
  const answers = answersOf(spawnRunner(kind))
  const started = await answers.next()
  if ('error' in started) throw cannotMount(name, started.error)
  const namespaced = lazily(async () => (kind === 'tmpfs' ? startNamespaced() : null))
  return {
    name,
    title: `kernel ${os.release()}${kind === 'ext4' ? ' on ext4' : ''}`,
    isLikeTmpfs: kind === 'tmpfs',
    async run(scenario) {
      const place = scenario.userNamespace === true ? await namespaced() : answers
      if (place === null) throw withoutNamespaces(name)
      const answer = place.next()
      const question: KernelQuestion = { scenario, options }
      place.send(JSON.stringify(question))
      const result = await answer
      if ('error' in result) throw new Error(`Cannot run a scenario on the kernel: ${result.error}`)
      return result.ok as Replay
    },
    hasUserNamespaces: async () => (await namespaced()) !== null,
    async close() {
      await answers.close()
      await namespaced.made?.then(place => place?.close())
    },
  }
}

function checkPrivilege(name: string): void {
  if (process.geteuid?.() !== 0) {
    throw new OvlError('NEEDS_PRIVILEGE', `Cannot run scenarios on the ${name}: mounting an overlay needs root`, {
      hint: 'run the same command with sudo, or with --on emulator',
    })
  }
  if (loadKernelCalls() === null) {
    throw new OvlError('UNSUPPORTED', `Cannot run scenarios on the ${name}: the package koffi is missing`, {
      hint: 'npm install koffi',
    })
  }
}

/** The process in a user namespace. Null where there can be none, or where it cannot mount. */
async function startNamespaced(): Promise<Answers | null> {
  const process = await spawnInUserNamespace(program(), ['tmpfs'])
  if (process === null) return null
  const answers = answersOf(process.child)
  const started = await answers.next()
  process.end()
  if (!('error' in started)) return answers
  await answers.close()
  return null
}

type Lazy<T> = (() => Promise<T>) & { made?: Promise<T> }

function lazily<T>(make: () => Promise<T>): Lazy<T> {
  const get: Lazy<T> = () => (get.made ??= make())
  return get
}

function withoutNamespaces(name: string): OvlError {
  return new OvlError('UNSUPPORTED', `Cannot run a scenario with userNamespace on the ${name}`, {
    hint:
      name === 'kernel-ext4'
        ? 'an ext4 cannot be mounted in a user namespace: run it with --on kernel'
        : 'it needs unshare(1), nsenter(1), and user namespaces that root may make and hand ids to',
  })
}

function cannotMount(name: string, reason: string): OvlError {
  return new OvlError('UNSUPPORTED', `Cannot run scenarios on the ${name}: this machine does not let ovl mount`, {
    cause: new Error(reason),
    hint: 'containers need CAP_SYS_ADMIN: docker run --privileged',
  })
}

type Answers = {
  send(line: string): void
  /** The next answer; asked for before the question is sent. */
  next(): Promise<KernelAnswer>
  close(): Promise<void>
}

function program(): string {
  return fileURLToPath(new URL('./kernel-process.js', import.meta.url))
}

function spawnRunner(kind: StageKind): Child {
  return spawn(process.execPath, [program(), kind], { stdio: ['pipe', 'pipe', 'pipe'] })
}

function answersOf(child: Child): Answers {
  const waiting: ((answer: KernelAnswer) => void)[] = []
  const early: KernelAnswer[] = []
  const deliver = (answer: KernelAnswer): void => {
    const next = waiting.shift()
    if (next === undefined) early.push(answer)
    else next(answer)
  }
  createInterface({ input: child.stdout }).on('line', line => deliver(JSON.parse(line) as KernelAnswer))
  let complaints = ''
  child.stderr.on('data', (text: Buffer) => void (complaints = `${complaints}${text.toString()}`.slice(-4000)))
  child.stdin.on('error', () => undefined) // the process may be gone: its end tells
  child.once('error', error => void (complaints = error.message)) // and if there was none, this
  let isOver = false
  const ended = new Promise<void>(resolve => {
    child.once('close', status => {
      isOver = true
      for (const next of waiting.splice(0)) next(gone(status, complaints))
      resolve()
    })
  })
  return {
    send: line => void child.stdin.write(`${line}\n`),
    next: () =>
      new Promise(resolve => {
        const answer = early.shift()
        if (answer !== undefined) resolve(answer)
        else if (isOver) resolve(gone(child.exitCode, complaints))
        else waiting.push(resolve)
      }),
    close() {
      child.stdin.end()
      return ended
    },
  }
}

function gone(status: number | null, complaints: string): KernelAnswer {
  return { error: `its process ended with status ${status ?? 'unknown'}\n${complaints}` }
}
