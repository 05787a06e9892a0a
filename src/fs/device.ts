// Device numbers of file systems without a device (get_anon_bdev of the kernel). Counted down from the last minor, far
// from those that a kernel hands out first.

let next = 0xfffff
/** Numbers that were given back, in ascending order. */
const free: number[] = []

/** A number for `SuperBlock.dev` that no other file system of this program has. */
export function newDevice(): number {
  return free.pop() ?? next--
}

/** The file system is gone. As in the kernel, the next one gets its number. */
export function freeDevice(device: number): void {
  free.push(device)
  free.sort((a, b) => a - b)
}
