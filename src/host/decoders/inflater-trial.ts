// Tries an inflater whose inner workings are known from one version of a library only, before data is trusted to it.
import { crc32 } from 'node:zlib'
import type { Inflater } from './inflate.ts'

/** 640 letters, some more frequent than others. */
const content = Uint8Array.from({ length: 640 }, (_, i) => 97 + (((i * i) % 251) % 19))

/**
 * The same as a stream with all kinds of blocks: dynamic codes, empty, stored, fixed codes. Written out, since to
 * compress it here would cost 3 ms.
 */
const stream = Buffer.from(
  '7I9JagUxDETPallya7Yt3R9Cf0LIBbLLtqjpDSC9TzmvxV7PXeOeO5aUYkfsBh2Bo08TX6l01jxkmKaPWuGmkemnZsARJBS/UsoIi30aZKhoTG0jmpNkY9ma' +
    'MJcVd8jzSDT/SLjldZG1zk8wwabzAmQtuf4ZOBCzjmcOetveG4lGJ5U9Sy5Tnx4YQ6F3RKOWfEP95lSC8Y/+d+hfAAAA//8AFADr/2ptY2pza2VlY2Nl' +
    'aW9kcmtmY2JjAAAA//9Lyy7KKM7NTE/PzC3OKMpOS05KTgMA',
  'base64',
)

/** What surrounds the stream: none of it may be taken for a part of it, nor be lost. */
const before = Uint8Array.of(0x7e)
const after = Uint8Array.of(0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x17, 0x28, 0x39)

/** Larger than everything, and small enough to end everywhere within a symbol. */
const piecesBytes = [10_000, 3]

/**
 * Whether a fresh inflater gives the right output, CRC, end and held bytes for the stream, whole and in small pieces,
 * and refuses a corrupt one. It is used up afterwards.
 */
export function isTrustworthy(inflater: Inflater): boolean {
  return piecesBytes.every(pieceBytes => inflates(inflater, pieceBytes)) && refuses(inflater)
}

function inflates(inflater: Inflater, pieceBytes: number): boolean {
  const input = Buffer.concat([before, stream, after])
  const output = Buffer.alloc(content.length + 2)
  let inAt = before.length
  let outAt = 1
  // Every step moves something, save perhaps the one that finds the end.
  for (let left = input.length + output.length; left > 0 && !inflater.ended; left--) {
    const inEnd = Math.min(input.length, inAt + pieceBytes)
    const outEnd = Math.min(output.length, outAt + pieceBytes)
    const result = inflater.step(input, inAt, inEnd, output, outAt, outEnd)
    if (result instanceof Promise) return false
    inAt += result.consumed
    outAt += result.produced
  }
  const { ended, held, crc } = inflater
  const streamEnd = before.length + stream.length
  inflater.reset()
  return (
    ended &&
    !inflater.ended &&
    inAt - held.length === streamEnd &&
    input.subarray(streamEnd, inAt).equals(held) &&
    outAt === 1 + content.length &&
    output.equals(Buffer.concat([Buffer.alloc(1), content, Buffer.alloc(1)])) &&
    crc === crc32(content)
  )
}

/** Gives it a block of the reserved type. */
function refuses(inflater: Inflater): boolean {
  try {
    void inflater.step(Uint8Array.of(0x07, 0, 0, 0), 0, 4, new Uint8Array(16), 0, 16)
    return false
  } catch {
    return true // its verdict on the data, as it should be
  }
}
