// Changes to archives that a reader must survive: of random bytes, and of header fields with the checksum made right,
// so that they are looked at.

import { concat, fixChecksum, latin1, octal } from './building.ts'

export type Random = () => number

/** A small generator of numbers in [0, 1) (mulberry32), so that a seed repeats a run. */
export function generator(start: number): Random {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One of the values. */
export function pick<T>(values: readonly T[], random: Random): T {
  return values[Math.floor(random() * values.length)] as T
}

/** Where fields start and how wide they are: of all header formats and of sparse maps. */
const fieldRanges: readonly (readonly [number, number])[] = [
  ...([100, 108, 116, 329, 337] as const).map(start => [start, 8] as const),
  ...([124, 136, 483] as const).map(start => [start, 12] as const),
  ...([0, 157] as const).map(start => [start, 100] as const),
  ...([156, 482] as const).map(start => [start, 1] as const),
  ...([504, 508] as const).map(start => [start, 4] as const),
  [257, 8],
  [265, 32],
  [345, 155],
  [386, 24],
]
const interesting = [
  '',
  '\0',
  '0',
  '7'.repeat(12),
  '9',
  '\x80',
  '\xff'.repeat(12),
  `\x80${'\0'.repeat(6)}\x20`,
  `\x80${'\xff'.repeat(11)}`,
  'ustar\x0000',
  'ustar  \0',
  'tar\0',
  octal(1),
  octal(512),
  octal(1 << 20),
  octal(1 << 21),
  octal(8 ** 11 - 1),
  '/',
  '=',
]
const types = Array.from('\x000123456 7SxgLKDVMNXA')

/** An archive with one to four changes of bytes, blocks, digits or header fields. */
export function mutate(original: Uint8Array, random: Random): Uint8Array {
  let archive: Uint8Array = original.slice()
  const times = 1 + Math.floor(random() * 4)
  for (let i = 0; i < times && archive.length > 0; i++) archive = mutateOnce(archive, random)
  return archive
}

function mutateOnce(archive: Uint8Array, random: Random): Uint8Array {
  const at = Math.floor(random() * archive.length)
  const length = random() < 0.3 ? 512 : Math.floor(random() * 40)
  switch (Math.floor(random() * 8)) {
    case 0:
      archive[at] = (archive[at] ?? 0) ^ (1 << Math.floor(random() * 8))
      return archive
    case 1:
      return concat(
        archive.subarray(0, at),
        archive.subarray(Math.floor(random() * at)).subarray(0, length),
        archive.subarray(at),
      )
    case 2:
      return concat(archive.subarray(0, at), archive.subarray(at + length))
    case 3:
      return archive.subarray(0, at)
    case 4:
      return mutateDigits(archive, random)
    default:
      return mutateHeader(archive, random)
  }
}

/** Changes a field of what may be a header, and makes its checksum right. */
function mutateHeader(archive: Uint8Array, random: Random): Uint8Array {
  const block = archive.subarray(Math.floor((random() * archive.length) / 512) * 512).subarray(0, 512)
  if (block.length < 512) return archive
  const [start, width] = pick(fieldRanges, random)
  const text = start === 156 ? pick(types, random) : pick(interesting, random)
  block.set(latin1(text).subarray(0, width), start)
  fixChecksum(block)
  return archive
}

/** Changes a digit somewhere: the lengths and numbers of PAX records and sparse maps. */
function mutateDigits(archive: Uint8Array, random: Random): Uint8Array {
  const from = Math.floor(random() * archive.length)
  const at = archive.findIndex((byte, i) => i >= from && byte >= 0x30 && byte <= 0x39)
  if (at >= 0) archive[at] = 0x2d + Math.floor(random() * 14)
  return archive
}
