// Ctrl-C: what is said, which status, and that nothing is left.

import { type ChildProcess, execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { projectRoot, startOvl } from '../support/cli.ts'
import { writeHugeLayout } from '../support/huge-layout.ts'
import { isRoot } from '../support/probe.ts'

let cwd: string

before(() => {
  cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-signals-'))
})

after(() => fs.rmSync(cwd, { recursive: true, force: true }))

describe('Ctrl-C', () => {
  for (const [signal, status, form] of [
    ['SIGINT', 130, ['--flat']],
    ['SIGTERM', 143, ['--flat']],
    ['SIGINT', 130, []],
  ] as const) {
    it(`10: ${signal} in the middle of unpack ${form.join(' ')} removes everything, exit ${status}`, async () => {
      writeHugeLayout(path.join(cwd, 'huge'))
      const child = startOvl(['unpack', ...form, ...(isRoot() ? [] : ['--rootless']), 'huge', 'bint'], { cwd })
      const ended = endOf(child)
      await until(() => sizeOfWorkspace() > 0)
      child.kill(signal)
      const { stderr, code } = await ended
      expect(stderr).to.match(/^ovl: interrupted while unpacking layer 1 of 1; removed bint\.ovl-tmp-\S+ \(.*B\)\n$/m)
      expect(code).to.equal(status)
      expect(fs.readdirSync(cwd)).to.deep.equal(['huge'])
    })
  }

  it('ends a command that waits for standard input', async () => {
    const child = startOvl(['inspect', '-'], { cwd })
    const ended = endOf(child)
    await until(() => waitsForInput(child.pid))
    child.kill('SIGINT')
    const { stderr, code } = await ended
    expect([stderr, code]).to.deep.equal(['ovl: Cannot finish reading standard input: interrupted\n', 130])
  })

  it('a second one stops at once and says what is left', async () => {
    const module = JSON.stringify(path.join(projectRoot, '.test-build/src/cli/signals.js'))
    const script = `
      const { catchSignals } = await import(${module})
      const print = line => console.error(line)
      const { signal } = catchSignals({ leftovers: () => ['b.ovl-tmp-1'], print })
      signal.addEventListener('abort', () => print(signal.reason.code))
      const wait = () => new Promise(resolve => setTimeout(resolve, 5))
      process.kill(process.pid, 'SIGINT')
      while (!signal.aborted) await wait()
      process.kill(process.pid, 'SIGINT')
      for (;;) await wait()`
    const { stderr, code } = await endOf(execFile(process.execPath, ['--input-type=module', '-e', script]))
    expect(stderr).to.equal('INTERRUPTED\novl: stopped at once; left behind: b.ovl-tmp-1\n')
    expect(code).to.equal(130)
  })

  it('ends what neither waits nor writes, such as a comparison of contents', async () => {
    const module = JSON.stringify(path.join(projectRoot, '.test-build/src/cli/signals.js'))
    const script = `
      const { catchSignals } = await import(${module})
      const interruption = catchSignals({ leftovers: () => [], print: line => console.error(line) })
      console.error(interruption.letGo(() => 'done'))
      const heard = new Promise(resolve => interruption.signal.addEventListener('abort', resolve))
      setInterval(() => {}, 5)
      process.kill(process.pid, 'SIGTERM')
      await heard
      try { interruption.letGo(() => undefined) } catch (error) { console.error(error.code) }
      const again = catchSignals({ leftovers: () => [], print: line => console.error(line) })
      interruption.release()
      again.letGo(() => {
        process.kill(process.pid, 'SIGINT')
        for (const start = Date.now(); Date.now() - start < 20_000; );
      })`
    const child = execFile(process.execPath, ['--input-type=module', '-e', script])
    const { stderr } = await endOf(child)
    expect(stderr).to.equal('done\nINTERRUPTED\n')
    expect(child.signalCode).to.equal('SIGINT')
  })
})

function sizeOfWorkspace(): number {
  const name = fs.readdirSync(cwd).find(each => each.startsWith('bint.ovl-tmp-'))
  const sizes = ['rootfs', 'lower/1'].map(root => {
    const file = path.join(cwd, name ?? 'bint', root, 'huge')
    return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0
  })
  return Math.max(...sizes)
}

/** True once a process waits for its standard input: the event loop makes what it waits for non-blocking. */
function waitsForInput(pid: number | undefined): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(fs.readFileSync(`/proc/${pid}/fdinfo/0`, 'latin1'))?.[1] ?? '0'
  return (Number.parseInt(flags, 8) & fs.constants.O_NONBLOCK) !== 0
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 6000 && !condition(); i++) await sleep(5)
  expect(condition()).to.equal(true)
}

function endOf(child: ChildProcess): Promise<{ stderr: string; code: number | null }> {
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer | string) => {
    stderr += chunk.toString()
  })
  return new Promise(resolve => child.on('close', code => resolve({ stderr, code })))
}
