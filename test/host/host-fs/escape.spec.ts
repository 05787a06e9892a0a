// Nothing outside of the directory is read or changed through a HostFs: whatever links the tree holds, and whatever
// others do with it meanwhile.

import { expect } from 'chai'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { isErrno } from '../../../src/errors/index.ts'
import { type HostFs, loadSystem, openHostFs } from '../../../src/host/index.ts'
import { skipUnless } from '../../support/probe.ts'

describe('HostFs and what is outside of it', () => {
  let directory: string
  let host: HostFs

  beforeEach(function () {
    skipUnless(this, loadSystem() !== null, 'needs koffi')
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-escape-'))
    fs.mkdirSync(path.join(directory, 'root'))
    fs.mkdirSync(path.join(directory, 'outside'))
    fs.writeFileSync(path.join(directory, 'outside', 'secret'), 'secret')
    host = openHostFs(path.join(directory, 'root'))
  })
  afterEach(() => {
    host?.close()
    fs.rmSync(directory, { recursive: true, force: true })
  })

  /** Everything outside, with what could have been done to it. */
  function outside(): unknown {
    const file = path.join(directory, 'outside', 'secret')
    const { mode, size, nlink, mtimeMs } = fs.lstatSync(file)
    const top = fs.lstatSync(path.join(directory, 'outside'))
    return [
      fs.readdirSync(directory).toSorted(),
      fs.readdirSync(path.join(directory, 'outside')),
      { mode, size, nlink, mtimeMs },
      { mode: top.mode, mtimeMs: top.mtimeMs },
      fs.readFileSync(file, 'utf8'),
    ]
  }

  const targets: readonly [string, (directory: string) => string][] = [
    ['an absolute path', at => `${at}/outside`],
    ['a relative path', () => '../outside'],
    ['a long way up', () => `${'../'.repeat(40)}outside`],
    ['the directory of a process', () => '/proc/self/cwd'],
  ]
  for (const [name, target] of targets) {
    it(`follows a link to ${name} inside only`, () => {
      const before = outside()
      fs.symlinkSync(target(directory), path.join(directory, 'root', 'link'))
      fs.symlinkSync(path.join(target(directory), 'secret'), path.join(directory, 'root', 'file'))
      for (const call of [
        () => host.readFile('/file'),
        () => host.readFile('/link/secret'),
        () => host.readdir('/link'),
        () => host.chmod('/file', 0o600),
        () => host.truncate('/file', 0),
        () => host.writeFile('/link/new', 'x'),
        () => host.mkdir('/link/new', 0o755),
        () => host.unlink('/link/secret'),
        () => host.rename('/link/secret', '/stolen'),
        () => host.link('/link/secret', '/stolen'),
        () => host.setxattr('/link/secret', 'user.a', new Uint8Array(1)),
      ]) {
        expect(call, call.toString()).to.throw('ENOENT')
      }
      expect(outside()).to.deep.equal(before)
    })
  }

  it('goes up no further than its root', () => {
    host.mkdir('/d', 0o755)
    host.symlink('../../../../d', '/up')
    host.writeFile('/up/../../../f', 'inside')
    expect(fs.readFileSync(path.join(directory, 'root', 'f'), 'utf8')).to.equal('inside')
    expect(host.readdir('/..').map(({ name }) => name)).to.have.members(['d', 'up', 'f'])
  })

  it('stays inside while another process swaps directories for links', async () => {
    host.mkdir('/d', 0o755)
    host.mkdir('/d/e', 0o755)
    host.writeFile('/d/secret', 'inside')
    fs.symlinkSync('../outside', path.join(directory, 'root', 'link'))
    const before = outside()
    const swapper = await startSwapping(path.join(directory, 'root'))
    const done = { calls: 0, refused: 0 }
    try {
      // On a busy machine the other process may not get its turn for a while.
      const [enough, atMost] = [Date.now() + 1500, Date.now() + 30_000]
      const isEnough = () => Date.now() > enough && done.calls > 500 && done.refused > 0
      while (!isEnough() && Date.now() < atMost) attack(host, done)
    } finally {
      swapper.kill()
      await once(swapper, 'exit')
    }
    expect(outside()).to.deep.equal(before)
    expect(done.calls).to.be.greaterThan(500)
    expect(done.refused, 'the race never happened').to.be.greaterThan(0)
  })
})

/** Calls that would reach outside through "/d" if the kernel followed it. */
function attack(host: HostFs, done: { calls: number; refused: number }): void {
  const reads: unknown[] = []
  const calls = [
    () => reads.push(Buffer.from(host.readFile('/d/secret')).toString()),
    () => host.chmod('/d/secret', 0o640),
    () => host.writeFile('/d/new', 'x'),
    () => host.mkdir('/d/e/sub', 0o755),
    () => host.rename('/d/new', '/d/newer'),
    () => host.truncate('/d/secret', 6),
    () => host.utimens('/d/secret', { atime: 0n, mtime: 0n }),
    () => host.setxattr('/d/secret', 'user.a', new Uint8Array(1)),
    () => host.link('/d/secret', '/d/linked'),
    () => host.unlink('/d/linked'),
    () => host.unlink('/d/newer'),
    () => host.rmdir('/d/e/sub'),
  ]
  for (const call of calls) {
    done.calls++
    try {
      call()
    } catch (error) {
      // EXDEV, EINVAL and the like would mean that something else was reached.
      if (!isErrno(error, 'ENOENT', 'ESTALE', 'ENOTDIR', 'ELOOP', 'EEXIST')) throw error
      done.refused++
    }
  }
  for (const text of reads) expect(text).to.equal('inside')
}

/** A process that exchanges "d" and "link" all the time. */
async function startSwapping(root: string): Promise<ChildProcess> {
  const script = `
    import { AT_FDCWD, loadSystem, RENAME_EXCHANGE } from ${JSON.stringify(new URL('../../../src/host/index.js', import.meta.url))}
    const { renameat2 } = loadSystem()
    process.stdout.write('ready')
    for (;;) renameat2(AT_FDCWD, 'd', AT_FDCWD, 'link', RENAME_EXCHANGE)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}
