// The thread that writes an archive.
import fs from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import type { FromPackThread, PackTask } from './pack-protocol.ts'
import { PackRing } from './pack-ring.ts'

const { memory, takers, outFd } = workerData as PackTask
const ring = new PackRing(memory, takers)
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(writeAll())

function writeAll(): FromPackThread<number> {
  let written = 0
  try {
    for (const bytes of ring.take(0)) {
      for (let at = 0; at < bytes.length; ) at += fs.writeSync(outFd, bytes, at)
      written += bytes.length
    }
    return { type: 'done', done: written }
  } catch (error) {
    ring.stop()
    const { code = 'EIO', message } = error as NodeJS.ErrnoException
    return { type: 'failed', failure: { what: 'write', errno: code, message } }
  }
}
