// The other implementations: tar-stream reads what ovl writes and the other way round; GNU tar and Python's tarfile,
// where they are installed, read random archives of everything that ovl can write.

import { expect } from 'chai'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fc from 'fast-check'
import { extract, type Header, pack } from 'tar-stream'
import { decodeName, encodeName } from '../../src/path/index.ts'
import { type TarEntry, tarType } from '../../src/tar/index.ts'
import { hasTool, skipUnless } from '../support/probe.ts'
import { arbitraryMembers } from './arbitrary.ts'
import { type Packed, packTar } from './building.ts'
import { codeOf, contentsOf, md5, readTar } from './reading.ts'

const xattrPrefix = 'SCHILY.xattr.'

const typeNames: ReadonlyMap<Header['type'], number> = new Map([
  ['file', tarType.file],
  ['link', tarType.hardLink],
  ['symlink', tarType.symlink],
  ['character-device', tarType.charDevice],
  ['block-device', tarType.blockDevice],
  ['directory', tarType.directory],
  ['fifo', tarType.fifo],
  ['contiguous-file', tarType.contiguous],
])

describe('tar-stream', () => {
  // It knows no bytes that are no UTF-8 and no owners and times in PAX records, and writes fewer digits than it reads.
  const readable = arbitraryMembers({ anyBytes: false, binaryXattrs: false, numbers: 'ustar' })
  const writable = arbitraryMembers({ anyBytes: false, binaryXattrs: false, numbers: 'small' })

  it('reads what ovl writes, within its abilities', async () => {
    await fc.assert(
      fc.asyncProperty(readable, async members => {
        const rows = members.map(({ entry, contents }) => row(entry, contents))
        expect(await readByTarStream(packTar(members))).to.deep.equal(rows)
      }),
      { numRuns: 100 },
    )
  })

  it('is read by ovl', async () => {
    await fc.assert(
      fc.asyncProperty(writable, async members => {
        const result = readTar(await packByTarStream(members))
        expect(codeOf(result)).to.equal(null)
        const read = result.entries.map(entry => row(entry.header, contentsOf(entry), xattrsOf(entry.header.pax)))
        expect(read).to.deep.equal(members.map(({ entry, contents }) => row(entry, contents)))
      }),
      { numRuns: 100 },
    )
  })
})

describe('GNU tar', () => {
  it('lists what ovl writes', function () {
    skipUnless(this, hasTool('tar'), 'GNU tar is not installed')
    for (const members of fc.sample(arbitraryMembers(), { numRuns: 40, seed: 20 })) {
      const listed = run('tar', ['-tvf', '-', '--full-time', '--numeric-owner', '--quoting-style=c'], packTar(members))
      expect(listed.split('\n').filter(Boolean).map(gnuRow)).to.deep.equal(members.map(m => gnuExpectation(m)))
    }
  })
})

describe("Python's tarfile", () => {
  const script = [
    'import hashlib, io, json, sys, tarfile',
    'from decimal import Decimal, ROUND_FLOOR',
    "archive = tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read()), mode='r:')",
    'rows = []',
    'for m in archive:',
    '    time = Decimal(m.pax_headers.get("mtime", int(m.mtime)))',
    '    second = int(time.to_integral(ROUND_FLOOR))',
    "    body = archive.extractfile(m).read() if m.isreg() else b''",
    '    rows.append({"name": m.name, "linkName": m.linkname, "type": m.type[0], "mode": m.mode, "uid": m.uid,',
    '      "gid": m.gid, "userName": m.uname, "groupName": m.gname, "size": m.size, "major": m.devmajor,',
    '      "minor": m.devminor, "second": second,',
    '      "nanosecond": int((time - second) * 10**9), "md5": hashlib.md5(body).hexdigest(),',
    '      "xattrs": {k[13:]: v for k, v in m.pax_headers.items() if k.startswith("SCHILY.xattr.")}})',
    'print(json.dumps(rows))',
  ].join('\n')

  it('reads what ovl writes', function () {
    skipUnless(this, hasTool('python3'), 'python3 is not installed', { optional: true })
    const members = fc.sample(arbitraryMembers(), { numRuns: 60, seed: 30 }).flat()
    const rows = JSON.parse(run('python3', ['-c', script], packTar(members))) as unknown[]
    expect(rows).to.deep.equal(members.map(({ entry, contents }) => pythonExpectation(entry, contents)))
  })
})

function row(entry: TarEntry, contents: Uint8Array = new Uint8Array(), xattrs = entry.xattrs): unknown {
  const isDevice = entry.type === tarType.charDevice || entry.type === tarType.blockDevice
  return {
    name: entry.name.replace(/\/$/, ''),
    type: entry.type,
    linkName: entry.linkName,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtimeSec: entry.mtimeSec,
    userName: entry.userName,
    groupName: entry.groupName,
    device: isDevice ? [entry.devMajor, entry.devMinor] : null,
    xattrs: Object.fromEntries([...(xattrs ?? [])].map(([key, value]) => [key, decodeName(value)])),
    md5: md5(contents),
  }
}

async function readByTarStream(archive: Uint8Array): Promise<unknown[]> {
  const rows: unknown[] = []
  const extractor = extract()
  extractor.on('entry', (header, stream, next) => {
    const chunks: Uint8Array[] = []
    stream.on('data', chunk => chunks.push(chunk as Uint8Array))
    stream.on('end', () => {
      rows.push(row(entryOf(header), Buffer.concat(chunks)))
      next()
    })
  })
  const finished = once(extractor, 'finish')
  extractor.end(Buffer.from(archive))
  await finished
  return rows
}

async function packByTarStream(members: readonly Packed[]): Promise<Uint8Array> {
  const packer = pack()
  const chunks: Uint8Array[] = []
  packer.on('data', chunk => chunks.push(chunk as Uint8Array))
  const ended = once(packer, 'end')
  for (const { entry, contents } of members) packer.entry(headersOf(entry, contents), Buffer.from(contents ?? []))
  packer.finalize()
  await ended
  return Buffer.concat(chunks)
}

function entryOf(header: Header): TarEntry {
  const xattrs = Object.entries((header.pax ?? {}) as { [key: string]: string }).filter(([key]) =>
    key.startsWith(xattrPrefix),
  )
  return {
    name: header.name,
    type: typeNames.get(header.type) ?? 0,
    linkName: header.linkname ?? '',
    mode: header.mode,
    uid: header.uid,
    gid: header.gid,
    mtimeSec: header.mtime.getTime() / 1000,
    userName: header.uname,
    groupName: header.gname,
    devMajor: header.devmajor,
    devMinor: header.devminor,
    xattrs: new Map(xattrs.map(([key, value]) => [key.slice(xattrPrefix.length), encodeName(value)])),
  }
}

function headersOf(entry: TarEntry, contents: Uint8Array | undefined): Partial<Header> & Pick<Header, 'name'> {
  const isLink = entry.type === tarType.symlink || entry.type === tarType.hardLink
  const xattrs = [...(entry.xattrs ?? [])].map(([key, value]) => [`${xattrPrefix}${key}`, decodeName(value)])
  const [type] = [...typeNames].find(([, byte]) => byte === entry.type) ?? ['file']
  return {
    name: entry.name,
    type,
    size: contents?.length ?? 0,
    mode: entry.mode === 0 ? 0o100000 : entry.mode, // its own 0 means "default"
    uid: entry.uid,
    gid: entry.gid,
    mtime: new Date(entry.mtimeSec! * 1000),
    uname: entry.userName!,
    gname: entry.groupName!,
    devmajor: entry.devMajor!,
    devminor: entry.devMinor!,
    ...(isLink ? { linkname: entry.linkName! } : {}),
    ...(xattrs.length === 0 ? {} : { pax: Object.fromEntries(xattrs) }),
  }
}

function xattrsOf(pax: ReadonlyMap<string, Uint8Array> | null): Map<string, Uint8Array> {
  const records = [...(pax ?? [])].filter(([key]) => key.startsWith(xattrPrefix))
  return new Map(records.map(([key, value]) => [key.slice(xattrPrefix.length), value]))
}

/** A line of `tar -tv --full-time --numeric-owner --quoting-style=c`. */
function gnuRow(line: string): unknown {
  const match = /^(.)(.{9}) (\d+)\/(\d+) +(\S+) (\S+ \S+) +"((?:[^"\\]|\\.)*)"(?: (?:->|link to) "(.*)")?$/.exec(line)
  if (match === null) throw new Error(`line of GNU tar: ${line}`)
  const [, type, permissions, uid, gid, size, time, name, linkName] = match
  return { type, permissions, uid, gid, size, time, name, linkName: linkName ?? '' }
}

function gnuExpectation({ entry, contents }: Packed): unknown {
  const isDevice = entry.type === tarType.charDevice || entry.type === tarType.blockDevice
  const letters = 'hlcbdpC'
  const isFile = entry.type === tarType.file
  return {
    type: isFile ? '-' : letters[entry.type - tarType.hardLink],
    permissions: permissionText(entry.mode),
    uid: `${entry.uid}`,
    gid: `${entry.gid}`,
    size: isDevice ? `${entry.devMajor},${entry.devMinor}` : `${contents?.length ?? 0}`,
    time: gnuTime(entry),
    name: cQuoted(entry.type === tarType.directory ? `${entry.name}/` : entry.name),
    linkName: cQuoted(entry.linkName ?? ''),
  }
}

/** "2023-11-14 22:13:20" with nanoseconds when there are any; GNU tar prints those before 1970 as if counted down. */
function gnuTime({ mtimeSec = 0, mtimeNsec = 0 }: TarEntry): string {
  const isMirrored = mtimeSec < 0 && mtimeNsec > 0
  const second = new Date((isMirrored ? mtimeSec + 1 : mtimeSec) * 1000).toISOString().slice(0, 19).replace('T', ' ')
  const fraction = `${isMirrored ? 1e9 - mtimeNsec : mtimeNsec}`.padStart(9, '0').replace(/0+$/, '')
  return fraction === '' ? second : `${second}.${fraction}`
}

function permissionText(mode: number): string {
  const bits = Array.from('rwxrwxrwx', (letter, i) => ((mode >> (8 - i)) & 1 ? letter : '-'))
  const special = [
    [0o4000, 2, 's'],
    [0o2000, 5, 's'],
    [0o1000, 8, 't'],
  ] as const
  for (const [bit, at, letter] of special) if (mode & bit) bits[at] = bits[at] === 'x' ? letter : letter.toUpperCase()
  return bits.join('')
}

/** A name as GNU tar quotes it in the C locale. */
function cQuoted(name: string): string {
  const escapes: { readonly [byte: number]: string } = {
    7: '\\a',
    8: '\\b',
    9: '\\t',
    10: '\\n',
    11: '\\v',
    12: '\\f',
    13: '\\r',
    34: '\\"',
    92: '\\\\',
  }
  return Array.from(encodeName(name), byte => {
    if (escapes[byte] !== undefined) return escapes[byte]
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`
  }).join('')
}

function pythonExpectation(entry: TarEntry, contents: Uint8Array = new Uint8Array()): unknown {
  return {
    name: entry.name,
    linkName: entry.linkName,
    type: entry.type,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    userName: entry.userName,
    groupName: entry.groupName,
    size: contents.length,
    major: entry.devMajor,
    minor: entry.devMinor,
    second: entry.mtimeSec,
    nanosecond: entry.mtimeNsec,
    md5: md5(contents),
    xattrs: Object.fromEntries([...(entry.xattrs ?? [])].map(([key, value]) => [key, decodeName(value)])),
  }
}

function run(program: string, args: readonly string[], input: Uint8Array): string {
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', HOME: '/nonexistent' }
  const { status, stdout, stderr } = spawnSync(program, args, { input, env, encoding: 'utf8', maxBuffer: 1 << 26 })
  expect(stderr).to.equal('')
  expect(status).to.equal(0)
  return stdout
}
