import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import {
  AT_FDCWD,
  loadSystem,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RESOLVE_BENEATH,
  type System,
} from '../../../src/host/index.ts'
import { decodeName } from '../../../src/path/index.ts'
import { isRoot, skipUnless } from '../../support/probe.ts'

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_DIRECTORY, S_IFCHR, S_IFIFO } = fs.constants

/** The errno name that a call fails with, or 'none'. */
function errnoOf(call: () => unknown): string {
  try {
    call()
    return 'none'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

function timeOf(root: string, name: string): { atimeNs: bigint; mtimeNs: bigint } {
  return fs.lstatSync(path.join(root, name), { bigint: true })
}

describe('loadSystem()', () => {
  let system: System
  let root: string
  let directory: number

  before(function () {
    const loaded = loadSystem()
    skipUnless(this, loaded !== null, 'koffi is not installed')
    system = loaded as System
    root = fs.mkdtempSync(path.join(tmpdir(), 'ovl-system-'))
    directory = fs.openSync(root, O_RDONLY | O_DIRECTORY)
  })
  after(() => {
    if (root === undefined) return
    fs.closeSync(directory)
    fs.rmSync(root, { recursive: true })
  })

  it('is loaded once', () => expect(loadSystem()).to.equal(system))

  describe('times', () => {
    const times: readonly [string, number, number][] = [
      ['nanoseconds', 1_700_000_000, 123_456_789],
      ['1970', 0, 1],
      ['before 1970', -1, 999_999_999],
      ['long before', -86_400 * 365 * 20, 5],
      ['2^31', 2 ** 31, 0],
      ['2^32 + 1', 2 ** 32 + 1, 7],
      ['2^33 + 1', 2 ** 33 + 1, 8],
    ]

    for (const [name, seconds, nanoseconds] of times) {
      it(`set ${name}`, function () {
        const want = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)
        fs.writeFileSync(path.join(root, 'time'), '')
        const fd = fs.openSync(path.join(root, 'time'), 'r+')
        system.futimens(fd, seconds, nanoseconds)
        fs.closeSync(fd)
        const { atimeNs, mtimeNs } = timeOf(root, 'time')
        skipUnless(this, seconds < 2 ** 33 || mtimeNs === want, 'the file system cannot hold the time', {
          optional: true,
        })
        expect([atimeNs, mtimeNs]).to.deep.equal([want, want])
        system.lutimens(path.join(root, 'time'), 1, 1)
        system.lutimens(path.join(root, 'time'), seconds, nanoseconds)
        expect(timeOf(root, 'time').mtimeNs).to.equal(want)
      })
    }

    it('of a symlink leave its target alone, and null leaves a time alone', () => {
      fs.writeFileSync(path.join(root, 'target'), '')
      system.lutimens(path.join(root, 'target'), 50, 0)
      fs.symlinkSync('target', path.join(root, 'link'))
      system.lutimens(path.join(root, 'link'), 60, 6)
      system.utimensat(directory, 'link', { accessed: null, modified: { seconds: 70, nanoseconds: 7 } })
      expect(timeOf(root, 'link')).to.include({ atimeNs: 60_000_000_006n, mtimeNs: 70_000_000_007n })
      expect(timeOf(root, 'target').mtimeNs).to.equal(50_000_000_000n)
    })
  })

  describe('xattrs', () => {
    before(function () {
      fs.writeFileSync(path.join(root, 'x'), '')
      const code = errnoOf(() => system.lsetxattr(path.join(root, 'x'), 'user.probe', new Uint8Array(1)))
      skipUnless(this, code === 'none', `no user xattrs in ${tmpdir()} (${code})`, { optional: true })
      system.lremovexattr(path.join(root, 'x'), 'user.probe')
    })

    it('keep every byte, empty values and names that are no UTF-8', () => {
      const file = path.join(root, 'x')
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => 255 - i)
      const odd = decodeName(Buffer.from('user.\xff\xfe', 'latin1'))
      system.lsetxattr(file, 'user.bytes', bytes)
      system.lsetxattr(file, 'user.empty', new Uint8Array(0))
      system.lsetxattr(file, odd, Buffer.from('odd'))
      expect(
        system
          .llistxattr(file)
          .filter(name => name.startsWith('user.'))
          .toSorted(),
      ).to.deep.equal(['user.bytes', 'user.empty', odd].toSorted())
      expect(Buffer.from(system.lgetxattr(file, 'user.bytes')).equals(bytes)).to.equal(true)
      expect(system.lgetxattr(file, 'user.empty').length).to.equal(0)
      expect(Buffer.from(system.lgetxattr(file, odd)).toString()).to.equal('odd')
      system.lremovexattr(file, 'user.bytes')
      expect(errnoOf(() => system.lgetxattr(file, 'user.bytes'))).to.equal('ENODATA')
    })

    it('of an open file are those of its path', () => {
      const fd = fs.openSync(path.join(root, 'x'), 'r+')
      system.fsetxattr(fd, 'user.open', Buffer.from('fd'))
      fs.closeSync(fd)
      expect(Buffer.from(system.lgetxattr(path.join(root, 'x'), 'user.open')).toString()).to.equal('fd')
    })

    it('tell a missing file from a missing attribute, and refuse what is too large', () => {
      expect(errnoOf(() => system.lgetxattr(path.join(root, 'none'), 'user.a'))).to.equal('ENOENT')
      expect(errnoOf(() => system.lgetxattr(path.join(root, 'x'), 'user.none'))).to.equal('ENODATA')
      const large = new Uint8Array(65_537)
      expect(errnoOf(() => system.lsetxattr(path.join(root, 'x'), 'user.large', large))).to.equal('E2BIG')
    })

    it('of a symlink are its own, not its target’s', () => {
      fs.symlinkSync('x', path.join(root, 'to-x'))
      expect(errnoOf(() => system.lgetxattr(path.join(root, 'to-x'), 'user.empty'))).to.not.equal('none')
      expect(errnoOf(() => system.lsetxattr(path.join(root, 'to-x'), 'user.a', new Uint8Array(1)))).to.equal('EPERM')
    })
  })

  describe('files', () => {
    it('are made relative to a directory, with names of any bytes', () => {
      const odd = decodeName(Buffer.from('caf\xe9-\xff', 'latin1'))
      const utf8 = 'größe-漢字-😀'
      for (const name of [odd, utf8]) {
        system.mkdirat(directory, name, 0o755)
        const fd = system.openat(directory, `${name}/f`, { flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o644 })
        fs.closeSync(fd)
        system.symlinkat(`${name}/f`, directory, `${name}/link`)
        system.linkat(directory, `${name}/f`, directory, `${name}/hard`)
      }
      const names = fs.readdirSync(root, { encoding: 'buffer' }).map(name => name.toString('latin1'))
      expect(names).to.include('caf\xe9-\xff')
      expect(names).to.include(Buffer.from(utf8).toString('latin1'))
      const bytes = Buffer.concat([Buffer.from(`${root}/`), Buffer.from('caf\xe9-\xff', 'latin1')])
      expect(fs.readdirSync(bytes).toSorted()).to.deep.equal(['f', 'hard', 'link'])
      expect(fs.lstatSync(path.join(root, utf8, 'hard')).nlink).to.equal(2)
      expect(fs.readlinkSync(path.join(root, utf8, 'link'))).to.equal(`${utf8}/f`)
      for (const name of ['f', 'hard', 'link']) system.unlinkat(directory, `${odd}/${name}`)
      system.rmdirat(directory, odd)
      expect(errnoOf(() => system.rmdirat(directory, odd))).to.equal('ENOENT')
    })

    it('are renamed without replacing, or exchanged', () => {
      fs.writeFileSync(path.join(root, 'a'), 'A')
      fs.writeFileSync(path.join(root, 'b'), 'B')
      expect(errnoOf(() => system.renameat2(directory, 'a', directory, 'b', RENAME_NOREPLACE))).to.equal('EEXIST')
      system.renameat2(directory, 'a', directory, 'b', RENAME_EXCHANGE)
      expect(fs.readFileSync(path.join(root, 'a'), 'utf8')).to.equal('B')
      system.renameat2(AT_FDCWD, path.join(root, 'a'), directory, 'c', 0)
      expect(fs.readFileSync(path.join(root, 'c'), 'utf8')).to.equal('B')
    })

    it('are opened beneath a directory only', () => {
      fs.writeFileSync(path.join(root, 'inside'), '')
      fs.symlinkSync('/etc', path.join(root, 'out'))
      const how = { flags: O_RDONLY, resolve: RESOLVE_BENEATH }
      fs.closeSync(system.openat2(directory, 'inside', how))
      expect(errnoOf(() => system.openat2(directory, '../inside', how))).to.equal('EXDEV')
      expect(errnoOf(() => system.openat2(directory, 'out/passwd', how))).to.equal('EXDEV')
    })

    it('may be FIFOs; with privilege device nodes, whiteouts and other owners', function () {
      system.mknodat(directory, 'fifo', { mode: S_IFIFO | 0o644, major: 0, minor: 0 })
      expect(fs.lstatSync(path.join(root, 'fifo')).isFIFO()).to.equal(true)
      skipUnless(this, isRoot(), 'needs root')
      const devices = [
        [0, 0],
        [1, 3],
        [4095, 1_048_575],
        [8, 256],
      ] as const
      for (const [major, minor] of devices) {
        const node = { mode: S_IFCHR | 0o600, major, minor }
        const code = errnoOf(() => system.mknodat(directory, 'device', node))
        skipUnless(this, code !== 'EPERM', 'device nodes are not permitted here', { optional: true })
        expect(code).to.equal('none')
        const stat = spawnSync('stat', ['-c', '%t %T', path.join(root, 'device')], { encoding: 'utf8' }).stdout.trim()
        expect(stat).to.equal(`${major.toString(16)} ${minor.toString(16)}`)
        system.unlinkat(directory, 'device')
      }
      system.fchownat(directory, 'out', 4_294_967_294, 70_000)
      expect(fs.lstatSync(path.join(root, 'out'))).to.include({ uid: 4_294_967_294, gid: 70_000 })
      system.fchmodat(directory, 'inside', 0o4711)
      expect(fs.statSync(path.join(root, 'inside')).mode & 0o7777).to.equal(0o4711)
    })

    it('with device numbers that the kernel has not are EINVAL', () => {
      for (const [major, minor] of [
        [4096, 0],
        [0, 1_048_576],
      ] as const) {
        const node = { mode: S_IFCHR, major, minor }
        expect(errnoOf(() => system.mknodat(directory, 'device', node))).to.equal('EINVAL')
      }
    })

    it('with NUL in the name are EINVAL, too long ones ENAMETOOLONG', () => {
      expect(errnoOf(() => system.mkdirat(directory, 'a\0b', 0o755))).to.equal('EINVAL')
      expect(fs.existsSync(path.join(root, 'a.dir'))).to.equal(false)
      expect(errnoOf(() => system.mkdirat(directory, 'n'.repeat(256), 0o755))).to.equal('ENAMETOOLONG')
      expect(errnoOf(() => system.mkdirat(directory, 'd/'.repeat(3000), 0o755))).to.equal('ENAMETOOLONG')
      expect(errnoOf(() => system.mkdirat(directory, '漢/'.repeat(1500), 0o755))).to.equal('ENAMETOOLONG')
    })
  })

  it('fails with errors like those of node:fs', () => {
    let thrown: unknown
    try {
      system.mkdirat(AT_FDCWD, '/proc/ovl\n', 0o755)
    } catch (error) {
      thrown = error
    }
    expect(thrown).to.be.instanceOf(Error)
    expect(thrown).to.include({ code: 'ENOENT', errno: -2, syscall: 'mkdirat', path: '/proc/ovl\n' })
    expect((thrown as Error).message).to.equal("ENOENT: no such file or directory, mkdirat '/proc/ovl\\n'")
  })

  it('finds data and holes, copies ranges, syncs', function () {
    const file = path.join(root, 'sparse')
    const from = fs.openSync(file, 'w+')
    const to = fs.openSync(`${file}-copy`, 'w+')
    try {
      fs.ftruncateSync(from, 10 << 20)
      fs.writeSync(from, Buffer.alloc(4096, 1), 0, 4096, 1 << 20)
      system.syncfs(from)
      const data = system.seekData(from, 0)
      skipUnless(this, data !== 0, 'the file system has no holes', { optional: true })
      expect(data).to.equal(1 << 20)
      expect(system.seekHole(from, 1 << 20)).to.equal((1 << 20) + 4096)
      expect(system.seekData(from, 2 << 20)).to.equal(null)
      fs.writeSync(from, 'hello', 0)
      expect(system.seekHole(from, 10 << 20)).to.equal(null)
      expect(system.cloneFile(from, to)).to.be.a('boolean')
      system.seekData(from, 0) // the position is where the data starts
      expect(system.copyFileRange(from, to, 4096)).to.equal(4096)
      expect(errnoOf(() => system.cloneFile(from, 99_999))).to.equal('EBADF')
    } finally {
      fs.closeSync(from)
      fs.closeSync(to)
    }
  })

  it('gives a worker thread its own umask and current directory', async () => {
    const here = process.cwd()
    const mask = process.umask()
    const code = `
      const { parentPort, workerData } = require('node:worker_threads')
      const fs = require('node:fs')
      import(workerData.module).then(({ loadSystem }) => {
        const system = loadSystem()
        system.unshareFs()
        const before = system.umask(0)
        system.chdir(workerData.root)
        fs.writeFileSync('of-worker', '', { mode: 0o777 })
        const fd = fs.openSync('/')
        system.fchdir(fd)
        fs.closeSync(fd)
        parentPort.postMessage({ before, again: system.umask(0o22), at: fs.readlinkSync('/proc/thread-self/cwd') })
      })`
    const module = new URL('../../../src/host/index.js', import.meta.url).href
    const worker = new Worker(code, { eval: true, workerData: { module, root } })
    const told = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    await worker.terminate()
    expect(told).to.deep.equal({ before: mask, again: 0, at: '/' })
    expect(fs.statSync(path.join(root, 'of-worker')).mode & 0o777).to.equal(0o777)
    expect([process.cwd(), process.umask()]).to.deep.equal([here, mask])
  })

  it('keeps a process without koffi going', () => {
    const script = `
      import { Module } from 'node:module'
      const original = Module._resolveFilename
      Module._resolveFilename = function (name, ...rest) {
        if (name === 'koffi') throw new Error('Cannot find the native Koffi module')
        return original.call(this, name, ...rest)
      }
      const { loadSystem, openDecoder } = await import(process.argv[1])
      const backends = []
      for (const compression of ['gzip', 'zstd', 'xz', 'bzip2']) {
        const decoder = await openDecoder(compression, { warn: () => {} })
        backends.push(decoder.backend)
        decoder.close()
      }
      console.log(String(loadSystem()), backends.includes('library'))`
    const module = new URL('../../../src/host/index.js', import.meta.url).href
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script, module], { encoding: 'utf8' })
    expect(output.trim()).to.equal('null false')
  })
})
