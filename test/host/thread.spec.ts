// Threads that wait for their task are taken when there is one, and one that died is not waited for.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { prepareThreads, startThread } from '../../src/host/index.ts'

describe('prepareThreads()', () => {
  let directory = ''

  before(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-thread-'))
  })
  after(() => fs.rmSync(directory, { recursive: true, force: true }))

  /** A script that notes each of its starts in a file, and does what `body` says. */
  const script = (name: string, body: string): { readonly url: URL; readonly starts: () => number } => {
    const [file, log] = [path.join(directory, `${name}.mjs`), path.join(directory, `${name}.log`)]
    const head = `import fs from 'node:fs'\nimport { parentPort } from 'node:worker_threads'\n`
    fs.writeFileSync(file, `${head}fs.appendFileSync(${JSON.stringify(log)}, 'x')\n${body}`)
    return { url: pathToFileURL(file), starts: () => (fs.existsSync(log) ? fs.readFileSync(log).length : 0) }
  }
  const echo = `parentPort.once('message', task => parentPort.postMessage(task + 1))`

  it('gives the next tasks to the threads that wait, then to new ones', async () => {
    const { url, starts } = script('echo', echo)
    prepareThreads(url, 2)
    const answers = await Promise.all([1, 2, 3].map(task => answer(startThread(url, task))))
    expect(answers).to.deep.equal([2, 3, 4])
    expect(starts()).to.equal(3)
  })

  it('starts another in place of one that died, which then tells why', async () => {
    const { url, starts } = script('dying', `throw new Error('no use')`)
    prepareThreads(url)
    for (let wait = 0; wait < 500 && starts() === 0; wait++) await pause()
    await pause()
    const error = await answer(startThread(url, 1)).catch((reason: unknown) => reason)
    expect((error as Error).message).to.equal('no use')
  })

  it('does not keep the process alive', () => {
    const { url } = script('waiting', echo)
    const program = path.join(directory, 'program.mjs')
    const host = new URL('../../src/host/index.js', import.meta.url)
    fs.writeFileSync(
      program,
      `import { prepareThreads } from ${JSON.stringify(host.href)}\nprepareThreads(new URL(${JSON.stringify(url.href)}))\n`,
    )
    const { status, signal } = spawnSync(process.execPath, [program], { timeout: 60_000 })
    expect([status, signal]).to.deep.equal([0, null])
  })
})

function pause(): Promise<void> {
  return new Promise(resolve => void setTimeout(resolve, 20))
}

function answer(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('ended')))
  })
}
