// A thread that writes layers: one request after the other, in a working directory and with a umask of its own.

import { parentPort } from 'node:worker_threads'
import { OvlError } from '../errors/index.ts'
import { loadSystem, onTask } from '../host/index.ts'
import { enterDirectory } from './enter-directory.ts'
import type { FromThread, LayersTask, ToThread } from './layer-protocol.ts'
import { LayerWriter } from './layer-writer.ts'

type Request = Exclude<ToThread, 'stop'>

onTask<LayersTask>(task => {
  const stopping = new AbortController()
  const system = loadSystem()
  if (system === null) throw new Error('a thread that writes layers needs system calls')
  const writer = new LayerWriter({
    task,
    system,
    ...enterDirectory(system, { prefix: `${task.workspace}/`, umask: task.umask }),
    signal: stopping.signal,
    onReading: (number, uncompressedBytes) => send({ type: 'reading', number, uncompressedBytes }),
  })
  let last: Promise<void> = Promise.resolve()
  parentPort?.on('message', (message: ToThread) => {
    if (message !== 'stop') {
      last = last.then(() => (stopping.signal.aborted ? undefined : answer(writer, message)))
      return
    }
    stopping.abort()
    void last.finally(() => {
      writer.close()
      parentPort?.close()
    })
  })
})

async function answer(writer: LayerWriter, { id, request }: Request): Promise<void> {
  try {
    send({ type: 'answer', id, answer: await writer.answer(request) })
  } catch (error) {
    if (!(error instanceof OvlError)) throw error // a bug: the main thread reports it with its stack
    const warnings = request.kind === 'write' ? writer.warningsOf(request.layer.number) : []
    send({ type: 'failed', id, error: error.toJSON(), warnings })
  }
}

function send(message: FromThread): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(message)
}
