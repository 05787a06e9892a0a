// Mounting on file systems in memory: what is refused, what is written, what falls back (rules 3-8, 21-37, 48-52).
import { expect } from 'chai'
import { OvlError } from '../../../src/errors/index.ts'
import { type FileSystem, type MemoryOptions, MemorySuperBlock, Vfs } from '../../../src/fs/index.ts'
import {
  mountOverlay,
  type MountRequest,
  type OverlayMount,
  parseOverlayOptions,
  shownOptions,
  unmountOverlay,
} from '../../../src/overlay/index.ts'

function memory(options: MemoryOptions = {}): FileSystem {
  const fs = new Vfs(new MemorySuperBlock(options))
  for (const name of ['l1', 'l2', 'u', 'w']) fs.mkdir(name, 0o755)
  return fs
}

function request(fs: FileSystem, options = '', more: Partial<MountRequest> = {}): MountRequest {
  const { settings } = parseOverlayOptions(options)
  return { lower: [{ fs, path: 'l1' }], upper: { fs, path: 'u' }, work: { fs, path: 'w' }, settings, ...more }
}

/** Mounts, asks, unmounts. */
function mounted<T>(wanted: MountRequest, ask: (mount: OverlayMount) => T): T {
  const mount = mountOverlay(wanted)
  try {
    return ask(mount)
  } finally {
    unmountOverlay(mount)
  }
}

function refusalOf(wanted: MountRequest): string {
  try {
    unmountOverlay(mountOverlay(wanted))
    return 'ok'
  } catch (error) {
    if (error instanceof OvlError) return `${error.code} ${JSON.stringify(error.data['errno'])}`.replaceAll('"', '')
    throw error
  }
}

function shown(fs: FileSystem, options: string, more: Partial<MountRequest> = {}): readonly string[] {
  return mounted(request(fs, options, more), shownOptions)
}

function names(fs: FileSystem, path: string): string[] {
  return fs
    .readdir(path)
    .map(({ name }) => name)
    .toSorted()
}

describe('mountOverlay()', () => {
  const refused: readonly (readonly [name: string, expected: string, make: (fs: FileSystem) => MountRequest])[] = [
    ['no workdir', 'OVL_NO_WORKDIR EINVAL', fs => request(fs, '', { work: null })],
    ['no lowerdir', 'OVL_NO_LOWERDIR EINVAL', fs => request(fs, '', { lower: [] })],
    [
      'data-only layers alone',
      'OVL_NO_LOWERDIR EINVAL',
      fs => request(fs, '', { lower: [], data: [{ fs, path: 'l1' }] }),
    ],
    ['one lower alone', 'OVL_TOO_FEW_LAYERS EINVAL', fs => request(fs, '', { upper: null, work: null })],
    ['a missing lower', 'OVL_LOWER_NOT_FOUND ENOENT', fs => request(fs, '', { lower: [{ fs, path: 'nope' }] })],
    ['a missing upper', 'OVL_UPPER_NOT_FOUND ENOENT', fs => request(fs, '', { upper: { fs, path: 'nope' } })],
    ['a missing workdir', 'OVL_WORKDIR_NOT_FOUND ENOENT', fs => request(fs, '', { work: { fs, path: 'nope' } })],
    [
      'a file as layer',
      'OVL_NOT_A_DIRECTORY EINVAL',
      fs => {
        fs.writeFile('f', '')
        return request(fs, '', { lower: [{ fs, path: 'f' }] })
      },
    ],
    [
      'a layer behind a loop of symlinks',
      'OVL_LAYER_UNREACHABLE ELOOP',
      fs => {
        fs.symlink('s', 's')
        return request(fs, '', { lower: [{ fs, path: 's' }] })
      },
    ],
    ['workdir = upperdir', 'OVL_WORKDIR_IS_UPPERDIR EINVAL', fs => request(fs, '', { work: { fs, path: 'u' } })],
    [
      'workdir in upperdir',
      'OVL_WORKDIR_NESTED EINVAL',
      fs => {
        fs.mkdir('u/w', 0o755)
        return request(fs, '', { work: { fs, path: 'u/w' } })
      },
    ],
    [
      'upperdir in workdir',
      'OVL_WORKDIR_NESTED EINVAL',
      fs => {
        fs.mkdir('w/u', 0o755)
        return request(fs, '', { upper: { fs, path: 'w/u' } })
      },
    ],
    [
      'workdir on another file system',
      'OVL_WORKDIR_OTHER_FS EINVAL',
      fs => request(fs, '', { work: { fs: memory(), path: 'w' } }),
    ],
    [
      'a read-only upper',
      'OVL_UPPER_READ_ONLY EINVAL',
      fs => {
        ;(fs.superBlock as MemorySuperBlock).readOnly = true
        return request(fs)
      },
    ],
    [
      'a lower twice',
      'OVL_LAYER_TWICE ELOOP',
      fs =>
        request(fs, '', {
          lower: [
            { fs, path: 'l1' },
            { fs, path: '/l2/../l1' },
          ],
        }),
    ],
    ['lower = upper', 'OVL_LAYER_TWICE ELOOP', fs => request(fs, '', { lower: [{ fs, path: 'u' }] })],
    ['lower = workdir', 'OVL_LAYER_TWICE ELOOP', fs => request(fs, '', { lower: [{ fs, path: 'w' }] })],
    [
      'a lower in a lower, through a symlink',
      'OVL_LAYERS_NESTED ELOOP',
      fs => {
        fs.mkdir('l1/sub', 0o755)
        fs.symlink('/l1', 'link')
        return request(fs, '', {
          lower: [
            { fs, path: 'l1' },
            { fs, path: 'link/sub' },
          ],
        })
      },
    ],
    [
      'a lower in upper',
      'OVL_LAYERS_NESTED ELOOP',
      fs => {
        fs.mkdir('u/sub', 0o755)
        return request(fs, '', { lower: [{ fs, path: 'u/sub' }] })
      },
    ],
    [
      'upper in a lower',
      'ok',
      fs => {
        fs.mkdir('l1/up', 0o755)
        return request(fs, '', { upper: { fs, path: 'l1/up' } })
      },
    ],
    ['conflicting options', 'OVL_CONFLICTING_OPTIONS EINVAL', fs => request(fs, 'metacopy=on,redirect_dir=off')],
  ]
  for (const [name, expected, make] of refused)
    it(`${name}: ${expected}`, () => expect(refusalOf(make(memory()))).to.equal(expected))

  it('501 layers are too many, 500 are not', () => {
    const fs = memory()
    const layers = Array.from({ length: 501 }, (_, at) => ({ fs, path: `n${at}` }))
    for (const { path } of layers) fs.mkdir(path, 0o755)
    expect(refusalOf(request(fs, '', { lower: layers }))).to.equal('OVL_TOO_MANY_LAYERS EINVAL')
    expect(refusalOf(request(fs, '', { lower: layers.slice(1) }))).to.equal('ok')
  })

  it('a mount that is refused writes nothing and keeps nothing', () => {
    const fs = memory()
    const wanted = request(fs, '', {
      lower: [
        { fs, path: 'l1' },
        { fs, path: 'l1' },
      ],
    })
    expect(refusalOf(wanted)).to.equal('OVL_LAYER_TWICE ELOOP')
    expect([names(fs, 'w'), fs.listxattr('u')]).to.deep.equal([[], []])
    expect(refusalOf(request(fs, 'index=on'))).to.equal('ok')
  })

  it('shows what holds: uuid=on on a new upperdir, redirect_dir=on without one (M02, M03, M05b, M34)', () => {
    expect(shown(memory(), '')).to.deep.equal(['uuid=on'])
    expect(shown(memory(), 'xino=on')).to.deep.equal(['uuid=on'])
    const used = memory()
    used.setxattr('u', 'trusted.overlay.impure', new TextEncoder().encode('y'))
    expect(shown(used, '')).to.deep.equal(['uuid=null'])
    const fs = memory()
    const lower = [
      { fs, path: 'l1' },
      { fs, path: 'l2' },
    ]
    expect(shown(fs, '', { upper: null, work: null, lower })).to.deep.equal(['redirect_dir=on'])
  })

  it('uuid: made once, found again, and part of f_fsid (F13, F14)', () => {
    const fs = memory()
    const first = mounted(request(fs), ({ uuid }) => uuid)
    expect(fs.getxattr('u', 'trusted.overlay.uuid')).to.deep.equal(first).and.have.length(16)
    expect(mounted(request(fs), ({ uuid, config }) => [uuid, config.uuid])).to.deep.equal([first, 'auto'])
    expect(mounted(request(fs, 'uuid=off'), ({ uuid }) => uuid)).to.deep.equal(new Uint8Array(16))
  })
})

describe('the workdir of a mount', () => {
  it('work is made with mode 000 and stays; other names are left alone (M91, M94)', () => {
    const fs = memory()
    fs.mkdir('w/other', 0o755)
    fs.mkdir('w/work', 0o755)
    fs.mkdir('w/work/a', 0o755)
    fs.writeFile('w/work/a/b', 'left by a killed mount')
    unmountOverlay(mountOverlay(request(fs)))
    expect([names(fs, 'w'), names(fs, 'w/work'), fs.stat('w/work').mode & 0o7777]).to.deep.equal([
      ['other', 'work'],
      [],
      0,
    ])
  })

  it('a file in its place is replaced (M93), inherited bits are cleared', () => {
    const fs = memory()
    fs.writeFile('w/work', 'x')
    fs.chmod('w', 0o2755)
    unmountOverlay(mountOverlay(request(fs)))
    expect(fs.stat('w/work').mode).to.equal(0o040000)
  })

  it('what lies deeper than two levels makes the mount read-only (M92)', () => {
    const fs = memory()
    for (const path of ['w/work', 'w/work/a', 'w/work/a/b', 'w/work/a/b/c']) fs.mkdir(path, 0o755)
    const [isReadOnly, index, about] = mounted(request(fs, 'index=on'), ({ readOnly, config, notes }) => [
      readOnly,
      config.index,
      notes.map(note => note.about),
    ])
    expect([isReadOnly, index]).to.deep.equal([true, false])
    expect(about).to.include('workdir')
  })

  it('volatile leaves a mark that every later mount refuses until it is removed (M40-M42)', () => {
    const fs = memory()
    unmountOverlay(mountOverlay(request(fs, 'volatile')))
    expect(fs.stat('w/work/incompat/volatile/dirty').mode).to.equal(0o100000)
    expect(refusalOf(request(fs))).to.equal('OVL_VOLATILE_LEFTOVER EINVAL')
    expect(refusalOf(request(fs, 'volatile'))).to.equal('OVL_VOLATILE_LEFTOVER EINVAL')
    fs.unlink('w/work/incompat/volatile/dirty')
    fs.rmdir('w/work/incompat/volatile')
    fs.rmdir('w/work/incompat')
    expect(refusalOf(request(fs))).to.equal('ok')
  })

  it('an upperdir without attributes turns off what needs them (M97)', () => {
    const fs = memory({ features: { xattrs: [] } })
    const options = mounted(request(fs, 'index=on,redirect_dir=on,metacopy=on'), shownOptions)
    expect(options).to.deep.equal(['redirect_dir=nofollow', 'uuid=null'])
    expect(mounted(request(fs), ({ hasNoXattrs }) => hasNoXattrs)).to.equal(true)
  })

  it('without file handles there is no index', () => {
    const fs = memory({ features: { handles: false } })
    expect(mounted(request(fs, 'nfs_export=on'), shownOptions)).to.deep.equal(['uuid=on'])
  })
})

describe('directories in use (M83, M84)', () => {
  it('by a live overlay: noted with index=off, refused with index=on, free after it ended', () => {
    const fs = memory()
    fs.mkdir('u2', 0o755)
    fs.mkdir('w2', 0o755)
    const first = mountOverlay(request(fs))
    const sameUpper = { work: { fs, path: 'w2' } }
    const sameWork = { upper: { fs, path: 'u2' } }
    const lowerInUpper = { ...sameWork, ...sameUpper, lower: [{ fs, path: 'u' }] }
    for (const more of [sameUpper, sameWork, lowerInUpper]) {
      expect(refusalOf(request(fs, 'index=on', more))).to.equal('OVL_IN_USE EBUSY')
      expect(mounted(request(fs, '', more), ({ notes }) => notes.map(({ message }) => message)).join()).to.match(
        /in use as (upperdir|workdir) of another mounted overlay/,
      )
    }
    // The second overlay ended; the first still has the directories.
    expect(refusalOf(request(fs, 'index=on', sameUpper))).to.equal('OVL_IN_USE EBUSY')
    unmountOverlay(first)
    expect(refusalOf(request(fs, 'index=on', sameUpper))).to.equal('ok')
  })
})

describe('index=on', () => {
  it('keeps index beside work and notes what belongs together (M85-M87)', () => {
    const fs = memory()
    unmountOverlay(mountOverlay(request(fs, 'index=on')))
    expect([names(fs, 'w'), fs.stat('w/index').mode]).to.deep.equal([['index', 'work'], 0o040000])
    expect(fs.listxattr('u')).to.include('trusted.overlay.origin')
    expect(fs.getxattr('w/index', 'trusted.overlay.upper')[3]).to.equal(4)
    const otherLower = { lower: [{ fs, path: 'l2' }] }
    expect(refusalOf(request(fs, 'index=on', otherLower))).to.equal('OVL_STALE_ORIGIN ESTALE')
    expect(refusalOf(request(fs, '', otherLower))).to.equal('ok')
    fs.mkdir('u2', 0o755)
    expect(refusalOf(request(fs, 'index=on', { upper: { fs, path: 'u2' } }))).to.equal('OVL_STALE_INDEX ESTALE')
  })

  it('entries that stand for nothing are removed, unreadable ones refuse the mount', () => {
    const fs = memory()
    unmountOverlay(mountOverlay(request(fs, 'index=on')))
    const origin = fs.getxattr('u', 'trusted.overlay.origin')
    const entry = `w/index/${Buffer.from(origin).toString('hex')}`
    fs.writeFile(entry, 'claims to be the root')
    fs.setxattr(entry, 'trusted.overlay.origin', origin.with(21, 77))
    fs.writeFile('w/index/#1', 'left by a killed mount')
    unmountOverlay(mountOverlay(request(fs, 'index=on')))
    expect(names(fs, 'w/index')).to.deep.equal([])
    fs.writeFile('w/index/readme', '')
    expect(refusalOf(request(fs, 'index=on'))).to.equal('OVL_STALE_INDEX EINVAL')
  })
})

describe('file systems of the layers', () => {
  const xino: readonly (readonly [options: string, has32BitInodes: boolean, mode: number])[] = [
    ['', true, -1],
    ['xino=on', true, 32],
    ['xino=auto', true, 32],
    ['xino=on', false, 2],
    ['xino=off', false, -1],
  ]
  for (const [options, has32BitInodes, mode] of xino) {
    it(`two of them, "${options}", 32-bit numbers ${has32BitInodes}: ${mode} bits (I16, F21)`, () => {
      const features = { has32BitInodes }
      const lower = [{ fs: memory({ features }), path: 'l1' }]
      expect(mounted(request(memory({ features }), options, { lower }), ({ xinoMode }) => xinoMode)).to.equal(mode)
    })
  }

  it('one of them: no bits are needed', () => {
    expect(mounted(request(memory(), 'xino=on'), ({ xinoMode }) => xinoMode)).to.equal(0)
  })

  it('without uuids of their own they are not told apart by handles', () => {
    const uuid = new Uint8Array(16).fill(7)
    const lower = [
      { fs: memory({ uuid }), path: 'l1' },
      { fs: memory({ uuid }), path: 'l1' },
    ]
    const ambiguous = mounted(request(memory(), '', { lower }), ({ fileSystems }) =>
      fileSystems.map(({ hasAmbiguousUuid }) => hasAmbiguousUuid),
    )
    expect(ambiguous).to.deep.equal([false, true, true])
    expect(mounted(request(memory(), 'index=on', { lower }), shownOptions)).to.deep.equal(['uuid=on'])
  })
})
