// Threads that start before their task is known. A thread takes half as long to start as Node itself: started when the
// command line is read, it is there when there is something to do.
import { availableParallelism } from 'node:os'
import { parentPort, Worker } from 'node:worker_threads'

/** A thread that waits for its task, and what listens to it meanwhile. */
type Idle = { readonly script: string; readonly worker: Worker; readonly forget: () => void }

const idle = new Set<Idle>()

/**
 * Starts threads that load their script and wait; the next `startThread` calls for it take them. They do not keep the
 * process alive. Nothing happens on a machine with one processor, where they would only delay what is to be done first.
 */
export function prepareThreads(script: URL, count = 1): void {
  if (availableParallelism() < 2) return
  for (let number = 0; number < count; number++) {
    const worker = spawn(script)
    // One that fails is forgotten: whoever starts the next one hears of it.
    const one: Idle = { script: script.href, worker, forget: () => void idle.delete(one) }
    idle.add(one)
    worker.unref()
    worker.once('error', one.forget)
    worker.once('exit', one.forget)
  }
}

/** A thread that runs `script` with this task; an idle one where there is one. */
export function startThread(script: URL, task: unknown): Worker {
  const worker = takeIdle(script) ?? spawn(script)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  worker.postMessage(task)
  return worker
}

function takeIdle(script: URL): Worker | null {
  for (const one of idle) {
    if (one.script !== script.href) continue
    const { worker, forget } = one
    idle.delete(one)
    worker.off('error', forget)
    worker.off('exit', forget)
    worker.ref()
    return worker
  }
  return null
}

/** In a thread: calls `begin` with its task. What comes after it goes to the listeners that `begin` adds. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows what the other end sends
export function onTask<T>(begin: (task: T) => void): void {
  parentPort?.once('message', begin)
}

/** System calls open what node:fs closes, and the other way round: Node is not to keep track. */
function spawn(script: URL): Worker {
  return new Worker(script, { trackUnmanagedFds: false })
}
