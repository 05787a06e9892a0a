// A thread that deflates blocks, one after the other, until it is stopped.
import { parentPort } from 'node:worker_threads'
import { type DeflateJob, deflateBlock } from './deflate-block.ts'

parentPort?.on('message', (job: DeflateJob) => {
  const deflated = deflateBlock(job)
  // Memory of its own, which can be handed over.
  const bytes = new Uint8Array(deflated)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(bytes, [bytes.buffer])
})
