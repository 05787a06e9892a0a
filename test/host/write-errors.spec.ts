import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { OvlError } from '../../src/errors/index.ts'
import { diagnoseWriteError, freeSpace, SystemError, type WriteContext } from '../../src/host/index.ts'
import { skipUnless } from '../support/probe.ts'

/** The OvlError that a failing call is turned into. */
function diagnosed(call: () => unknown, context: WriteContext): OvlError {
  try {
    call()
  } catch (error) {
    const diagnosis = diagnoseWriteError(error, context)
    if (diagnosis instanceof OvlError) return diagnosis
    throw error
  }
  throw new Error('the call did not fail')
}

function fail(errno: number): () => never {
  return () => {
    throw new SystemError('write', errno)
  }
}

describe('diagnoseWriteError()', () => {
  const at = tmpdir()
  const { ENOSPC, EDQUOT, EROFS, EACCES, EPERM, EMFILE, EIO, ENAMETOOLONG, ENOTDIR } = {
    ENOSPC: 28,
    EDQUOT: 122,
    EROFS: 30,
    EACCES: 13,
    EPERM: 1,
    EMFILE: 24,
    EIO: 5,
    ENAMETOOLONG: 36,
    ENOTDIR: 20,
  }
  const cases: readonly [string, number, string, RegExp][] = [
    ['ENOSPC', ENOSPC, 'NO_SPACE', /^Cannot write rootfs\/bin: no space left on .+ \(.+iB.*\)$/],
    ['EDQUOT', EDQUOT, 'NO_SPACE', /: the disk quota of uid \d+ on .+ is used up$/],
    ['EROFS', EROFS, 'WRITE_FAILED', / is read-only$/],
    ['EACCES', EACCES, 'NEEDS_PRIVILEGE', /: not permitted for uid \d+$/],
    ['EPERM', EPERM, 'NEEDS_PRIVILEGE', /: not permitted for uid \d+$/],
    ['EMFILE', EMFILE, 'WRITE_FAILED', /: too many open files$/],
    ['EIO', EIO, 'WRITE_FAILED', /: input\/output error on /],
    ['ENAMETOOLONG', ENAMETOOLONG, 'WRITE_FAILED', /: the name is longer than .+ allows$/],
    ['ENOTDIR', ENOTDIR, 'WRITE_FAILED', /: not a directory$/],
  ]
  for (const [errno, number, code, message] of cases) {
    it(`says ${code} for ${errno}`, () => {
      const error = diagnosed(fail(number), { object: 'rootfs/bin', path: at })
      expect(error.code).to.equal(code)
      expect(error.message).to.match(message)
      expect(error.data['errno']).to.equal(errno)
      expect(error.cause).to.be.instanceOf(SystemError)
    })
  }

  it('gives the hint about privileges only when there is one', () => {
    const context = { verb: 'create', object: 'x owned by 0:0', path: at }
    expect(diagnosed(fail(EPERM), context).hint).to.equal(undefined)
    const error = diagnosed(fail(EPERM), { ...context, privilegeHint: 'add --rootless' })
    expect(error.hint).to.equal('add --rootless')
    expect(error.message).to.match(/^Cannot create x owned by 0:0: /)
  })

  it('escapes names from archives', () => {
    expect(diagnosed(fail(EIO), { object: 'a\u001b[2J', path: at }).message).to.include('a\\x1b[2J')
  })

  it('leaves other errors alone', () => {
    const own = new OvlError('BAD_TAR', 'Cannot read x: bad')
    expect(diagnoseWriteError(own, { object: 'x', path: at })).to.equal(own)
    const bug = new TypeError('x is undefined')
    expect(diagnoseWriteError(bug, { object: 'x', path: at })).to.equal(bug)
    expect(diagnoseWriteError('text', { object: 'x', path: at })).to.equal('text')
  })

  it('does not lose the error when the space cannot be asked for', () => {
    const error = diagnosed(fail(ENOSPC), { object: 'x', path: '/proc/self/fd/99999/\0' })
    expect(error.message).to.equal('Cannot write x: no space left')
  })

  describe('on a small tmpfs', () => {
    let small: string
    before(function () {
      small = fs.mkdtempSync(path.join(process.cwd(), 'ovl-small-'))
      const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k,nr_inodes=4', 'tmpfs', small]).status === 0
      if (!mounted) fs.rmdirSync(small)
      skipUnless(this, mounted, 'cannot mount here', { optional: true })
    })
    after(() => {
      if (!fs.existsSync(small)) return
      spawnSync('umount', ['-l', small])
      fs.rmdirSync(small)
    })

    it('names the file system, its size and what is missing', () => {
      fs.writeFileSync(path.join(small, 'fill'), Buffer.alloc(12 * 1024))
      const file = path.join(small, 'more')
      const context = { object: 'rootfs/bin/true', path: file, neededBytes: 40 * 1024 }
      const error = diagnosed(() => fs.writeFileSync(file, Buffer.alloc(40 * 1024)), context)
      const name = path.basename(small)
      expect(error.message).to.equal(
        `Cannot write rootfs/bin/true: no space left on ${name} (tmpfs, 16 KiB; 40 KiB more needed)`,
      )
      expect(error.data).to.include({
        mountPoint: small,
        type: 'tmpfs',
        sizeBytes: 16_384,
        freeBytes: 0,
        neededBytes: 40_960,
      })
      fs.unlinkSync(file)
      fs.unlinkSync(path.join(small, 'fill'))
    })

    it('tells when inodes are what is missing', () => {
      const make = (): void => {
        for (let i = 0; i < 10; i++) fs.mkdirSync(path.join(small, `d${i}`))
      }
      const error = diagnosed(make, { object: 'rootfs/d3', path: small })
      expect(error.message).to.match(/: no inodes left on ovl-small-\w+ \(tmpfs, 16 KiB\)$/)
    })

    it('freeSpace() asks the nearest directory that exists', () => {
      const space = freeSpace(path.join(small, 'not/there/yet'))
      expect(space).to.include({
        mountPoint: small,
        type: 'tmpfs',
        readOnly: false,
        sizeBytes: 16_384,
        freeBytes: 16_384,
      })
      expect(spawnSync('mount', ['-o', 'remount,ro', small]).status).to.equal(0)
      expect(freeSpace(small).readOnly).to.equal(true)
      const error = diagnosed(() => fs.mkdirSync(path.join(small, 'x')), { object: 'x', path: small })
      expect(error.message).to.equal(`Cannot write x: ${path.basename(small)} (tmpfs) is read-only`)
    })
  })
})

describe('freeSpace()', () => {
  it('agrees with df', () => {
    const df = spawnSync('df', ['--output=target,fstype,size', '-B1', tmpdir()], { encoding: 'utf8' })
    const [target, type, size] = df.stdout.split('\n')[1]?.split(/\s+/) ?? []
    const space = freeSpace(tmpdir())
    expect([space.mountPoint, space.type, space.sizeBytes]).to.deep.equal([target, type, Number(size)])
  })
})
