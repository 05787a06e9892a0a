// The thread that writes an archive while another hashes it.
import fs from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { onTask } from '../thread.ts'
import type { FromPackThread, PackTask } from './pack-protocol.ts'
import { PackRing } from './pack-ring.ts'

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
onTask<PackTask>(task => parentPort?.postMessage(writeAll(task)))

function writeAll({ memory, takers, outFd }: PackTask): FromPackThread<null> {
  const ring = new PackRing(memory, takers)
  try {
    for (const bytes of ring.take(0)) {
      for (let at = 0; at < bytes.length; ) at += fs.writeSync(outFd, bytes, at)
    }
    return { type: 'done', done: null }
  } catch (error) {
    ring.stop()
    const { code = 'EIO', message } = error as NodeJS.ErrnoException
    return { type: 'failed', failure: { what: 'write', errno: code, message } }
  }
}
