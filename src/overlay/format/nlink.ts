// The value of overlay.nlink: the link count of an indexed file, as the difference to that of its upper or its lower
// inode, whichever is not about to change (fs/overlayfs/inode.c: ovl_set_nlink_common(), ovl_get_nlink(); rule 63).

/** Counts of one file: in the overlay, and of the inodes it stands for. */
export type LinkCounts = { readonly upper: number; readonly lower: number }

/** `U+1`: so many more than the inode has that it is relative to. */
export function formatNlink(relativeTo: 'upper' | 'lower', difference: number): Uint8Array {
  const sign = difference < 0 ? '-' : '+'
  return new TextEncoder().encode(`${relativeTo === 'upper' ? 'U' : 'L'}${sign}${Math.abs(difference)}`)
}

/** The count that a value stands for; null for a value that cannot be right, which the kernel does not believe. */
export function parseNlink(value: Uint8Array, { upper, lower }: LinkCounts): number | null {
  // kstrtoint() takes a line feed at the end. More than 12 bytes do not fit the kernel's buffer.
  const parts = /^([UL])([+-]\d+)\n?$/.exec(String.fromCharCode(...value.subarray(0, maxBytes + 1)))
  if (parts === null || value.length > maxBytes) return null
  const difference = Number(parts[2])
  if (difference < -0x8000_0000 || difference > 0x7fff_ffff) return null
  const count = (parts[1] === 'U' ? upper : lower) + difference
  return count > 0 ? count : null
}

const maxBytes = 12
