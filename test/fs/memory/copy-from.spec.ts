import { expect } from 'chai'
import { type InodeFile, MemoryFs, O_RDONLY, O_RDWR } from '../../../src/fs/index.ts'

const page = 4096

/** A file system of four pages besides what is in it, with a source of two pages of data and a hole at the end. */
function files() {
  const fs = new MemoryFs({ sizeBytes: 6 * page })
  fs.writeFile('source', new Uint8Array(2 * page).fill(120))
  fs.truncate('source', 5 << 20)
  fs.writeFile('target', '')
  const open = (name: string, flags: number): InodeFile => {
    const inode = fs.superBlock.lookup(fs.superBlock.root, name)
    if (inode === null) throw new Error(name)
    return fs.superBlock.openFile(inode, flags)
  }
  return { fs, open }
}

describe('copyFrom of a file in memory', () => {
  it('copies contents in one step', () => {
    const { fs, open } = files()
    expect(open('target', O_RDWR).copyFrom?.(open('source', O_RDONLY), 2 * page + 7)).to.equal(true)
    expect(fs.lstat('target')).to.include({ sizeBytes: 2 * page + 7, blocks: (3 * page) / 512 })
    expect([...fs.readFile('target').subarray(-8)]).to.deep.equal([120, 0, 0, 0, 0, 0, 0, 0])
  })

  it('leaves a file that is longer as long as it is, and one without data as it is', () => {
    const { fs, open } = files()
    fs.truncate('target', 3 * page)
    fs.utimens('target', { atime: 5n, mtime: 5n })
    fs.truncate('source', 0)
    fs.truncate('source', 1 << 20)
    expect(open('target', O_RDWR).copyFrom?.(open('source', O_RDONLY), 1 << 20)).to.equal(true)
    expect(fs.lstat('target')).to.include({ sizeBytes: 3 * page, blocks: 0, mtimeNs: 5n })
  })

  it('gives the copy bytes of its own', () => {
    const { fs, open } = files()
    open('target', O_RDWR).copyFrom?.(open('source', O_RDONLY), 2 * page)
    open('source', O_RDWR).write(Uint8Array.of(1), 0)
    expect(fs.readFile('target')[0]).to.equal(120)
  })

  it('does nothing where there is no room, where something is, and of another kind of file', () => {
    const { fs, open } = files()
    const source = open('source', O_RDONLY)
    expect(open('target', O_RDWR).copyFrom?.(source, 5 << 20)).to.equal(false)
    expect(open('target', O_RDWR).copyFrom?.({ read: () => 0 } as unknown as InodeFile, 5)).to.equal(false)
    fs.writeFile('target', 'x')
    expect(open('target', O_RDWR).copyFrom?.(source, page)).to.equal(false)
    expect(fs.lstat('target').sizeBytes).to.equal(1)
  })
})
