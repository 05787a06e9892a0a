// A real tmpfs and a file system in memory side by side: the same calls, and what can be seen of them.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { FsError } from '../../src/errors/index.ts'
import { type FileSystem, fileTypeOf, MemoryFs, O_DIRECTORY, O_RDONLY } from '../../src/fs/index.ts'
import { loadKernelCalls } from '../../src/host/index.ts'
import { type KernelFs, openKernelFs } from '../../src/replay/index.ts'
import { isRoot, skipUnless } from './probe.ts'

/** Options of tmpfs, and the same for the emulator. */
export type TmpfsLimits = { readonly sizeBytes?: number; readonly maxInodes?: number }

/** A mounted tmpfs. `close` unmounts and removes it. */
export type Tmpfs = { readonly kernel: KernelFs; readonly memory: MemoryFs; close(): void }

/** Skips the test where nothing can be mounted. */
export function needsTmpfs(context: Mocha.Context): void {
  skipUnless(context, isRoot() && loadKernelCalls() !== null, 'needs root and koffi to mount a tmpfs')
}

/** Mounts a tmpfs and makes its like in memory; the clock of the latter never shows a time twice. */
export function openTmpfs(limits: TmpfsLimits = {}): Tmpfs {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'ovl-tmpfs-'))
  const { sizeBytes = 0, maxInodes = 0 } = limits
  const options = `mode=755,size=${sizeBytes},nr_inodes=${maxInodes}`
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'ovl-test', directory])
  if (status !== 0) throw new Error(`Cannot mount a tmpfs: ${stderr.toString()}`)
  const kernel = openKernelFs(directory)
  let nowNs = BigInt(Date.now()) * 1_000_000n
  const memory = new MemoryFs({ ...limits, now: () => ++nowNs })
  return {
    kernel,
    memory,
    close() {
      kernel.close()
      spawnSync('umount', ['-l', directory])
      rmdirSync(directory)
    },
  }
}

/** What a call gives: its value, or the name of the errno. */
export function outcome(call: () => unknown): unknown {
  try {
    return call() ?? 'done'
  } catch (error) {
    if (error instanceof FsError) return error.code
    throw error
  }
}

/** Everything that can be seen of a tree but times: attributes, the order of names, their offsets, holes, attributes. */
export function look(fs: FileSystem, directory = '/'): readonly object[] {
  const seen: object[] = []
  const pending = [directory]
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const opened = fs.open(at, O_RDONLY | O_DIRECTORY)
    const entries = opened.readdir().map(({ name, type, ino, offset }) => ({ name, type, ino, offset }))
    opened.close()
    seen.push({ at, entries })
    for (const { name } of entries) {
      if (name === '.' || name === '..') continue
      const below = `${at === '/' ? '' : at}/${name}`
      seen.push(lookAt(fs, below))
      if (fileTypeOf(fs.lstat(below).mode) === 'dir') pending.push(below)
    }
  }
  return seen
}

/** One object. */
function lookAt(fs: FileSystem, at: string): object {
  const { ino, mode, nlink, uid, gid, rdev, sizeBytes, blocks } = fs.lstat(at)
  const type = fileTypeOf(mode)
  const names = fs.listxattr(at)
  return {
    at,
    stat: { ino, mode, nlink, uid, gid, rdev, sizeBytes, blocks },
    // The kernel does not show a damaged security.capability.
    xattrs: names.map(name => [name, outcome(() => Buffer.from(fs.getxattr(at, name)).toString('hex'))]),
    ...(type === 'symlink' && { target: fs.readlink(at) }),
    ...(type === 'file' && { content: contentOf(fs, at, sizeBytes) }),
  }
}

function contentOf(fs: FileSystem, at: string, sizeBytes: number): object {
  const file = fs.open(at, O_RDONLY)
  const places: (number | string)[] = []
  for (let position = 0; position < sizeBytes; ) {
    const data = outcome(() => file.seek(position, 'data'))
    if (typeof data !== 'number') break
    position = file.seek(data, 'hole')
    places.push(data, position)
  }
  file.close()
  const bytes = sizeBytes > 1 << 20 ? new Uint8Array(0) : fs.readFile(at)
  return {
    places,
    bytes: Buffer.from(bytes)
      .toString('latin1')
      .replaceAll(/(.)\1{7,}/gs, (run, one: string) => `${one}*${run.length}`),
  }
}

/** Which times of an object are not what they were: "m", "c", "a" of each path. */
export function changedTimes(fs: FileSystem, paths: readonly string[], call: () => void): readonly string[] {
  const times = (at: string): readonly bigint[] | null => {
    const stat = outcome(() => fs.lstat(at))
    if (typeof stat === 'string') return null
    const { atimeNs, mtimeNs, ctimeNs } = stat as ReturnType<FileSystem['lstat']>
    return [atimeNs, mtimeNs, ctimeNs]
  }
  const before = paths.map(times)
  call()
  return paths.map((at, index) => {
    const [old, now] = [before[index], times(at)]
    if (now === null) return `${at} gone`
    if (old === null || old === undefined) return `${at} new`
    return `${at} ${['a', 'm', 'c'].filter((_, which) => old[which] !== now[which]).join('')}`
  })
}
