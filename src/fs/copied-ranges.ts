// Which parts of a file a copy-up copies, and which it leaves out as holes (rule 99). fs/overlayfs/copy_up.c:
// ovl_copy_up_file(). Before each MiB it is asked where the next data is; a hole within a MiB is filled with zeros.

const stepBytes = 1 << 20

/** From `start` to before `end`. */
export type ByteRange = { readonly start: number; readonly end: number }

/** The parts in order, a MiB each at most. `nextData`: lseek(2) SEEK_DATA; null: only a hole follows. */
export function* copiedRanges(
  lengthBytes: number,
  nextData: (position: number) => number | null,
): Generator<ByteRange, void> {
  for (let at = 0; at < lengthBytes; ) {
    const start = nextData(at)
    if (start === null || start >= lengthBytes) return
    const end = Math.min(start + stepBytes, lengthBytes)
    yield { start, end }
    at = end
  }
}
