// Writing a tree without the system calls that Node lacks: koffi is optional.

import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { RootfsSink } from '../../src/unpack/rootfs-sink.ts'
import { createNotKeptLog } from '../../src/unpack/not-kept-log.ts'

describe('RootfsSink without koffi', () => {
  let root = ''
  beforeEach(() => {
    root = fs.mkdtempSync(join(tmpdir(), 'ovl-sink-'))
  })
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

  for (const [when, mtimeSec, mtimeNsec] of [
    ['now', 1_700_000_000, 250_000_000],
    ['at the epoch', 0, 0],
    ['just before 1970', -1, 750_000_000],
    ['in 1938', -1_000_000_000, 0],
  ] as const) {
    it(`keeps a time ${when}, of files and of symlinks`, () => {
      const attributes = { mode: 0o644, uid: 0, gid: 0, mtimeSec, mtimeNsec, xattrs: null }
      const sink = makeSink(root)
      sink.makeFile('file', { kind: 'file', path: 'file', attributes, size: 0, sparse: null, offset: 0, storedSize: 0 })
      sink.closeFile()
      sink.makeSymlink('link', attributes, 'file')
      for (const name of ['file', 'link']) {
        const { mtimeMs } = fs.lstatSync(join(root, name))
        expect(Math.round(mtimeMs)).to.equal(mtimeSec * 1000 + mtimeNsec / 1e6)
      }
    })
  }

  it('takes a time that no date can be', () => {
    const attributes = { mode: 0o644, uid: 0, gid: 0, mtimeSec: -1e18, mtimeNsec: 0, xattrs: null }
    makeSink(root).makeSymlink('link', attributes, 'x')
    expect(fs.lstatSync(join(root, 'link')).mtimeMs).to.be.lessThan(0)
  })
})

function makeSink(root: string): RootfsSink {
  return new RootfsSink({
    prefix: `${root}/`,
    umask: process.umask(),
    system: null,
    ownership: { kind: 'record' },
    shownAs: 'rootfs',
    warn: () => {},
    notKept: createNotKeptLog(),
  })
}
