import { expect } from 'chai'
import { MemoryFs, O_CREAT, O_NOATIME, O_RDONLY, O_RDWR, RENAME_WHITEOUT, root } from '../../../src/fs/index.ts'

const plain = { type: 'file', mode: 0o644, umask: 0, uid: 0, gid: 0 } as const
const uuid = Uint8Array.from({ length: 16 }, (_, index) => index + 1)

/** What can be known of the first objects of a file system. */
function firstSteps(): { readonly dev: number; readonly [what: string]: unknown } {
  const { superBlock } = new MemoryFs({ uuid, now: () => 0n })
  const file = superBlock.create(superBlock.root, 'a', plain)
  superBlock.create(superBlock.root, 'b', plain)
  const entries = superBlock.openDirectory(superBlock.root).entries()
  return {
    ...superBlock.stat(file),
    entries,
    handle: superBlock.encodeHandle(file),
    statfs: superBlock.statfs(),
  }
}

describe('MemoryFs', () => {
  it('tells the time that it is given, and otherwise never goes back', () => {
    let now = 5n
    const fs = new MemoryFs({ now: () => now })
    fs.writeFile('/a', '')
    expect(fs.lstat('/a').mtimeNs).to.equal(5n)
    now = 3n
    fs.chmod('/a', 0o600)
    expect(fs.lstat('/a').ctimeNs).to.equal(3n)
    const real = new MemoryFs()
    const first = real.superBlock.now()
    expect(real.superBlock.now() >= first).to.equal(true)
    expect(first % 1_000_000n).to.equal(0n)
  })

  it('gives the same inode numbers, handles and order to the same steps', () => {
    const [first, second] = [firstSteps(), firstSteps()]
    expect(first.dev).to.not.equal(second.dev)
    expect({ ...first, dev: 0 }).to.deep.equal({ ...second, dev: 0 })
  })

  it('has handles of 12 bytes that survive renames and end with the object', () => {
    const { superBlock } = new MemoryFs({ uuid })
    const file = superBlock.create(superBlock.root, 'a', plain)
    const handle = superBlock.encodeHandle(file)
    if (handle === null) throw new Error('no handle')
    expect([handle.type, handle.bytes.length]).to.deep.equal([1, 12])
    expect(new DataView(handle.bytes.buffer).getBigUint64(4, true)).to.equal(superBlock.stat(file).ino)
    superBlock.rename(
      { dir: superBlock.root, name: 'a', inode: file },
      { dir: superBlock.root, name: 'b', inode: null },
      0,
    )
    expect(superBlock.decodeHandle(handle)).to.equal(file)
    expect(superBlock.decodeHandle({ ...handle, type: 2 })).to.equal(null)
    expect(superBlock.decodeHandle({ type: 1, bytes: handle.bytes.subarray(1) })).to.equal(null)
    const other = handle.bytes.slice()
    other[0] = (other[0] as number) ^ 1
    expect(superBlock.decodeHandle({ type: 1, bytes: other }), 'another generation').to.equal(null)
    superBlock.unlink(superBlock.root, 'b', file)
    expect(superBlock.decodeHandle(handle)).to.equal(null)
    expect(new MemoryFs({ features: { handles: false } }).superBlock.encodeHandle(file)).to.equal(null)
  })

  it('keeps what it stores apart from the arrays it was given and gives', () => {
    const fs = new MemoryFs()
    const bytes = Uint8Array.of(1, 2, 3)
    fs.writeFile('/a', bytes)
    fs.setxattr('/a', 'user.a', bytes)
    bytes.fill(9)
    fs.readFile('/a').fill(8)
    fs.getxattr('/a', 'user.a').fill(8)
    expect([...fs.readFile('/a'), ...fs.getxattr('/a', 'user.a')]).to.deep.equal([1, 2, 3, 1, 2, 3])
  })

  it('can be read only, for a while', () => {
    const fs = new MemoryFs()
    fs.writeFile('/a', 'x')
    fs.superBlock.readOnly = true
    expect(() => fs.writeFile('/a', 'y')).to.throw('EROFS')
    expect(() => fs.mkdir('/d', 0o755)).to.throw('EROFS')
    const before = fs.lstat('/a').atimeNs
    fs.readFile('/a')
    expect(fs.lstat('/a').atimeNs).to.equal(before)
    fs.superBlock.readOnly = false
    fs.mkdir('/d', 0o755)
  })

  it('can have less than tmpfs', () => {
    const fs = new MemoryFs({ features: { xattrs: [], renameWhiteout: false, temporaryFiles: false } })
    fs.writeFile('/a', '')
    expect(() => fs.setxattr('/a', 'user.a', new Uint8Array(0))).to.throw('EOPNOTSUPP')
    expect(() => fs.getxattr('/a', 'trusted.a')).to.throw('EOPNOTSUPP')
    expect(fs.listxattr('/a')).to.deep.equal([])
    expect(() => fs.rename('/a', '/b', { flags: RENAME_WHITEOUT })).to.throw('EINVAL')
    expect(fs.superBlock.lookup(fs.superBlock.root, 'a')).to.not.equal(null)
    expect(() => fs.superBlock.createTemporary(fs.superBlock.root, plain)).to.throw('EOPNOTSUPP')
  })

  const atimes: readonly (readonly ['relatime' | 'strict' | 'never', readonly boolean[]])[] = [
    ['relatime', [true, false, true, false]],
    ['strict', [true, true, true, false]],
    ['never', [false, false, false, false]],
  ]
  for (const [atime, expected] of atimes) {
    it(`sets access times: ${atime}`, () => {
      let now = 10n
      const fs = new MemoryFs({ atime, now: () => ++now })
      fs.writeFile('/a', 'x')
      const changes = (read: () => unknown): boolean => {
        const before = fs.lstat('/a').atimeNs
        read()
        return fs.lstat('/a').atimeNs !== before
      }
      const read = (): unknown => fs.readFile('/a')
      const quietly = (): void => {
        const file = fs.open('/a', O_RDONLY | O_NOATIME)
        file.read(new Uint8Array(1))
        file.close()
      }
      const seen = [changes(read), changes(read)]
      now += 86_400_000_000_000n
      expect([...seen, changes(read), changes(quietly)]).to.deep.equal(expected)
    })
  }

  it('frees what an unnamed file took when nobody needs it any more', () => {
    const fs = new MemoryFs({ sizeBytes: 8192, maxInodes: 2 })
    const { superBlock } = fs
    const free = (): readonly number[] => [fs.statfs('/').blocksFree, fs.statfs('/').filesFree]
    const unnamed = superBlock.createTemporary(superBlock.root, plain)
    const file = superBlock.openFile(unnamed, O_RDWR)
    file.write(new Uint8Array(5000), 0)
    expect(free()).to.deep.equal([0, 0])
    file.close()
    superBlock.forget(unnamed)
    expect(free()).to.deep.equal([2, 1])
    superBlock.forget(superBlock.createTemporary(superBlock.root, plain))
    expect(free()).to.deep.equal([2, 1])
  })

  it('shares open files between callers', () => {
    const fs = new MemoryFs()
    const file = fs.open('/a', O_CREAT | O_RDWR, 0o600)
    fs.as({ ...root, umask: 0 }).writeFile('/a', 'seen')
    const read = new Uint8Array(4)
    file.read(read, 0)
    file.close()
    expect(Buffer.from(read).toString()).to.equal('seen')
  })
})
