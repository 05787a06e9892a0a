import { expect } from 'chai'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { isErrno } from '../../../src/errors/index.ts'
import { type FileSystem, MemoryFs, type Tree, user, writeTree } from '../../../src/fs/index.ts'
import { loadKernelCalls } from '../../../src/host/index.ts'
import { openKernelFs } from '../../../src/replay/index.ts'
import { isRoot, skipUnless } from '../../support/probe.ts'

const tree: Tree = {
  'd/f': 'x',
  'd/link': { type: 'symlink', target: 'f' },
  'd/dangling': { type: 'symlink', target: 'nowhere' },
  loop: { type: 'symlink', target: 'loop' },
  'closed/f': 'x',
  closed: { type: 'dir', mode: '0700' },
}

const paths = [
  ['/d/f', '/d/f/', '/d/f/x', '/d/link', '/d/link/', '/d/dangling', '/d/none', '/d/none/', '/none/f', '/loop'],
  ['/loop/f', '/closed/f', '/closed/none', '/', '', '.', `/${'n'.repeat(256)}`],
].flat()

function errnoOf(look: () => unknown): unknown {
  try {
    return look()
  } catch (error) {
    return isErrno(error, 'ENOENT') ? null : (error as { code: string }).code
  }
}

/** `find` is `stat` or `lstat` with null for ENOENT, whoever asks. */
function expectSame(files: FileSystem): void {
  for (const caller of [files, files.as(user(1000))]) {
    for (const at of paths) {
      expect(
        errnoOf(() => caller.find(at, { follow: true })),
        at,
      ).to.deep.equal(errnoOf(() => caller.stat(at)))
      expect(
        errnoOf(() => caller.find(at, { follow: false })),
        at,
      ).to.deep.equal(errnoOf(() => caller.lstat(at)))
    }
  }
}

describe('find()', () => {
  it('is stat with null for ENOENT', () => {
    const files = new MemoryFs()
    writeTree(files, '/', tree)
    expectSame(files)
    expect(files.find('/d/none', { follow: true })).to.equal(null)
    expect(files.find('/d/dangling', { follow: false })).to.include({ sizeBytes: 7 })
    expect(() => files.find('/d/f/x', { follow: true })).to.throw("ENOTDIR: stat '/d/f/x'")
  })

  it('is that on the kernel, too', function () {
    skipUnless(this, isRoot() && loadKernelCalls() !== null, 'needs root and koffi')
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-find-'))
    const files = openKernelFs(directory)
    try {
      fs.chmodSync(directory, 0o755)
      writeTree(files, '/', tree)
      expectSame(files)
    } finally {
      files.close()
      fs.rmSync(directory, { recursive: true })
    }
  })
})
