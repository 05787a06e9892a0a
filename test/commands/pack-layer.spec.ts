// A layer that threads write is byte for byte the one that is encoded here, and fails as that would.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { packLayer } from '../../src/commands/diff/pack-layer.ts'
import { type HostView, openHostFs, openHostView } from '../../src/host/index.ts'
import {
  type Change,
  diffUpper,
  encodeLayerBytes,
  layerEntries,
  streamUpper,
  type WrittenEntry,
} from '../../src/layer/index.ts'
import { isRoot, skipUnless } from '../support/probe.ts'
import { randomSteps, takeSteps } from '../support/random-tree.ts'

describe('packLayer()', () => {
  let arena = ''
  const views: HostView[] = []

  before(function () {
    skipUnless(this, isRoot(), 'needs root for owners and devices')
    arena = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-pack-'))
  })
  after(() => {
    for (const view of views) view.close()
    fs.rmSync(arena, { recursive: true, force: true })
  })

  const makeView = (make: (directory: string) => void): HostView => {
    const directory = fs.mkdtempSync(path.join(arena, 'tree-'))
    make(directory)
    const view = openHostView(directory)
    views.push(view)
    return view
  }

  type How = {
    readonly isHashed?: boolean
    readonly signal?: AbortSignal
    readonly directory?: string
    readonly flags?: string
  }

  const pack = async (view: HostView, entries: Iterable<WrittenEntry>, how: How = {}) => {
    const { isHashed = true, signal = AbortSignal.timeout(120_000), directory = arena, flags = 'w' } = how
    const file = path.join(fs.mkdtempSync(path.join(directory, 'out-')), 'layer.tar')
    const fd = fs.openSync(file, flags)
    try {
      const written = await packLayer(entries, { view, outFd: fd, isHashed, signal })
      return { written, bytes: fs.readFileSync(file) }
    } finally {
      fs.closeSync(fd)
    }
  }

  it('writes what encodeLayer() gives, while the directory is read', async () => {
    await fc.assert(
      fc.asyncProperty(randomSteps, async steps => {
        const view = makeView(directory => {
          const host = openHostFs(directory)
          takeSteps(host, steps)
          host.close()
        })
        const want = encodeLayerBytes(layerEntries(diffUpper(view), { warn: fail }))
        const { written, bytes } = await pack(
          view,
          streamUpper(view, { userxattr: false, warn: fail }, () => undefined),
        )
        expect(bytes.equals(want)).to.equal(true)
        expect([written.sizeBytes, written.diffID]).to.deep.equal([want.length, `sha256:${sha256(want)}`])
      }),
      { numRuns: 12 },
    )
  })

  it('writes files of all sizes around those of its buffers, and headers larger than a batch', async () => {
    const view = makeView(directory => {
      // Small ones are read where they are found, larger ones by a thread.
      const sizes = [
        1,
        511,
        512,
        513,
        16_383,
        16_384,
        16_385,
        65_536,
        (1 << 20) - 512,
        1 << 20,
        (1 << 20) + 1,
        3_000_000,
      ]
      for (const size of sizes) fs.writeFileSync(path.join(directory, `f${size}`), Buffer.alloc(size, `${size}`))
      const host = openHostFs(directory)
      host.setxattr('/f1', 'user.big', new Uint8Array(3000).fill(7))
      host.setxattr('/f16384', 'user.big', new Uint8Array(3000).fill(7))
      host.setxattr('/f65536', 'user.big', new Uint8Array(3000).fill(7))
      host.close()
      let deep = directory
      for (let i = 0; i < 30; i++) deep = path.join(deep, 'a-directory-with-a-rather-long-name-for-a-test')
      fs.mkdirSync(deep, { recursive: true })
      fs.writeFileSync(path.join(deep, 'file'), 'deep')
    })
    const entries = layerEntries(diffUpper(view), { warn: fail })
    const want = encodeLayerBytes(entries)
    // Hashed: by three threads; not hashed: by one, large files by sendfile(2), which cannot append.
    for (const how of [{ isHashed: true }, { isHashed: false }, { isHashed: false, flags: 'a' }]) {
      const { bytes, written } = await pack(view, entries, how)
      expect(bytes.equals(want), JSON.stringify(how)).to.equal(true)
      expect([written.sizeBytes, written.diffID === null]).to.deep.equal([want.length, !how.isHashed])
    }
  })

  it('keeps headers that are sent alone behind the contents that come before them', async () => {
    const sizes = [20_000, 10_000, 0]
    const headers = fc.record({ size: fc.constantFrom(...sizes), attribute: fc.constantFrom(0, 1500, 3000) })
    await fc.assert(
      fc.asyncProperty(fc.array(headers, { minLength: 2, maxLength: 8 }), async files => {
        const view = makeView(directory => {
          const host = openHostFs(directory)
          for (const [index, { size, attribute }] of files.entries()) {
            fs.writeFileSync(path.join(directory, `f${index}`), Buffer.alloc(size, 65 + index))
            if (attribute > 0) host.setxattr(`/f${index}`, 'user.big', new Uint8Array(attribute).fill(7))
          }
          host.close()
        })
        const entries = layerEntries(diffUpper(view), { warn: fail })
        for (const isHashed of [true, false]) {
          const { bytes } = await pack(view, entries, { isHashed })
          expect(bytes.equals(encodeLayerBytes(entries))).to.equal(true)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('hears a signal while the threads are far behind', async () => {
    const view = makeView(directory => {
      fs.writeFileSync(path.join(directory, 'a'), '')
      fs.truncateSync(path.join(directory, 'a'), 30 * 2 ** 30)
      for (let i = 0; i < 2500; i++) fs.writeFileSync(path.join(directory, `f${i}`), Buffer.alloc(10_000, 1))
    })
    const entries = layerEntries(diffUpper(view), { warn: fail })
    const fd = fs.openSync('/dev/null', 'w')
    try {
      for (const isHashed of [true, false]) {
        const stopping = new AbortController()
        const packing = packLayer(entries, { view, outFd: fd, isHashed, signal: stopping.signal })
        const timer = setTimeout(() => stopping.abort(new Error('stopped')), 500)
        expect(await rejection(packing)).to.include({ message: 'stopped' })
        clearTimeout(timer)
      }
    } finally {
      fs.closeSync(fd)
    }
  }).timeout(8000)

  it('gives the changes on the way', () => {
    const view = makeView(directory => {
      fs.mkdirSync(path.join(directory, 'd'))
      fs.writeFileSync(path.join(directory, 'd/a'), 'x')
      fs.linkSync(path.join(directory, 'd/a'), path.join(directory, 'z'))
    })
    const changes: Change[] = []
    for (const _ of streamUpper(view, { userxattr: false, warn: fail }, change => void changes.push(change))) continue
    expect(changes.map(({ path: name, linkTo }) => [name, linkTo])).to.deep.equal([
      ['d', undefined],
      ['d/a', undefined],
      ['z', 'd/a'],
    ])
  })

  it('says which file vanished, or became shorter', async () => {
    const spoilers = [
      [
        (file: string) => fs.unlinkSync(file),
        { code: 'READ_FAILED', message: 'Cannot read "/sub/f": it is not there any more' },
      ],
      [
        (file: string) => fs.truncateSync(file, 3),
        { code: 'READ_FAILED', message: 'Cannot read "sub/f": it became shorter while it was read' },
      ],
    ] as const
    const sizes = [10_000, 100_000] // read where it is found, and by a thread
    for (const [[spoil, want], size] of spoilers.flatMap(each => sizes.map(bytes => [each, bytes] as const))) {
      let file = ''
      const view = makeView(directory => {
        fs.mkdirSync(path.join(directory, 'sub'))
        file = path.join(directory, 'sub/f')
        fs.writeFileSync(file, Buffer.alloc(size))
      })
      const entries = layerEntries(diffUpper(view), { warn: fail })
      spoil(file)
      for (const isHashed of [true, false])
        expect(await rejection(pack(view, entries, { isHashed })), `${size}`).to.include(want)
    }
  })

  it('reports a full disk as writing does', async () => {
    // The small ones are more than the memory between the threads: who reads them has to wait.
    const view = makeView(directory => {
      fs.writeFileSync(path.join(directory, 'f'), Buffer.alloc(3 << 20))
      for (let i = 0; i < 2000; i++) fs.writeFileSync(path.join(directory, `s${i}`), Buffer.alloc(10_000, 1))
    })
    const entries = layerEntries(diffUpper(view), { warn: fail })
    const directory = fs.mkdtempSync(path.join(arena, 'full-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory])
    try {
      for (const isHashed of [true, false]) {
        const error = await rejection(pack(view, entries, { isHashed, directory }))
        expect(error, `${isHashed}`).to.include({ code: 'ENOSPC', syscall: 'write' })
        fs.rmSync(path.join(directory, fs.readdirSync(directory)[0] ?? ''), { recursive: true })
      }
    } finally {
      execFileSync('umount', ['-l', directory])
    }
  })

  it('stops when it is told to', async () => {
    const view = makeView(directory => {
      for (let i = 0; i < 200; i++) fs.writeFileSync(path.join(directory, `${i}`), Buffer.alloc(50_000))
    })
    for (const isHashed of [true, false]) {
      const controller = new AbortController()
      const { signal } = controller
      const entries = function* (): Generator<WrittenEntry> {
        for (const [index, entry] of layerEntries(diffUpper(view), { warn: fail }).entries()) {
          if (index === 100) controller.abort(new Error('enough'))
          yield entry
        }
      }
      expect(await rejection(pack(view, entries(), { isHashed, signal }))).to.include({ message: 'enough' })
    }
  })

  it('stops when it is told to, in the middle of a large file', async () => {
    const view = makeView(directory => {
      fs.writeFileSync(path.join(directory, 'f'), '')
      fs.truncateSync(path.join(directory, 'f'), 1e12)
    })
    const entries = layerEntries(diffUpper(view), { warn: fail })
    const fd = fs.openSync('/dev/null', 'w')
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('enough')), 50)
    const packing = packLayer(entries, { view, outFd: fd, isHashed: false, signal: controller.signal })
    expect(await rejection(packing)).to.include({ message: 'enough' })
    fs.closeSync(fd)
  })
})

/** What a promise is rejected with. */
async function rejection(action: Promise<unknown>): Promise<unknown> {
  try {
    await action
  } catch (error) {
    return error
  }
  return 'nothing was thrown'
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function fail(warning: { readonly message: string }): never {
  throw new Error(`unexpected warning: ${warning.message}`)
}
