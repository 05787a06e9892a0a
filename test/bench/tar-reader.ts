// How fast TarReader goes through the layer of a distribution, beside tar-stream in the same run:
// `npx tsc -p tsconfig.test.json && node .test-build/test/bench/tar-reader.js [ROUNDS]`. Only the ratio of the two
// lines means anything on another machine. Contents are counted, not copied.

import { once } from 'node:events'
import { extract } from 'tar-stream'
import { encodeTarHeader, endOfArchive, type TarEntry, tarPadding, TarReader, tarType } from '../../src/tar/index.ts'

const chunkBytes = 256 << 10
const rounds = Number(process.argv[2] ?? 15)

type Count = { entries: number; bytes: number }
type Run = { readonly firstMs: number; readonly bestMs: number; readonly count: Count }

const archive = makeLayer()
const chunks = Array.from({ length: Math.ceil(archive.length / chunkBytes) }, (_, i) =>
  archive.subarray(i * chunkBytes, (i + 1) * chunkBytes),
)
console.log(`archive of ${(archive.length / 1e6).toFixed(1)} MB in chunks of ${chunkBytes >> 10} KiB, ${rounds} rounds`)
const own = await measure(readWithTarReader)
const other = await measure(readWithTarStream)
print('ovl TarReader', own)
print('tar-stream', other)
console.log(`ratio ${(own.bestMs / other.bestMs).toFixed(3)}`)
if (JSON.stringify(own.count) !== JSON.stringify(other.count)) throw new Error('the two saw different archives')

/** About what a Debian base layer is: 1132 directories, 6946 files of 24 kB on average, 655 symlinks, a few PAX names. */
function makeLayer(): Uint8Array {
  const parts: Uint8Array[] = []
  const add = (entry: Partial<TarEntry> & { readonly name: string; readonly type: number }): void => {
    const size = entry.size ?? 0
    parts.push(encodeTarHeader({ mode: 0o644, uid: 0, gid: 0, mtimeSec: 1700000000, ...entry }))
    parts.push(new Uint8Array(size), tarPadding(size))
  }
  for (let i = 0; i < 1132; i++) add({ name: `usr/share/doc/package-${i}/`, type: tarType.directory, mode: 0o755 })
  for (let i = 0; i < 6946; i++) {
    const suffix = i % 50 === 0 ? '/ünïcode' : ''
    const size = Math.floor(((i * 2654435761) % 97) ** 2 * 7.8)
    add({ name: `usr/share/doc/package-${i % 1132}/file-${i}${suffix}`, type: tarType.file, size })
  }
  for (let i = 0; i < 655; i++) add({ name: `usr/lib/lib${i}.so`, type: tarType.symlink, linkName: `lib${i}.so.1` })
  return Buffer.concat([...parts, endOfArchive])
}

async function measure(read: () => Count | Promise<Count>): Promise<Run> {
  const times: number[] = []
  let count: Count = { entries: 0, bytes: 0 }
  for (let i = 0; i < rounds; i++) {
    const start = performance.now()
    count = await read()
    times.push(performance.now() - start)
  }
  return { firstMs: times[0] ?? 0, bestMs: Math.min(...times), count }
}

function readWithTarReader(): Count {
  const count: Count = { entries: 0, bytes: 0 }
  const reader = new TarReader({
    entry: () => {
      count.entries++
    },
    data: (_chunk, start, end) => {
      count.bytes += end - start
    },
    end: () => {},
  })
  for (const chunk of chunks) reader.push(chunk)
  reader.finish()
  return count
}

async function readWithTarStream(): Promise<Count> {
  const count: Count = { entries: 0, bytes: 0 }
  const extractor = extract()
  extractor.on('entry', (_header, stream, next) => {
    count.entries++
    stream.on('data', chunk => {
      count.bytes += (chunk as Uint8Array).length
    })
    stream.on('end', next)
  })
  const finished = once(extractor, 'finish')
  for (const chunk of chunks) if (!extractor.write(chunk)) await once(extractor, 'drain')
  extractor.end(undefined)
  await finished
  return count
}

function print(name: string, { firstMs, bestMs, count }: Run): void {
  const speed = (archive.length / 1e3 / bestMs).toFixed(0)
  const times = `best ${bestMs.toFixed(1)} ms, first ${firstMs.toFixed(1)} ms`
  console.log(`${name.padEnd(14)} ${speed.padStart(6)} MB/s  ${times}, ${count.entries} entries`)
}
