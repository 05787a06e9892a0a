// A layer that threads write is byte for byte the one that is encoded here, and fails as that would.

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

  const pack = async (view: HostView, entries: Iterable<WrittenEntry>, signal = AbortSignal.timeout(120_000)) => {
    const file = path.join(fs.mkdtempSync(path.join(arena, 'out-')), 'layer.tar')
    const fd = fs.openSync(file, 'w')
    try {
      const written = await packLayer(entries, { view, outFd: fd, isHashed: true, signal })
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
      for (const size of [1, 511, 512, 513, 65_536, (1 << 20) - 512, 1 << 20, (1 << 20) + 1, 3_000_000])
        fs.writeFileSync(path.join(directory, `f${size}`), Buffer.alloc(size, `${size}`))
      const host = openHostFs(directory)
      host.setxattr('/f1', 'user.big', new Uint8Array(3000).fill(7))
      host.close()
      let deep = directory
      for (let i = 0; i < 30; i++) deep = path.join(deep, 'a-directory-with-a-rather-long-name-for-a-test')
      fs.mkdirSync(deep, { recursive: true })
      fs.writeFileSync(path.join(deep, 'file'), 'deep')
    })
    const entries = layerEntries(diffUpper(view), { warn: fail })
    expect((await pack(view, entries)).bytes.equals(encodeLayerBytes(entries))).to.equal(true)
  })

  it('leaves out the digest when it is not wanted', async () => {
    const view = makeView(directory => fs.writeFileSync(path.join(directory, 'f'), Buffer.alloc(20 << 20, 'x')))
    const entries = layerEntries(diffUpper(view), { warn: fail })
    const file = path.join(arena, 'no-digest.tar')
    const fd = fs.openSync(file, 'w')
    const written = await packLayer(entries, { view, outFd: fd, isHashed: false, signal: AbortSignal.timeout(120_000) })
    fs.closeSync(fd)
    expect([written.diffID, written.entries]).to.deep.equal([null, 1])
    expect(fs.readFileSync(file).equals(encodeLayerBytes(entries))).to.equal(true)
  })

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
    for (const [spoil, want] of [
      [
        (file: string) => fs.unlinkSync(file),
        { code: 'READ_FAILED', message: 'Cannot read "/sub/f": it is not there any more' },
      ],
      [
        (file: string) => fs.truncateSync(file, 3),
        { code: 'READ_FAILED', message: 'Cannot read "sub/f": it became shorter while it was read' },
      ],
    ] as const) {
      let file = ''
      const view = makeView(directory => {
        fs.mkdirSync(path.join(directory, 'sub'))
        file = path.join(directory, 'sub/f')
        fs.writeFileSync(file, 'content')
      })
      const entries = layerEntries(diffUpper(view), { warn: fail })
      spoil(file)
      expect(await rejection(pack(view, entries))).to.include(want)
    }
  })

  it('reports a full disk as writing does', async () => {
    const view = makeView(directory => fs.writeFileSync(path.join(directory, 'f'), Buffer.alloc(3 << 20)))
    const fd = fs.openSync('/dev/full', 'w')
    const entries = layerEntries(diffUpper(view), { warn: fail })
    const error = await rejection(
      packLayer(entries, { view, outFd: fd, isHashed: false, signal: AbortSignal.timeout(120_000) }),
    )
    fs.closeSync(fd)
    expect(error).to.include({ code: 'ENOSPC', syscall: 'write' })
  })

  it('stops when it is told to', async () => {
    const view = makeView(directory => {
      for (let i = 0; i < 200; i++) fs.writeFileSync(path.join(directory, `${i}`), Buffer.alloc(50_000))
    })
    const controller = new AbortController()
    const entries = function* (): Generator<WrittenEntry> {
      for (const [index, entry] of layerEntries(diffUpper(view), { warn: fail }).entries()) {
        if (index === 100) controller.abort(new Error('enough'))
        yield entry
      }
    }
    expect(await rejection(pack(view, entries(), controller.signal))).to.include({ message: 'enough' })
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
