// A tar writer for tests that writes what it is told, however wrong: names, numbers and PAX records go in untouched.
// (The product's writer refuses or repairs such things, and the reader must not be tested with its own mirror.)

import { encodeName } from '../../src/path/index.ts'

/** An entry as the case tables have it (cases/layer-edges.json, cases/upstream.json). */
export type TarCaseEntry = {
  readonly type: string
  readonly name: string
  readonly linkname?: string
  readonly mode?: string
  readonly uid?: number
  readonly gid?: number
  readonly mtime?: number
  readonly uname?: string
  readonly gname?: string
  readonly content?: string
  readonly content_b64?: string
  /** A value that begins with "b64:" is base64. */
  readonly xattrs?: Record<string, string>
  readonly pax?: Record<string, string>
  readonly devmajor?: number
  readonly devminor?: number
}

const typeFlags: Record<string, number> = {
  file: 0x30,
  hardlink: 0x31,
  symlink: 0x32,
  char: 0x33,
  block: 0x34,
  dir: 0x35,
  fifo: 0x36,
  cont: 0x37,
  xglobal: 0x67,
  oldfile: 0,
  sparse: 0x53,
  unknown: 0x5a,
}

export function makeTar(entries: readonly TarCaseEntry[], { endBlocks = 2 } = {}): Buffer {
  return Buffer.concat([...entries.flatMap(entryBlocks), Buffer.alloc(512 * endBlocks)])
}

function entryBlocks(entry: TarCaseEntry): Buffer[] {
  if (entry.type === 'xglobal') return paxBlocks(entry.pax ?? { comment: 'x' }, 'g')
  const name = bytesOf(entry.name)
  const link = bytesOf(entry.linkname ?? '')
  const hasBody = ['file', 'oldfile', 'cont', 'unknown'].includes(entry.type)
  const body = hasBody ? contentOf(entry) : Buffer.alloc(0)
  const records: Record<string, string | Buffer> = {}
  if (name.length > 100 || name.some(byte => byte > 127)) records.path = name
  if (link.length > 100) records.linkpath = link
  for (const [key, value] of Object.entries(entry.xattrs ?? {})) records[`SCHILY.xattr.${key}`] = xattrValue(value)
  Object.assign(records, entry.pax)
  const pax = Object.keys(records).length > 0 ? paxBlocks(records, 'x') : []
  return [...pax, header(entry, { name, link, sizeBytes: body.length }), body, Buffer.alloc(-body.length & 511)]
}

function contentOf(entry: TarCaseEntry): Buffer {
  return entry.content_b64 === undefined ? bytesOf(entry.content ?? '') : Buffer.from(entry.content_b64, 'base64')
}

function xattrValue(value: string): Buffer {
  return value.startsWith('b64:') ? Buffer.from(value.slice(4), 'base64') : bytesOf(value)
}

function header(
  entry: TarCaseEntry,
  { name, link, sizeBytes }: { name: Buffer; link: Buffer; sizeBytes: number },
): Buffer {
  const block = Buffer.alloc(512)
  const modes: Record<string, string> = { dir: '0755', symlink: '0777' }
  name.copy(block, 0, 0, 100)
  number(block, 100, { width: 8, value: Number.parseInt(entry.mode ?? modes[entry.type] ?? '0644', 8) })
  number(block, 108, { width: 8, value: entry.uid ?? 0 })
  number(block, 116, { width: 8, value: entry.gid ?? 0 })
  number(block, 124, { width: 12, value: sizeBytes })
  number(block, 136, { width: 12, value: entry.mtime ?? 1700000000 })
  block[156] = typeFlags[entry.type] ?? 0x5a
  link.copy(block, 157, 0, 100)
  block.write('ustar\x0000', 257, 'latin1')
  bytesOf(entry.uname ?? '').copy(block, 265, 0, 32)
  bytesOf(entry.gname ?? '').copy(block, 297, 0, 32)
  number(block, 329, { width: 8, value: entry.devmajor ?? 0 })
  number(block, 337, { width: 8, value: entry.devminor ?? 0 })
  return withChecksum(block)
}

function paxBlocks(records: Record<string, string | Buffer>, type: 'x' | 'g'): Buffer[] {
  const body = Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value)))
  const block = Buffer.alloc(512)
  block.write('PaxHeaders/x', 0, 'latin1')
  for (const at of [100, 108, 116]) number(block, at, { width: 8, value: at === 100 ? 0o644 : 0 })
  number(block, 124, { width: 12, value: body.length })
  number(block, 136, { width: 12, value: 0 })
  block[156] = type.charCodeAt(0)
  block.write('ustar\x0000', 257, 'latin1')
  return [withChecksum(block), body, Buffer.alloc(-body.length & 511)]
}

function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([bytesOf(` ${key}=`), typeof value === 'string' ? bytesOf(value) : value, bytesOf('\n')])
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([bytesOf(String(length)), rest])
}

function withChecksum(block: Buffer): Buffer {
  block.fill(0x20, 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** Octal where it fits, base-256 otherwise (also for negative numbers). */
function number(block: Buffer, at: number, { width, value }: { width: number; value: number }): void {
  if (value >= 0 && value < 8 ** (width - 1)) {
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1')
    return
  }
  let rest = BigInt(value)
  for (let i = width - 1; i >= 0; i--) {
    block[at + i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  if (value >= 0) block[at] = (block[at] ?? 0) | 0x80
}

function bytesOf(text: string): Buffer {
  return Buffer.from(encodeName(text))
}
