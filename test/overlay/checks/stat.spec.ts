// Who an object is: st_dev, st_ino, st_nlink, d_ino, statfs (rules 83, 85-92, 154, 155).
import { expect } from 'chai'
import { type FileSystem, O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR } from '../../../src/fs/index.ts'
import { errno, type Layers, type OverlayStage, overlayChecks, TR, xattrs } from '../../support/overlay-stages.ts'
import { directory } from '../../support/overlay-trees.ts'

const tree = { f: '', g: '', d: directory, m: directory, 'm/s1': directory }
const twoLowers: Layers = { lower: [tree, { m: directory }] }
const twoFileSystems: Layers = { lower: [tree], lowerOn: 'other' }

/** `u` and `ud` with a directory in it. */
function addUpper(m: FileSystem): void {
  m.writeFile('u', '')
  m.mkdir('ud', 0o755)
  m.mkdir('ud/a', 0o755)
}

function inos(of: FileSystem, ...paths: readonly string[]): readonly bigint[] {
  return paths.map(path => of.lstat(path).ino)
}

function listedIno(of: FileSystem, name: string): bigint | undefined {
  return of.readdir('/').find(entry => entry.name === name)?.ino
}

overlayChecks('identity on one file system', [
  [
    'I01',
    'everything has the st_dev of the overlay',
    s => {
      const m = s.mount(twoLowers)
      addUpper(m)
      const devices = new Set(['/', 'f', 'd', 'm', 'u', 'ud'].map(path => m.lstat(path).dev))
      expect([devices.size, devices.has(s.u.lstat('').dev)]).to.deep.equal([1, false])
    },
  ],
  [
    'I02',
    'st_ino is that of the lower object, copied up or not; of the upper one where there is no lower',
    s => {
      const m = s.mount(twoLowers)
      addUpper(m)
      m.chmod('g', 0o600)
      expect(inos(m, 'f', 'd', 'g')).to.deep.equal(inos(s.lower, 'f', 'd', 'g'))
      expect(inos(m, 'u', 'ud')).to.deep.equal(inos(s.u, 'u', 'ud'))
    },
  ],
  [
    'I03',
    'the root has the number of upperdir',
    s => {
      const m = s.mount(twoLowers)
      expect(m.lstat('/').ino).to.equal(s.u.lstat('').ino)
    },
  ],
  [
    'I04',
    'a merged directory has one link, others as many as they have in their layer',
    s => {
      const m = s.mount(twoLowers)
      addUpper(m)
      expect(['/', 'm', 'd', 'ud'].map(path => m.lstat(path).nlink)).to.deep.equal([1, 1, 2, 3])
    },
  ],
  [
    'I05',
    'a directory of two lower layers has the number of the upper of them',
    s => {
      const m = s.mount(twoLowers)
      expect(m.lstat('m').ino).to.equal(s.lower.lstat('m').ino)
    },
  ],
  [
    'I06',
    'a lower directory that is copied up has one link',
    s => {
      const m = s.mount(twoLowers)
      m.chmod('d', 0o700)
      expect(m.lstat('d').nlink).to.equal(1)
    },
  ],
  [
    'I07',
    'size and blocks of a directory are those of its top member',
    s => {
      const m = s.mount({ lower: [{ 'm/a': '', 'm/b': '', 'm/c': '' }], upper: { m: directory, 'm/a': '' } })
      const { sizeBytes, blocks } = s.u.lstat('m')
      expect(m.lstat('m')).to.include({ sizeBytes, blocks })
      expect(sizeBytes).to.not.equal(s.lower.lstat('m').sizeBytes)
    },
  ],
  [
    'I08',
    'a file has the link count of the layer that it is read from',
    s => {
      const m = s.mount({ lower: [{ f: '', f2: { link: 'f' }, one: '' }] })
      expect(['f', 'f2', 'one'].map(path => m.lstat(path).nlink)).to.deep.equal([2, 2, 1])
    },
  ],
  [
    'I09',
    'an opaque directory is not merged: its own link count',
    s => {
      const m = s.mount({ lower: [{ d: directory }] })
      m.rmdir('d')
      m.mkdir('d', 0o755)
      m.mkdir('d/x', 0o755)
      expect(m.lstat('d').nlink).to.equal(3)
    },
  ],
  [
    'I10',
    'numbers stay over a remount, by overlay.origin',
    s => {
      const m = s.mount(twoLowers)
      m.chmod('f', 0o600)
      m.chmod('d', 0o700)
      const before = inos(m, 'f', 'd')
      expect(inos(s.remount(), 'f', 'd')).to.deep.equal(before)
      expect(inos(s.m, 'f', 'd')).to.deep.equal(inos(s.lower, 'f', 'd'))
    },
  ],
  [
    'I11',
    'without overlay.origin a file has the upper number; a directory is found by name and gets its origin back',
    s => {
      const m = s.mount(twoLowers)
      m.chmod('f', 0o600)
      m.chmod('d', 0o700)
      s.unmount()
      for (const path of ['f', 'd']) s.u.removexattr(path, `${TR}origin`)
      const again = s.remount()
      expect(inos(again, 'f', 'd')).to.deep.equal([...inos(s.u, 'f'), ...inos(s.lower, 'd')])
      expect(xattrs(s.u, 'd')).to.include(`${TR}origin`)
    },
  ],
  [
    'U04',
    'an open file that was unlinked has no link if it is an upper one, its lower links if it is a lower one',
    s => {
      const m = s.mount({ lower: [{ f: '' }] })
      m.writeFile('u', '')
      const handles = ['f', 'u'].map(path => m.open(path, O_RDONLY))
      for (const path of ['f', 'u']) m.unlink(path)
      expect(handles.map(handle => handle.stat().nlink)).to.deep.equal([1, 0])
      for (const handle of handles) handle.close()
    },
  ],
])

overlayChecks('identity on two file systems', [
  [
    'I12',
    'directories have the st_dev of the overlay, files one for each file system, none of them real',
    s => {
      const m = s.mount(twoFileSystems)
      addUpper(m)
      const [root, d, ud, f, u] = ['/', 'd', 'ud', 'f', 'u'].map(path => m.lstat(path).dev)
      expect([d, ud]).to.deep.equal([root, root])
      const real = [s.lower.lstat('').dev, s.u.lstat('').dev]
      expect(new Set([root, f, u, ...real]).size).to.equal(5)
    },
  ],
  [
    'I13',
    'a file keeps both numbers over copy-up',
    s => {
      const m = s.mount(twoFileSystems)
      const { dev, ino } = m.lstat('f')
      m.chmod('f', 0o600)
      expect(m.lstat('f')).to.include({ dev, ino })
    },
  ],
  [
    'I14',
    'a directory has a number from a counter of the mount, not the real one',
    s => {
      const m = s.mount(twoFileSystems)
      addUpper(m)
      // Counted from 2 in the order of the first lookups: the root, what addUpper made, d, m.
      expect(inos(m, 'd', 'm', 'ud', '/')).to.deep.equal([5n, 6n, 3n, 2n])
      expect(inos(s.remount(), 'm', 'd')).to.deep.equal([3n, 4n])
    },
  ],
  [
    'I15',
    'd_ino is the real number: st_ino for files that were not copied up, not for directories',
    s => {
      const m = s.mount(twoFileSystems)
      expect(listedIno(m, 'g')).to.equal(m.lstat('g').ino)
      expect(listedIno(m, 'd')).to.equal(s.lower.lstat('d').ino).and.not.equal(m.lstat('d').ino)
    },
  ],
  [
    'I16',
    'xino=on: one st_dev, and the file system in the high bits: 2 of them with numbers of 64 bits, upper ones unchanged',
    s => {
      const m = s.mount({ ...twoFileSystems, options: 'xino=on' })
      addUpper(m)
      expect(new Set(['/', 'f', 'd', 'u', 'ud'].map(path => m.lstat(path).dev)).size).to.equal(1)
      // shift = 64 - 2, and the lowest of the two bits is for numbers of the overlay itself
      expect(inos(m, 'f', 'd')).to.deep.equal(inos(s.lower, 'f', 'd').map(ino => ino | (1n << 63n)))
      expect(inos(m, 'u', 'ud')).to.deep.equal(inos(s.u, 'u', 'ud'))
      expect([listedIno(m, 'f'), listedIno(m, 'd'), listedIno(m, 'u')]).to.deep.equal(inos(m, 'f', 'd', 'u'))
    },
  ],
])

function statfsOf(s: OverlayStage, layers: Layers): { readonly m: FileSystem; readonly fsid: bigint } {
  const m = s.mount(layers)
  return { m, fsid: m.statfs('/').fsid }
}

overlayChecks('statfs and sync', [
  [
    'S01',
    'f_type is that of overlayfs, counters are those of the upper file system, f_fsid is the overlay’s own',
    s => {
      const { m, fsid } = statfsOf(s, twoFileSystems)
      const { blockSizeBytes, blocks, files, fsid: upperFsid } = s.u.statfs('')
      expect(m.statfs('/')).to.include({ type: 0x794c7630, blockSizeBytes, blocks, files, nameMax: 255 })
      expect(fsid).to.not.equal(upperFsid)
      expect(s.remount().statfs('/').fsid).to.equal(fsid)
    },
  ],
  [
    'S02',
    'with uuid=off f_fsid is that of the upper file system',
    s => {
      const { fsid } = statfsOf(s, { options: 'uuid=off' })
      expect(fsid).to.equal(s.u.statfs('').fsid)
    },
  ],
  [
    'S03',
    'without upperdir the counters are those of the top lower layer',
    s => {
      const { m } = statfsOf(s, { lower: [{}, {}], upper: null })
      const { blocks, files } = s.lower.statfs('')
      expect(m.statfs('/')).to.include({ blocks, files, readOnly: true })
    },
  ],
  [
    'S04',
    'fsync of a lower file and of directories succeeds',
    s => {
      const m = s.mount({ lower: [{ f: '', d: directory }] })
      for (const path of ['f', 'd', '/']) {
        const handle = m.open(path, path === 'f' ? O_RDONLY : O_DIRECTORY)
        expect(
          errno(() => handle.sync()),
          path,
        ).to.equal('OK')
        handle.close()
      }
      expect(errno(() => m.sync())).to.equal('OK')
    },
  ],
  [
    'S05',
    'volatile: every sync succeeds',
    s => {
      const m = s.mount({ options: 'volatile' })
      const handle = m.open('f', O_CREAT | O_RDWR, 0o644)
      expect([errno(() => handle.sync()), errno(() => m.sync())]).to.deep.equal(['OK', 'OK'])
      handle.close()
    },
  ],
])
