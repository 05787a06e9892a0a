import { expect } from 'chai'
import { type Compression, detectCompression } from '../../src/host/index.ts'

const bytes = (...values: (number | string)[]): Uint8Array =>
  Buffer.concat(values.map(value => (typeof value === 'string' ? Buffer.from(value, 'latin1') : Buffer.from([value]))))

const cases: readonly [string, Uint8Array, Compression][] = [
  ['nothing', bytes(), 'none'],
  ['gzip', bytes(0x1f, 0x8b, 8, 0), 'gzip'],
  ['gzip magic with another method', bytes(0x1f, 0x8b, 7, 0), 'none'],
  ['a single byte of gzip', bytes(0x1f), 'none'],
  ['zstd', bytes(0x28, 0xb5, 0x2f, 0xfd), 'zstd'],
  ['a skippable zstd frame', bytes(0x50, 0x2a, 0x4d, 0x18), 'zstd'],
  ['the last skippable zstd frame', bytes(0x5f, 0x2a, 0x4d, 0x18, 0), 'zstd'],
  ['no skippable zstd frame', bytes(0x60, 0x2a, 0x4d, 0x18), 'none'],
  ['xz', bytes(0xfd, '7zXZ', 0, 0, 4), 'xz'],
  ['bzip2', bytes('BZh9', '1AY&SY'), 'bzip2'],
  ['an empty bzip2 stream', bytes('BZh1', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90), 'bzip2'],
  ['the name of a file in a tar', bytes('BZh9-notes'), 'none'],
  ['bzip2 of level 0', bytes('BZh0', '1AY&SY'), 'none'],
  ['the first name of a tar', bytes('etc/passwd'), 'none'],
]

describe('detectCompression()', () => {
  for (const [name, head, want] of cases) {
    it(`takes ${name} for ${want}`, () => expect(detectCompression(head)).to.equal(want))
  }
})
