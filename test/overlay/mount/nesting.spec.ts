// Where the directories of an overlay lie to each other, and who mounts (rules 30, 33, 36, 52, 151, 153, 159, 160).
import { expect } from 'chai'
import { OvlError } from '../../../src/errors/index.ts'
import { type FileSystem, MemoryFs, rootOfNamespace, user, writeTree } from '../../../src/fs/index.ts'
import { OverlayFs, type OverlayFsOptions } from '../../../src/overlay/index.ts'
import { errno, exists, isWhiteout, names, setXattr, text, TR, xattr, xattrs } from '../../support/overlay-stages.ts'

function memory(...directories: readonly string[]): FileSystem {
  const fs = new MemoryFs()
  for (const path of directories) fs.mkdir(path, 0o755)
  return fs
}

function codeOf(options: OverlayFsOptions): string {
  try {
    new OverlayFs(options).unmount()
    return 'ok'
  } catch (error) {
    if (error instanceof OvlError) return error.code
    throw error
  }
}

/** Layers of user 1000. */
function layers(): { readonly fs: FileSystem; readonly options: OverlayFsOptions } {
  const fs = memory()
  fs.chown('/', 1000, 1000)
  const own = fs.as(user(1000))
  for (const path of ['l', 'u', 'w']) own.mkdir(path, 0o755)
  own.writeFile('l/f', 'x')
  own.mkdir('l/d', 0o755)
  const place = (path: string): { fs: FileSystem; path: string } => ({ fs: own, path })
  const options = {
    lower: [place('l')],
    upper: place('u'),
    work: place('w'),
    mounter: rootOfNamespace([{ first: 1000, count: 1 }]),
    caller: user(1000),
  }
  return { fs, options }
}

describe('nesting', () => {
  it('upperdir and workdir in a lower layer are listed, and looking them up gives ELOOP (M82)', () => {
    const fs = memory('l', 'l/up', 'l/wk', 'l/other')
    const m = new OverlayFs({
      lower: [{ fs, path: 'l' }],
      upper: { fs, path: 'l/up' },
      work: { fs, path: 'l/wk' },
    })
    expect(names(m)).to.deep.equal(['other', 'up', 'wk'])
    expect(['up', 'wk', 'other'].map(path => errno(() => m.stat(path)))).to.deep.equal(['ELOOP', 'ELOOP', 'OK'])
  })

  it('an overlay can be a lower layer once, and never an upper one (M88, M89)', () => {
    const fs = memory('l', 'u', 'w', 'u2', 'w2', 'u3', 'w3')
    const first = new OverlayFs({ lower: [{ fs, path: 'l' }], upper: { fs, path: 'u' }, work: { fs, path: 'w' } })
    const onFirst = { lower: [{ fs: first, path: '/' }], upper: { fs, path: 'u2' }, work: { fs, path: 'w2' } }
    const second = new OverlayFs(onFirst)
    const third = { lower: [{ fs: second, path: '/' }], upper: { fs, path: 'u3' }, work: { fs, path: 'w3' } }
    expect(codeOf(third)).to.equal('OVL_TOO_DEEP')
    first.mkdir('u', 0o755)
    first.mkdir('w', 0o755)
    const above = { lower: [{ fs, path: 'l' }], upper: { fs: first, path: 'u' }, work: { fs: first, path: 'w' } }
    expect(codeOf(above)).to.equal('OVL_UPPER_ON_OVERLAY')
  })

  it('attributes come through one level unescaped, and writes stay above (N01-N03)', () => {
    const fs = memory('l', 'u', 'w', 'u2', 'w2')
    writeTree(fs, 'l', {
      d: { type: 'dir', xattrs: { [`${TR}overlay.opaque`]: 'y' } },
      'd/low': 'x',
      'e/low': 'x',
    })
    const first = new OverlayFs({
      lower: [{ fs, path: 'l' }],
      upper: { fs, path: 'u' },
      work: { fs, path: 'w' },
    })
    expect(xattr(first, 'd', `${TR}opaque`)).to.equal('y')
    const bottom = memory('b')
    writeTree(bottom, 'b', { 'd/below': '', 'e/below': '' })
    const second = new OverlayFs({
      lower: [
        { fs: first, path: '/' },
        { fs: bottom, path: 'b' },
      ],
      upper: { fs, path: 'u2' },
      work: { fs, path: 'w2' },
    })
    expect([names(second, 'd'), names(second, 'e')]).to.deep.equal([['low'], ['below', 'low']])
    second.writeFile('e/low', 'changed')
    second.unlink('d/low')
    expect([text(first, 'e/low'), exists(first, 'd/low'), names(fs, 'u')]).to.deep.equal(['x', true, []])
    setXattr(second, 'e', `${TR}opaque`, 'y')
    expect(xattr(fs, 'u2/e', `${TR}overlay.opaque`)).to.equal('y')
  })
})

describe('a mounter without capabilities outside of a user namespace', () => {
  it('has no marks: whiteouts work, a directory over one does not (P16)', () => {
    const { fs, options } = layers()
    setXattr(fs, 'l/d', `${TR}opaque`, 'y')
    const m = new OverlayFs(options)
    m.unlink('f')
    m.rmdir('d')
    expect([isWhiteout(fs, 'u/f'), isWhiteout(fs, 'u/d'), errno(() => m.mkdir('d', 0o755))]).to.deep.equal([
      true,
      true,
      'EIO',
    ])
    expect([xattrs(fs, 'u'), fs.lstat('u/f').uid]).to.deep.equal([[], 1000])
  })

  it('has them with userxattr (P17)', () => {
    const { fs, options } = layers()
    const m = new OverlayFs({ ...options, options: 'userxattr' })
    m.rmdir('d')
    m.mkdir('d', 0o755)
    expect(xattr(fs, 'u/d', 'user.overlay.opaque')).to.equal('y')
  })

  it('may not ask for what needs trusted attributes (P18)', () => {
    const { options } = layers()
    for (const setting of ['redirect_dir=on', 'metacopy=on'])
      expect(codeOf({ ...options, options: setting }), setting).to.equal('OVL_NEEDS_TRUSTED_XATTRS')
  })

  it('gets a read-only overlay where the workdir is not its own', () => {
    const { fs, options } = layers()
    fs.chown('w', 0, 0)
    const m = new OverlayFs(options)
    expect([errno(() => m.writeFile('new', '')), m.statfs('/').readOnly]).to.deep.equal(['EROFS', true])
  })
})
