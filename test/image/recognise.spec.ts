import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { archive } from '../../fixtures/archives.ts'
import { blob, ociTypes, type SampleLayer, sha256 } from '../../fixtures/documents.ts'
import { defaultLimits } from '../../src/errors/index.ts'
import { hostPlatform } from '../../src/image/request.ts'
import { makeTar } from '../support/make-tar.ts'
import { hasTool, skipUnless } from '../support/probe.ts'
import { dockerFiles, entryOf, json, layoutFiles, makeImage, writeArchive, writeFiles } from './make-image.ts'
import { layerFiles, openError, scratch, withImage } from './support.ts'

const { architecture } = hostPlatform()
const image = makeImage({ architecture })
const docker = dockerFiles([{ image, tags: ['demo:latest'] }])
const layout = layoutFiles([entryOf(image.manifest, { name: 'latest' })], image.blobs)

describe('what is no image', () => {
  const { path } = scratch()

  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(path(name), content)
    return path(name)
  }

  const files: readonly (readonly [string, string | Uint8Array, string])[] = [
    ['a text', 'hello\n', 'it is a plain text file (6 bytes)'],
    ['an empty file', '', 'it is an empty file'],
    ['one byte', '\0', 'it is a file of zeros (1 byte)'],
    ['a script', '#!/bin/sh\nexit 0\n', 'it is a script (17 bytes)'],
    ['JSON', '{"a":1}', 'it is a JSON or text file (7 bytes)'],
    ['a Dockerfile', '# x\nFROM busybox\n', 'it is a Dockerfile, which is built, not unpacked (17 bytes)'],
    [
      'an ELF program',
      Buffer.concat([Buffer.from('\x7fELF'), Buffer.alloc(60)]),
      'it is an ELF program or library (64 bytes)',
    ],
    ['a zip', Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(26)]), 'it is a zip archive (30 bytes)'],
    ['a squashfs', Buffer.concat([Buffer.from('hsqs'), Buffer.alloc(92)]), 'it is a squashfs file system (96 bytes)'],
    [
      'random bytes',
      Uint8Array.from({ length: 600 }, (_, i) => (i * 167 + 131) & 255),
      'it is a binary file of unknown kind (600 bytes)',
    ],
    [
      'a plain tar',
      makeTar([{ type: 'file', name: 'text.txt', content: 'hi' }]),
      'tar archive without manifest.json or oci-layout (1 entry: text.txt)',
    ],
    ['an empty tar', makeTar([]), 'tar archive without manifest.json or oci-layout (no entries)'],
    [
      'a tar of many',
      makeTar(['a', 'b\u001b', 'c', 'd'].map(name => ({ type: 'file', name, content: '' }))),
      'tar archive without manifest.json or oci-layout (4 entries: a, b\\x1b, c, …)',
    ],
    ['compressed text', gzipSync('hello\n'), 'it is gzip-compressed data that holds a plain text file'],
    ['compressed nothing', gzipSync(''), 'it is gzip-compressed data that holds an empty file'],
  ]
  for (const [name, content, what] of files) {
    it(`is told: ${name}`, async () => {
      const file = write(name.replaceAll(' ', '-'), content)
      const error = await openError(file)
      expect(error).to.include({ code: 'NOT_AN_IMAGE', exitStatus: 4 })
      expect(error.message).to.satisfy(
        (text: string) => text.startsWith(`Cannot open ${file} as an image: ${what}`),
        error.message,
      )
    })
  }

  it('is told: directories', async () => {
    mkdirSync(path('void'))
    expect((await openError(path('void'))).message).to.match(/: it is an empty directory$/)
    writeFiles(path('some'), new Map([['x', new Uint8Array()]]))
    expect((await openError(path('some'))).message).to.match(
      /: it is a directory without oci-layout or manifest\.json \(1 entry: x\)$/,
    )
    writeFiles(
      path('bundle'),
      new Map([
        ['config.json', json({})],
        ['rootfs/x', new Uint8Array()],
      ]),
    )
    expect((await openError(path('bundle'))).message).to.match(/: it is a runtime bundle, which was unpacked already$/)
  })

  it('is told under another transport: what it is, and to leave the prefix away', async () => {
    const ociTar = await writeArchive(path('good.oci.tar'), layout)
    const error = await openError(`docker-archive:${ociTar}`)
    expect(error).to.include({ code: 'WRONG_FORMAT', exitStatus: 4 })
    expect(error.message).to.equal(`Cannot open ${ociTar} as docker-archive: it is an oci-archive`)
    expect(error.hint).to.equal('leave the "docker-archive:" prefix away, ovl recognises the format')
    expect((await openError(`oci:${ociTar}`)).message).to.match(/as oci: it is an oci-archive$/)
    const dockerTar = await writeArchive(path('good.docker.tar'), docker)
    expect((await openError(`oci-archive:${dockerTar}`)).message).to.match(/as oci-archive: it is a docker-archive$/)
    const directory = writeFiles(path('good'), layout)
    expect((await openError(`dir:${directory}`)).message).to.match(/as dir: it is an oci layout directory$/)
    expect((await openError(`oci-archive:${directory}`)).code).to.equal('WRONG_FORMAT')
  })
})

describe('archives that are cut or malformed', () => {
  const { path } = scratch()

  it('name the member that is cut off, its layer, and what is missing', async () => {
    const whole = await archive(docker)
    writeFileSync(path('trunc.tar'), whole.subarray(0, 512 + 700))
    const error = await openError(path('trunc.tar'))
    const [first] = image.layers
    expect(error).to.include({ code: 'TRUNCATED', exitStatus: 4 })
    expect(error.message).to.equal(
      `Cannot read ${path('trunc.tar')}: the archive ends inside ${first?.diffHex}.tar (layer 1 of ?)`,
    )
    expect(error.facts).to.deep.equal([
      `this member needs ${first?.blob.bytes.length} bytes, 700 are there; ${(first?.blob.bytes.length ?? 0) - 700} are missing`,
    ])
  })

  it('are refused at every length, or open with all their layers', async () => {
    const whole = await archive(docker)
    for (let length = 512; length < whole.length; length += 509) {
      writeFileSync(path('cut.tar'), whole.subarray(0, length))
      const outcome = await withImage(path('cut.tar'), async ({ image: cut }) => (await layerFiles(cut)).join()).catch(
        (error: { code?: string }) => error.code,
      )
      expect(outcome, `${length} bytes`).to.be.oneOf(['TRUNCATED', 'NOT_AN_IMAGE', 'base,top'])
    }
  })

  it('may lack the end mark and the last padding', async () => {
    const whole = await archive(docker)
    writeFileSync(path('noend.tar'), whole.subarray(0, whole.length - 1024))
    expect(await withImage(path('noend.tar'), ({ image: found }) => layerFiles(found))).to.deep.equal(['base', 'top'])
  })

  it('with a bad header in the middle say where', async () => {
    const whole = Buffer.from(await archive(docker))
    const second = 512 + Math.ceil((image.layers[0]?.blob.bytes.length ?? 0) / 512) * 512
    whole.fill(0x41, second, second + 20)
    writeFileSync(path('bad.tar'), whole)
    const error = await openError(path('bad.tar'))
    expect(error.code).to.equal('BAD_TAR')
    expect(error.data['offset']).to.equal(second)
  })

  it('that hold a name twice use the last, with a warning', async () => {
    const first = await archive(new Map([['manifest.json', json([])]]))
    writeFileSync(path('twice.tar'), Buffer.concat([first.subarray(0, 1024), await archive(docker)]))
    await withImage(path('twice.tar'), ({ image: found, warnings }) => {
      expect(found.names).to.deep.equal(['demo:latest'])
      expect(warnings.map(({ code }) => code)).to.deep.equal(['DUPLICATE_ENTRY'])
    })
  })

  it('written sparsely by GNU tar read as the files they hold', async function () {
    skipUnless(this, hasTool('tar'), 'no tar')
    const directory = path('sparse')
    const big = makeImage({ architecture, layers: [sparseLayer()] })
    writeFiles(directory, dockerFiles([{ image: big, tags: null }]))
    for (const version of ['0.0', '0.1', '1.0']) {
      execFileSync('tar', [
        '-C',
        directory,
        '--sparse',
        '--format=pax',
        `--sparse-version=${version}`,
        '-cf',
        path('sparse.tar'),
        '.',
      ])
      expect(await withImage(path('sparse.tar'), ({ image: found }) => layerFiles(found)), version).to.deep.equal([
        'hole',
      ])
    }
    execFileSync('tar', ['-C', directory, '--sparse', '--format=gnu', '-cf', path('sparse.tar'), '.'])
    expect(await withImage(path('sparse.tar'), ({ image: found }) => layerFiles(found))).to.deep.equal(['hole'])
  })
})

describe('compressed archives and pipes', () => {
  const { path } = scratch()

  for (const [tool, args, extension] of [
    ['gzip', ['-c'], 'gz'],
    ['zstd', ['-qc'], 'zst'],
    ['xz', ['-c'], 'xz'],
    ['bzip2', ['-c'], 'bz2'],
  ] as const) {
    it(`open: ${tool}`, async function () {
      skipUnless(this, hasTool(tool), `no ${tool}`)
      const plain = await archive(layout)
      const file = path(`img.tar.${extension}`)
      writeFileSync(file, execFileSync(tool, args, { input: plain }))
      await withImage(file, async ({ image: found, warnings }) => {
        expect(await layerFiles(found)).to.deep.equal(['base', 'top'])
        expect(warnings.map(({ code }) => code)).to.deep.equal(['SPOOLED'])
      })
      writeFileSync(file, execFileSync(tool, args, { input: plain }).subarray(0, -9))
      expect((await openError(file)).code).to.be.oneOf(['TRUNCATED', 'BAD_COMPRESSION'])
    })
  }

  it('keep within the limits', async () => {
    writeFileSync(path('big.tar.gz'), gzipSync(await archive(docker)))
    const limits = { ...defaultLimits, sizeBytes: 3000 }
    expect((await openError(path('big.tar.gz'), { limits })).code).to.equal('LIMIT_EXCEEDED')
    const bomb = gzipSync(
      Buffer.concat([makeTar([{ type: 'file', name: 'zeros', content: 'x' }]), Buffer.alloc(8 << 20)]),
    )
    writeFileSync(path('bomb.tar.gz'), bomb)
    const ratio = { ...defaultLimits, ratio: 100, ratioFromBytes: 1 << 20 }
    const error = await openError(path('bomb.tar.gz'), { limits: ratio })
    expect(error.message).to.match(/it expands more than 100 times$/)
  })

  it('leave no temporary file behind', async () => {
    writeFileSync(path('kept.tar.gz'), gzipSync(await archive(docker)))
    mkdirSync(path('tmp'))
    const before = process.env['TMPDIR']
    process.env['TMPDIR'] = path('tmp')
    try {
      await withImage(path('kept.tar.gz'), async ({ image: found }) => {
        expect(await layerFiles(found)).to.deep.equal(['base', 'top'])
        expect(execFileSync('ls', ['-A', path('tmp')]).toString()).to.equal('')
      })
      process.env['TMPDIR'] = path('missing')
      expect((await openError(path('kept.tar.gz'))).code).to.equal('WRITE_FAILED')
    } finally {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    }
  })

  it('open from a FIFO', async () => {
    execFileSync('mkfifo', [path('fifo')])
    const writing = import('node:child_process').then(({ spawn }) =>
      spawn('sh', ['-c', `cat > '${path('fifo')}'`], { stdio: ['pipe', 'ignore', 'ignore'] }),
    )
    ;(await writing).stdin.end(await archive(docker))
    expect(await withImage(path('fifo'), ({ image: found }) => layerFiles(found))).to.deep.equal(['base', 'top'])
  })

  it('are given up while nobody writes into the FIFO', async () => {
    execFileSync('mkfifo', [path('idle')])
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 20)
    const error = await openError(path('idle'), { signal: stop.signal })
    expect([error.code, error.message]).to.deep.equal([
      'INTERRUPTED',
      `Cannot finish reading ${path('idle')}: interrupted`,
    ])
  })

  it('are refused when they are an empty archive without end', async () => {
    const error = await openError('/dev/zero')
    expect(error.message).to.match(/tar archive without manifest\.json or oci-layout \(no entries\)$/)
    expect(error.code).to.equal('NOT_AN_IMAGE')
  })

  it('open from standard input: a file in place, from where it stands', async () => {
    const file = path('stdin.bin')
    writeFileSync(file, Buffer.concat([Buffer.alloc(100, 'x'), await archive(docker)]))
    const fd = openSync(file, 'r')
    try {
      readSync(fd, Buffer.alloc(100), 0, 100, null)
      await withImage(
        '-',
        async ({ image: found, warnings }) => {
          expect(found.source.location).to.equal('standard input')
          expect(await layerFiles(found)).to.deep.equal(['base', 'top'])
          expect(warnings).to.deep.equal([])
        },
        { stdin: fd },
      )
      readSync(fd, Buffer.alloc(1), 0, 1, null) // still open: it is the caller's
    } finally {
      closeSync(fd)
    }
  })

  it('open from standard input: a pipe, through a temporary file', async () => {
    const program = `import('${new URL('../../src/image/index.js', import.meta.url).href}').then(async ({ openImage, verifyImage }) => {
      const image = await openImage('-:demo', { warn: ({ code }) => console.log(code) })
      console.log((await verifyImage(image)).ok, image.layers.length)
    })`
    const run = (input: Uint8Array): string => execFileSync(process.execPath, ['-e', program], { input }).toString()
    const plain = await archive(docker)
    expect(run(plain)).to.equal('SPOOLED\ntrue 2\n')
    expect(run(gzipSync(plain))).to.equal('SPOOLED\ntrue 2\n')
  })
})

/** A layer that GNU tar stores with holes when its archive is packed sparsely. */
function sparseLayer(): SampleLayer {
  const tar = makeTar([{ type: 'file', name: 'hole', content: `${'\0'.repeat(100_000)}x${'\0'.repeat(50_000)}` }])
  return { blob: blob(ociTypes.tar, tar), diffHex: sha256(tar), tar }
}
