// What overlayfs writes to the kernel's log while a mount is tried: the only place where most reasons are told.
import fs from 'node:fs'
import { loadSystem, ovlName } from '../host/index.ts'

/** The lines that come from now on. */
export type KernelLog = {
  /** Messages of overlayfs since the last call, without its name in front. */
  messages(): string[]
  close(): void
}

const silent: KernelLog = { messages: () => [], close() {} }

/** Opens the log at its end; one that says nothing where this user may not read it. */
export function openKernelLog(): KernelLog {
  const system = loadSystem()
  if (system === null) return silent
  let fd: number
  try {
    fd = fs.openSync('/dev/kmsg', fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
  } catch {
    return silent // not permitted (kernel.dmesg_restrict), or a container without it
  }
  system.seekEnd(fd)
  return { messages: () => readMessages(fd), close: () => fs.closeSync(fd) }
}

/** A record each read: `priority,number,time,flags;text`. */
function readMessages(fd: number): string[] {
  const messages: string[] = []
  const buffer = Buffer.alloc(8192)
  for (;;) {
    try {
      const record = ovlName(buffer.subarray(0, fs.readSync(fd, buffer)))
      const text = /^[^;]*;overlay(?:fs)?: ([^\n]*)/.exec(record)?.[1]
      if (text !== undefined) messages.push(text)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') continue // records were overwritten before they were read
      if (code === 'EAGAIN') return messages
      throw error
    }
  }
}
