// Device numbers of file systems without a device (get_anon_bdev of the kernel). Counted down from the last minor, far
// from those that a kernel hands out first.

let next = 0xfffff

/** A number for `SuperBlock.dev` that no other file system of this program has. */
export function newDevice(): number {
  return next--
}
