// The Linux system calls that Node does not offer, through koffi. Everything here is one call each, under its name in
// the manual (section 2); policy lives in the rooms that call.
import { openBinding } from './binding.ts'
import { type ContentCalls, contentCalls } from './contents.ts'
import { type FileCalls, fileCalls } from './files.ts'
import { type InspectionCalls, inspectionCalls } from './inspection.ts'
import { type LockCalls, lockCalls } from './locks.ts'
import { type MountCalls, mountCalls } from './mounts.ts'
import { type ThreadCalls, threadCalls } from './threads.ts'
import { type TimeCalls, timeCalls } from './times.ts'
import { type XattrCalls, xattrCalls } from './xattrs.ts'

/** All system calls, by their names in the manual. */
export type System = FileCalls &
  TimeCalls &
  XattrCalls &
  ThreadCalls &
  ContentCalls &
  MountCalls &
  InspectionCalls &
  LockCalls

let loaded: System | null | undefined

/**
 * The system calls, or null where koffi is not installed, off Linux and on 32-bit machines. Synchronous and cached,
 * once for each thread (worker threads have modules of their own); the first call takes some 10 ms.
 */
export function loadSystem(): System | null {
  if (loaded === undefined) {
    const binding = openBinding()
    loaded =
      binding === null
        ? null
        : {
            ...fileCalls(binding),
            ...timeCalls(binding),
            ...xattrCalls(binding),
            ...threadCalls(binding),
            ...contentCalls(binding),
            ...mountCalls(binding),
            ...inspectionCalls(binding),
            ...lockCalls(binding),
          }
  }
  return loaded
}
