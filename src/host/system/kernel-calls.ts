// The calls of POSIX and Linux that a file system answers, as the kernel of this machine answers them: for measuring it
// and for comparing with it. Paths go to the kernel as they are, from the current directory on. Errors are FsErrors with
// Linux's own names, so that results of the kernel and of a file system of ovl compare directly.
import { openBinding } from './binding.ts'
import { type DescriptorCalls, descriptorCalls } from './descriptor-calls.ts'
import { type IdentityCalls, identityCalls } from './identity-calls.ts'
import { type KernelPathCalls, kernelPathCalls } from './kernel-path-calls.ts'
import { kernelMemory } from './kernel-memory.ts'

/** Everything a process asks of a file system. */
export type KernelCalls = KernelPathCalls & DescriptorCalls & IdentityCalls

let loaded: KernelCalls | null | undefined

/** The calls, or null where there is no koffi (see `loadSystem`). Cached, once for each thread. */
export function loadKernelCalls(): KernelCalls | null {
  if (loaded === undefined) {
    const binding = openBinding()
    const memory = binding === null ? null : kernelMemory(binding)
    loaded =
      memory === null ? null : { ...kernelPathCalls(memory), ...descriptorCalls(memory), ...identityCalls(memory) }
  }
  return loaded
}
