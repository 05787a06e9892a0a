// The thread that hashes an archive while it is written.
import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { onTask } from '../thread.ts'
import type { FromPackThread, PackTask } from './pack-protocol.ts'
import { PackRing } from './pack-ring.ts'

onTask<PackTask>(({ memory, takers }) => {
  const hash = createHash('sha256')
  for (const bytes of new PackRing(memory, takers).take(1)) hash.update(bytes)
  const message: FromPackThread<string> = { type: 'done', done: hash.digest('hex') }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(message)
})
