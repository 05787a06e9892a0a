// What reaches a file system and what does not: an overlay copies up when it is asked to change something, so a call too
// many is a file too many in its upper layer (rules 93 and 94).

import { expect } from 'chai'
import {
  MAY_WRITE,
  MemoryFs,
  O_APPEND,
  O_CREAT,
  O_EXCL,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  S_IFIFO,
  type SuperBlock,
  user,
  Vfs,
  XATTR_REPLACE,
} from '../../../src/fs/index.ts'
import { outcome } from '../../support/tmpfs.ts'

const changing = [
  'create',
  'createTemporary',
  'link',
  'unlink',
  'rmdir',
  'rename',
  'change',
  'setXattr',
  'removeXattr',
  'setFlags',
]

/** The super block, and every call of it that could change something. */
function recorded(superBlock: SuperBlock): { readonly superBlock: SuperBlock; readonly calls: string[] } {
  const calls: string[] = []
  const proxy = new Proxy(superBlock, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...given: unknown[]): unknown => {
        const text = changing.includes(String(name)) ? describeCall(String(name), given) : null
        if (text !== null) calls.push(text)
        return Reflect.apply(value, target, given)
      }
    },
  })
  return { superBlock: proxy, calls }
}

function describeCall(name: string, given: readonly unknown[]): string {
  return name === 'change' ? `change ${Object.keys(given[1] as object).join()}` : name
}

type Act = (fs: Vfs) => unknown

const nothing: readonly (readonly [string, Act])[] = [
  ['access for writing', fs => fs.access('/f', MAY_WRITE)],
  ['an open that only reads', fs => fs.open('/f', O_RDONLY | O_APPEND).close()],
  ['O_CREAT of what exists', fs => fs.open('/f', O_CREAT | O_RDONLY).close()],
  ['O_EXCL of what exists', fs => fs.open('/f', O_CREAT | O_EXCL | O_RDWR)],
  ['O_PATH', fs => fs.open('/f', O_PATH).close()],
  ['O_TRUNC of a FIFO', fs => fs.open('/fifo', O_RDWR | O_TRUNC).close()],
  ['utimens of neither time', fs => fs.utimens('/f', { atime: 'omit', mtime: 'omit' })],
  ['a write of nothing', fs => fs.open('/f', O_RDWR).write(new Uint8Array(0))],
  ['a rename to the same name', fs => fs.rename('/f', '/f')],
  ['mkdir of what exists', fs => fs.mkdir('/d', 0o755)],
  ['unlink of a directory', fs => fs.unlink('/d')],
  ['a chmod that is refused', fs => fs.as(user(1000)).chmod('/f', 0o777)],
  ['a truncation that is refused', fs => fs.as(user(1000)).truncate('/f', 0)],
  ['a removal that is refused', fs => fs.as(user(1000)).unlink('/f')],
  ['a negative size', fs => fs.truncate('/f', -1)],
  ['an attribute of no namespace', fs => fs.setxattr('/f', 'other.x', new Uint8Array(1))],
]

const something: readonly (readonly [string, Act, readonly string[]])[] = [
  ['chmod to the same mode', fs => fs.chmod('/f', 0o644), ['change mode']],
  ['chown to nobody', fs => fs.chown('/f', -1, -1), ['change ']],
  ['truncate to the same size', fs => fs.truncate('/f', 1), ['change sizeBytes']],
  ['one time', fs => fs.utimens('/f', { atime: 'omit', mtime: 5n }), ['change mtimeNs']],
  ['O_TRUNC', fs => fs.open('/f', O_RDWR | O_TRUNC).close(), ['change sizeBytes,mtimeNs']],
  ['O_CREAT of what is not there', fs => fs.open('/n', O_CREAT | O_RDWR).close(), ['create']],
  ['replacing a missing attribute', fs => fs.setxattr('/f', 'user.x', new Uint8Array(1), XATTR_REPLACE), ['setXattr']],
]

describe('Vfs calls', () => {
  for (const [title, act] of nothing) {
    it(`changes nothing for ${title}`, () => {
      const { fs, calls } = made()
      outcome(() => act(fs))
      expect(calls).to.deep.equal([])
    })
  }

  for (const [title, act, expected] of something) {
    it(`asks for a change by ${title}`, () => {
      const { fs, calls } = made()
      outcome(() => act(fs))
      expect(calls).to.deep.equal(expected)
    })
  }

  it('asks nothing of directories on the way of a capable caller', () => {
    const memory = new MemoryFs()
    for (const path of ['/a', '/a/b', '/a/b/c']) memory.mkdir(path, 0)
    const asked: string[] = []
    const superBlock = new Proxy<SuperBlock>(memory.superBlock, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...given: unknown[]): unknown => {
          asked.push(String(name))
          return Reflect.apply(value, target, given)
        }
      },
    })
    new Vfs(superBlock).lstat('/a/b/c')
    expect(asked).to.deep.equal(['lookup', 'lookup', 'lookup', 'stat'])
  })
})

function made(): { readonly fs: Vfs; readonly calls: string[] } {
  const memory = new MemoryFs()
  memory.writeFile('/f', 'x')
  memory.mkdir('/d', 0o755)
  memory.mknod('/fifo', S_IFIFO | 0o644)
  const { superBlock, calls } = recorded(memory.superBlock)
  return { fs: new Vfs(superBlock), calls }
}
