// Layers applied to a temporary directory with the product's writer, and that directory written down.

import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Warning } from '../../src/errors/index.ts'
import { loadSystem, removeTree } from '../../src/host/index.ts'
import type { ApplyOptions } from '../../src/layer/index.ts'
import { createNotKeptLog } from '../../src/unpack/not-kept-log.ts'
import type { Ownership } from '../../src/unpack/ownership.ts'
import { RootfsSink } from '../../src/unpack/rootfs-sink.ts'
import { applyTo } from './apply-layers.ts'
import { isRoot } from './probe.ts'

/** What an ordinary user can do: files are the caller's, owners are written down. */
const recordOwners: Ownership = { kind: 'record' }

export const keepOwners: Ownership = { kind: 'keep', uidMappings: [], gidMappings: [] }

export type Unpacked = { readonly root: string; readonly warnings: readonly Warning[] }

type DiskOptions = Partial<ApplyOptions> & { readonly ownership?: Ownership }

const arenas: string[] = []

/** A fresh directory for one test; `after(removeArenas)` removes all of them. */
export function makeArena(): string {
  const arena = fs.mkdtempSync(join(tmpdir(), 'ovl-test-'))
  arenas.push(arena)
  return arena
}

export async function removeArenas(): Promise<void> {
  for (const arena of arenas.splice(0)) await removeTree(arena)
}

/** Applies layers below a fresh directory. */
export function unpackToDisk(layers: readonly Uint8Array[], options: DiskOptions = {}): Unpacked {
  const root = join(makeArena(), 'root')
  fs.mkdirSync(root)
  return { root, warnings: applyToDirectory(root, layers, options) }
}

/** Applies layers to an existing empty directory. */
export function applyToDirectory(
  root: string,
  layers: readonly Uint8Array[],
  { ownership = isRoot() ? keepOwners : recordOwners, ...options }: DiskOptions = {},
): readonly Warning[] {
  const warnings: Warning[] = []
  const sink = new RootfsSink({
    prefix: `${root}/`,
    umask: process.umask(),
    system: loadSystem(),
    ownership,
    shownAs: root,
    warn: warning => void warnings.push(warning),
    notKept: createNotKeptLog(),
  })
  try {
    return [...applyTo(sink, layers, options), ...warnings]
  } finally {
    sink.close()
  }
}

/** Every path below `root` (and '.' for itself), names as latin1 so that bytes survive. */
export function listTree(root: string): string[] {
  const paths = ['.']
  const visit = (directory: Buffer, prefix: string): void => {
    for (const name of fs.readdirSync(directory, { encoding: 'buffer' })) {
      const full = Buffer.concat([directory, Buffer.from('/'), name])
      const path = prefix + name.toString('latin1')
      paths.push(path)
      if (fs.lstatSync(full).isDirectory()) visit(full, `${path}/`)
    }
  }
  visit(Buffer.from(root), '')
  return paths.toSorted()
}
