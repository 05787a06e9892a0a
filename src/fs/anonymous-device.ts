// Numbers of file systems that have no device: the kernel's get_anon_bdev(). One counter for all, so that no two file
// systems of a process share one.
import { makeDevice } from './mode.ts'

/**
 * A device number that nothing else in this process has, for `SuperBlock.dev` and the devices that an overlay shows.
 * Major 0 as the kernel's own, with minors that a host's mounts do not reach.
 */
export function newAnonymousDevice(): number {
  last = (last + 1) % range
  return makeDevice(0, range + last)
}

const range = 0x8_0000
let last = 0
