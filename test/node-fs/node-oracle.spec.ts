// The calls of asNodeFs beside those of node:fs in a directory of the host: same values, same errors.
import * as nodeFs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { MemoryFs } from '../../src/fs/index.ts'
import { asNodeFs, type NodeFs } from '../../src/node-fs/index.ts'

type Api = typeof nodeFs
/** `at` makes a path: below a directory of the host, or below the root of the emulator. */
type Run = (fs: Api, at: (name: string) => string) => unknown

const rows: readonly (readonly [string, Run])[] = [
  ['writeFile and readFile', (fs, at) => [fs.writeFileSync(at('/f'), 'hé'), fs.readFileSync(at('/f'), 'utf8')]],
  ['readFile gives a Buffer', (fs, at) => fs.readFileSync(at('/f'))],
  ['readFile in base64', (fs, at) => fs.readFileSync(at('/f'), { encoding: 'base64' })],
  ['readFile of nothing', (fs, at) => fs.readFileSync(at('/none'))],
  ['readFile of a directory', (fs, at) => fs.readFileSync(at('/'))],
  ['readFile by a path of another type', fs => fs.readFileSync(true as unknown as string)],
  ['a path with NUL', (fs, at) => fs.readFileSync(at('/a\0b'))],
  ['writeFile in a directory that is not there', (fs, at) => fs.writeFileSync(at('/no/f'), '')],
  ['writeFile to a directory', (fs, at) => fs.writeFileSync(at('/'), '')],
  ['writeFile of a number', (fs, at) => fs.writeFileSync(at('/f'), 5 as unknown as string)],
  ['writeFile with flag wx', (fs, at) => fs.writeFileSync(at('/f'), '', { flag: 'wx' })],
  [
    'writeFile with flag w+ of bytes',
    (fs, at) => [
      fs.writeFileSync(at('/g'), Uint8Array.of(1, 2, 3), { flag: 'w+', mode: 0o600 }),
      fs.statSync(at('/g')).mode,
    ],
  ],
  ['writeFile with hex', (fs, at) => [fs.writeFileSync(at('/g'), 'ff00', 'hex'), fs.readFileSync(at('/g'))]],
  ['an unknown flag', (fs, at) => fs.writeFileSync(at('/f'), '', { flag: 'q' })],
  [
    'appendFile',
    (fs, at) => [
      fs.appendFileSync(at('/f'), 'x'),
      fs.appendFileSync(at('/new'), 'y'),
      fs.readFileSync(at('/f'), 'utf8'),
    ],
  ],
  [
    'truncate',
    (fs, at) => [fs.truncateSync(at('/f'), 1), fs.readFileSync(at('/f'), 'latin1'), fs.truncateSync(at('/none'))],
  ],
  ['mkdir', (fs, at) => [fs.mkdirSync(at('/d')), fs.mkdirSync(at('/d/e'), 0o700), fs.statSync(at('/d/e')).mode]],
  ['mkdir of what exists', (fs, at) => fs.mkdirSync(at('/d'))],
  ['mkdir recursive', (fs, at) => relative(fs.mkdirSync(at('/r/s/t'), { recursive: true }), at)],
  ['mkdir recursive of what exists', (fs, at) => fs.mkdirSync(at('/r/s/t'), { recursive: true })],
  ['mkdir recursive over a file', (fs, at) => fs.mkdirSync(at('/f'), { recursive: true })],
  ['mkdir recursive below a file', (fs, at) => fs.mkdirSync(at('/f/x/y'), { recursive: true })],
  [
    'readdir, sorted',
    (fs, at) => [fs.writeFileSync(at('/d/b'), ''), fs.writeFileSync(at('/d/B'), ''), fs.readdirSync(at('/d'))],
  ],
  [
    'readdir with types',
    (fs, at) =>
      fs
        .readdirSync(at('/d'), { withFileTypes: true })
        .map(entry => [entry.name, entry.isFile(), entry.isDirectory(), entry.isSymbolicLink()]),
  ],
  ['readdir recursive', (fs, at) => fs.readdirSync(at('/'), { recursive: true })],
  ['readdir in Buffers', (fs, at) => fs.readdirSync(at('/d'), 'buffer')],
  ['readdir of a file', (fs, at) => fs.readdirSync(at('/f'))],
  [
    'symlink and readlink',
    (fs, at) => [fs.symlinkSync('f', at('/l')), fs.readlinkSync(at('/l')), fs.readFileSync(at('/l'), 'utf8')],
  ],
  ['symlink over something', (fs, at) => fs.symlinkSync('x', at('/l'))],
  ['readlink of a file', (fs, at) => fs.readlinkSync(at('/f'))],
  ['link', (fs, at) => [fs.linkSync(at('/f'), at('/hard')), fs.statSync(at('/f')).nlink]],
  ['link of nothing', (fs, at) => fs.linkSync(at('/none'), at('/hard'))],
  ['rename', (fs, at) => [fs.renameSync(at('/hard'), at('/h2')), fs.existsSync(at('/hard')), fs.existsSync(at('/h2'))]],
  ['rename of nothing', (fs, at) => fs.renameSync(at('/none'), at('/x'))],
  ['rename over a directory that is not empty', (fs, at) => fs.renameSync(at('/r'), at('/d'))],
  ['unlink', (fs, at) => [fs.unlinkSync(at('/h2')), fs.unlinkSync(at('/h2'))]],
  ['rmdir', (fs, at) => fs.rmdirSync(at('/d'))],
  ['stat', (fs, at) => statText(fs.statSync(at('/f')))],
  ['stat of a directory, with bigints', (fs, at) => typesOf(fs.statSync(at('/d'), { bigint: true }))],
  ['stat of nothing', (fs, at) => fs.statSync(at('/none'))],
  [
    'stat of nothing, without an error',
    (fs, at) => [
      fs.statSync(at('/none'), { throwIfNoEntry: false }),
      fs.lstatSync(at('/f/x'), { throwIfNoEntry: false }),
    ],
  ],
  [
    'lstat of a symlink',
    (fs, at) => [fs.lstatSync(at('/l')).isSymbolicLink(), fs.lstatSync(at('/l')).size, fs.statSync(at('/l')).isFile()],
  ],
  [
    'times',
    (fs, at) => [
      fs.utimesSync(at('/f'), 1, 1700000000.125),
      fs.statSync(at('/f')).mtimeMs,
      fs.statSync(at('/f')).atime,
      fs.statSync(at('/f'), { bigint: true }).mtimeNs,
    ],
  ],
  [
    'times by Dates, of the symlink',
    (fs, at) => [
      fs.lutimesSync(at('/l'), new Date(5), new Date(1234567)),
      fs.lstatSync(at('/l')).mtimeMs,
      fs.lstatSync(at('/l')).mtime,
    ],
  ],
  ['times that are none', (fs, at) => fs.utimesSync(at('/f'), 'x', 5)],
  ['chmod', (fs, at) => [fs.chmodSync(at('/f'), '640'), fs.statSync(at('/f')).mode, fs.chmodSync(at('/none'), 0o600)]],
  ['chown of nothing', (fs, at) => fs.chownSync(at('/none'), 1, 1)],
  [
    'access',
    (fs, at) => [
      fs.accessSync(at('/f')),
      fs.accessSync(at('/f'), fs.constants.R_OK | fs.constants.W_OK),
      fs.accessSync(at('/none')),
    ],
  ],
  ['exists', (fs, at) => [fs.existsSync(at('/f')), fs.existsSync(at('/f/x')), fs.existsSync(5 as unknown as string)]],
  [
    'copyFile',
    (fs, at) => [
      fs.copyFileSync(at('/f'), at('/copy')),
      fs.readFileSync(at('/copy'), 'utf8'),
      fs.statSync(at('/copy')).mode,
    ],
  ],
  ['copyFile, exclusively', (fs, at) => fs.copyFileSync(at('/f'), at('/copy'), fs.constants.COPYFILE_EXCL)],
  ['copyFile of nothing', (fs, at) => fs.copyFileSync(at('/none'), at('/copy'))],
  [
    'realpath',
    (fs, at) => [
      fs.mkdirSync(at('/p/q'), { recursive: true }),
      fs.symlinkSync('p/../p/q', at('/pl')),
      relative(fs.realpathSync(at('/pl/../q/./')), at),
    ],
  ],
  ['realpath of nothing', (fs, at) => fs.realpathSync(at('/pl/none/x'))],
  ['realpath of nothing, native', (fs, at) => fs.realpathSync.native(at('/pl/none/x'))],
  [
    'mkdtemp',
    (fs, at) => [
      relative(fs.mkdtempSync(at('/tmp-')), at)?.slice(0, 5),
      fs.readdirSync(at('/')).filter(name => name.startsWith('tmp-')).length,
    ],
  ],
  ['mkdtemp in nothing', (fs, at) => fs.mkdtempSync(at('/none/tmp-'))],
  ['rm of a file, of nothing by force', (fs, at) => [fs.rmSync(at('/copy')), fs.rmSync(at('/copy'), { force: true })]],
  ['rm of nothing', (fs, at) => fs.rmSync(at('/copy'))],
  ['rm of a directory', (fs, at) => fs.rmSync(at('/r'))],
  [
    'rm recursive, a symlink to a directory stays a symlink',
    (fs, at) => [
      fs.symlinkSync('../d', at('/r/to-d')),
      fs.rmSync(at('/r'), { recursive: true }),
      fs.existsSync(at('/r')),
      fs.readdirSync(at('/d')),
    ],
  ],
  [
    'descriptors',
    (fs, at) => {
      const fd = fs.openSync(at('/fd'), 'w+')
      const buffer = Buffer.alloc(10)
      const done = [
        fs.writeSync(fd, 'hello'),
        fs.writeSync(fd, Buffer.from('xworldx'), 1, 5),
        fs.writeSync(fd, 'H', 0),
        fs.readSync(fd, buffer, 0, 10, 0),
        fs.readSync(fd, buffer),
        fs.readSync(fd, buffer, { position: 3, length: 2, offset: 8 }),
        fs.fstatSync(fd).size,
        fs.writevSync(fd, [Buffer.from('a'), Buffer.from('bc')], 2),
        fs.readvSync(fd, [Buffer.alloc(3), Buffer.alloc(30)], 0),
        fs.ftruncateSync(fd, 7),
        fs.fchmodSync(fd, 0o600),
        fs.futimesSync(fd, 5, 6),
        fs.fstatSync(fd).mtimeMs,
        fs.fsyncSync(fd),
        fs.fdatasyncSync(fd),
        fs.readFileSync(fd, 'utf8'),
        fs.closeSync(fd),
        fs.readFileSync(at('/fd'), 'utf8'),
        buffer,
      ]
      return done
    },
  ],
  ['a descriptor that is closed', fs => fs.closeSync(12_345)],
  [
    'reading past a buffer',
    (fs, at) => {
      const fd = fs.openSync(at('/fd'), 'r')
      try {
        fs.readSync(fd, Buffer.alloc(4), 2, 5, 0)
      } finally {
        fs.closeSync(fd)
      }
    },
  ],
  [
    'writing to what is open for reading',
    (fs, at) => {
      const fd = fs.openSync(at('/fd'), 'r')
      try {
        fs.writeSync(fd, 'x')
      } finally {
        fs.closeSync(fd)
      }
    },
  ],
  [
    'cp',
    (fs, at) => [
      fs.mkdirSync(at('/c/d'), { recursive: true }),
      fs.writeFileSync(at('/c/d/f'), 'x', { mode: 0o600 }),
      fs.symlinkSync('d', at('/c/l')),
      fs.cpSync(at('/c'), at('/c2'), { recursive: true }),
      fs.readdirSync(at('/c2'), { recursive: true }),
      fs.statSync(at('/c2/d/f')).mode,
      relative(fs.readlinkSync(at('/c2/l')), at),
    ],
  ],
  [
    'cp again, not by force',
    (fs, at) => [
      fs.writeFileSync(at('/c/d/f'), 'y'),
      fs.cpSync(at('/c/d/f'), at('/c2/d/f'), { force: false }),
      fs.readFileSync(at('/c2/d/f'), 'utf8'),
      code(() => fs.cpSync(at('/c/d/f'), at('/c2/d/f'), { force: false, errorOnExist: true })),
    ],
  ],
  ['cp of a directory', (fs, at) => code(() => fs.cpSync(at('/c'), at('/c3')))],
  ['cp into itself', (fs, at) => code(() => fs.cpSync(at('/c'), at('/c/x'), { recursive: true }))],
  [
    'cp with a filter, times kept',
    (fs, at) => [
      fs.utimesSync(at('/c/d/f'), 7, 8),
      fs.cpSync(at('/c'), at('/c4'), {
        recursive: true,
        preserveTimestamps: true,
        filter: source => !source.endsWith('l'),
      }),
      fs.readdirSync(at('/c4')),
      fs.statSync(at('/c4/d/f')).mtimeMs,
    ],
  ],
  [
    'opendir',
    (fs, at) => {
      const dir = fs.opendirSync(at('/c'))
      const names: string[] = []
      for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) names.push(entry.name)
      dir.closeSync()
      return [names.toSorted((a, b) => (a < b ? -1 : 1)), code(() => dir.readSync())]
    },
  ],
  ['opendir of a file', (fs, at) => code(() => fs.opendirSync(at('/f')))],
]

/** A path without what stands before it. */
function relative(found: string | undefined, at: (name: string) => string): string | undefined {
  return found === undefined ? undefined : found.replace(at(''), '')
}

function code(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return (error as { code?: string }).code
  }
}

function statText(stat: nodeFs.Stats): object {
  const { mode, nlink, uid, gid, rdev, size, blksize } = stat
  return {
    mode,
    nlink,
    uid,
    gid,
    rdev,
    size,
    blksize,
    file: stat.isFile(),
    dir: stat.isDirectory(),
    born: stat.birthtime instanceof Date,
  }
}

function typesOf(stat: object): object {
  return Object.fromEntries(
    Object.entries(stat).map(([name, value]) => [name, value instanceof Date ? 'Date' : typeof value]),
  )
}

type Outcome = { readonly value: unknown } | { readonly error: object }

/** A value, or all that programs look at in an error; paths without the directory of the host. */
function outcome(run: () => unknown, base: string): Outcome {
  try {
    return { value: withoutBase(run(), base) }
  } catch (error) {
    return { error: errorText(error, base) }
  }
}

function withoutBase(value: unknown, base: string): unknown {
  if (typeof value === 'string' && base !== '') return value.replaceAll(base, '')
  return Array.isArray(value) ? value.map(one => withoutBase(one, base)) : value
}

function errorText(error: unknown, base: string): object {
  const {
    name,
    message,
    code: word,
    errno,
    syscall,
    path: at,
    dest,
  } = error as NodeJS.ErrnoException & { dest?: string }
  const plain = (text: string | undefined): string | undefined => (base === '' ? text : text?.replaceAll(base, ''))
  // ERR_FS_* says in its info what it says here in the error itself.
  const isOwn = word?.startsWith('ERR_FS_') === true
  return {
    name: isOwn ? 'Error' : name,
    code: word,
    // What is wrong with an argument is worded anew in every version of node.
    message: error instanceof TypeError || error instanceof RangeError ? '' : plain(message),
    ...(!isOwn && { errno, syscall }),
    path: plain(at),
    dest: plain(dest),
  }
}

describe('asNodeFs beside node:fs', () => {
  let base = ''
  let emulated: NodeFs

  before(() => {
    base = nodeFs.mkdtempSync(path.join(os.tmpdir(), 'ovl-node-fs-'))
    emulated = asNodeFs(new MemoryFs())
  })

  after(() => nodeFs.rmSync(base, { recursive: true, force: true }))

  for (const [title, run] of rows) {
    it(title, () => {
      const real = outcome(() => run(nodeFs, name => base + name), base)
      const ours = outcome(() => run(emulated as unknown as Api, name => name), '')
      expect(ours).to.deep.equal(real)
    })
  }

  it('answers callbacks and promises alike, later', async () => {
    const ours = emulated as unknown as Api
    const order: string[] = []
    const stat = new Promise<nodeFs.Stats>((resolve, reject) => {
      ours.stat('/f', (error, value) => {
        order.push('callback')
        if (error === null) resolve(value)
        else reject(error)
      })
    })
    order.push('returned')
    expect((await stat).isFile()).to.equal(true)
    expect(order).to.deep.equal(['returned', 'callback'])
    expect((await ours.promises.lstat('/l')).isSymbolicLink()).to.equal(true)
    expect(await promisify(ours.exists)('/f')).to.equal(true)
    expect(await new Promise(resolve => ours.exists('/none', resolve))).to.equal(false)
    expect(await promisify(ours.readFile)('/fd', 'utf8')).to.be.a('string')
  })

  it('refuses in callbacks and promises as node does', async () => {
    for (const call of [
      (fs: Api, at: string) => fs.promises.open(`${at}/none`),
      (fs: Api, at: string) => fs.promises.realpath(`${at}/none/x`),
      (fs: Api, at: string) => promisify(fs.rename)(`${at}/none`, `${at}/y`),
    ]) {
      const real = await call(nodeFs, base).catch((error: unknown) => errorText(error, base))
      const ours = await call(emulated as unknown as Api, '').catch((error: unknown) => errorText(error, ''))
      expect(ours).to.deep.equal(real)
    }
    expect(() => (emulated.stat as unknown as (path: string) => void)('/f')).to.throw(
      TypeError,
      'The "cb" argument must be of type function',
    )
    expect(() => (emulated as unknown as Api).readFile(5.5, () => undefined)).to.throw()
  })

  it('gives promises of open files', async () => {
    const file = await emulated.promises.open('/handle', 'w+')
    await file.writeFile('one\ntwo\n')
    const { bytesRead, buffer } = await file.read(Buffer.alloc(3), 0, 3, 4)
    expect([bytesRead, buffer.toString()]).to.deep.equal([3, 'two'])
    expect((await file.stat()).size).to.equal(8)
    expect((await file.write('T', 4)).bytesWritten).to.equal(1)
    await file.close()
    const lines: string[] = []
    const again = await emulated.promises.open('/handle')
    for await (const line of again.readLines()) lines.push(line)
    expect(lines).to.deep.equal(['one', 'Two'])
  })

  it('streams', async () => {
    const ours = emulated as unknown as Api
    const big = Buffer.alloc(300_000, 'abc')
    await new Promise<void>((resolve, reject) => {
      const out = ours.createWriteStream('/stream', { mode: 0o600 })
      out.on('error', reject).on('close', resolve)
      out.write(big.subarray(0, 100_000))
      out.end(big.subarray(100_000))
    })
    const chunks: Buffer[] = []
    for await (const chunk of ours.createReadStream('/stream', { start: 5, end: 200_004 })) chunks.push(chunk as Buffer)
    expect(Buffer.concat(chunks).equals(big.subarray(5, 200_005))).to.equal(true)
    await ours.promises.writeFile('/collected', ours.createReadStream('/stream'))
    expect(ours.readFileSync('/collected').equals(big)).to.equal(true)
    const missing = ours.createReadStream('/none')
    const error = await new Promise<NodeJS.ErrnoException>(resolve => missing.on('error', resolve))
    expect(error.message).to.equal("ENOENT: no such file or directory, open '/none'")
  })

  it('says in an error where it came from', () => {
    expect(code(() => emulated.statSync('/none'))).to.equal('ENOENT')
    try {
      emulated.statSync('/none')
    } catch (thrown) {
      const { stack = '' } = thrown as Error
      expect(stack).to.match(/^Error: ENOENT: no such file or directory, stat '\/none'\n {4}at /)
      expect(stack).to.include('node-oracle.spec')
    }
  })

  it('keeps names that are no UTF-8', () => {
    emulated.writeFileSync(Buffer.from([0x2f, 0xff]), 'bytes')
    const name = emulated.readdirSync('/').find(text => text.startsWith('\udcff')) as string
    expect(emulated.readFileSync(`/${name}`, 'utf8')).to.equal('bytes')
    expect(emulated.readdirSync('/', 'buffer').some(bytes => bytes.equals(Buffer.from([0xff])))).to.equal(true)
  })

  it('does not watch, and says so', () => {
    expect(() => emulated.watch('/f'))
      .to.throw()
      .with.property('code', 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM')
  })
})
