// Which holes a copy-up keeps: on emulator and kernel the same, to the page.
import { expect } from 'chai'
import { type FileSystem, O_RDONLY, O_RDWR, O_WRONLY } from '../../../src/fs/index.ts'
import { needsOverlayMounts } from '../../support/overlay-stage.ts'
import { onStage } from '../../support/overlay-stages.ts'

const page = 4096
const mebibyte = 1 << 20

/** What is written where, the size, and the pages that the copy has: first and behind the last of each run. */
const layouts: readonly [
  title: string,
  data: readonly (readonly [position: number, lengthBytes: number])[],
  sizeBytes: number,
  runs: readonly (readonly [first: number, end: number])[],
][] = [
  ['nothing but a hole', [], 3 * mebibyte, []],
  ['a hole in front stays, however small', [[page, 10]], 4 * page, [[1, 4]]],
  [
    'a hole within a MiB is filled',
    [
      [0, 10],
      [5 * page, 10],
    ],
    8 * page,
    [[0, 8]],
  ],
  [
    'MiBs are counted from the data on',
    [
      [page, 10],
      [mebibyte + 3 * page, 10],
    ],
    mebibyte + 8 * page,
    [
      [1, 257],
      [259, 264],
    ],
  ],
  ['a hole at the end is filled to the end of the MiB', [[2 * mebibyte, page]], 4 * mebibyte, [[512, 768]]],
  [
    'far apart',
    [
      [3 * page, 2 * page],
      [64 * mebibyte, 1],
    ],
    64 * mebibyte + 1,
    [
      [3, 259],
      [16_384, 16_385],
    ],
  ],
]

function runsOf(fs: FileSystem, path: string): readonly (readonly [number, number])[] {
  const handle = fs.open(path, O_RDONLY)
  const { sizeBytes } = handle.stat()
  const runs: [number, number][] = []
  try {
    for (let at = 0; at < sizeBytes; ) {
      const start = dataBehind(() => handle.seek(at, 'data'), sizeBytes)
      if (start === sizeBytes) break
      at = handle.seek(start, 'hole')
      runs.push([start / page, Math.ceil(at / page)])
    }
  } finally {
    handle.close()
  }
  return runs
}

function dataBehind(seek: () => number, sizeBytes: number): number {
  try {
    return seek()
  } catch (error) {
    expect(error).to.include({ code: 'ENXIO' })
    return sizeBytes
  }
}

describe('holes of a copied-up file', () => {
  for (const kind of ['memory', 'host', 'kernel'] as const) {
    describe(kind, () => {
      if (kind !== 'memory') before(needsOverlayMounts)
      for (const [title, data, sizeBytes, runs] of layouts) {
        it(title, () =>
          onStage(kind, s => {
            s.make({ lower: [{ f: { content: '', size: sizeBytes } }] })
            const source = s.lower.open('f', O_RDWR)
            for (const [position, lengthBytes] of data) source.write(new Uint8Array(lengthBytes).fill(120), position)
            source.close()
            s.remount().open('f', O_WRONLY).close()
            const pages = runs.reduce((sum, [first, end]) => sum + end - first, 0)
            expect([runsOf(s.u, 'f'), s.u.lstat('f').blocks * 512]).to.deep.equal([runs, pages * page])
            expect(s.u.lstat('f').sizeBytes).to.equal(sizeBytes)
            expect(Buffer.from(s.m.readFile('f')).equals(Buffer.from(s.lower.readFile('f')))).to.equal(true)
          }),
        )
      }
    })
  }
})
