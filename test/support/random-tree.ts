// Random trees for comparisons, as the steps that make them: what a program may do to a tree, tried in order, refusals
// ignored. Few names, so that steps meet each other.

import fc from 'fast-check'
import { isErrno } from '../../src/errors/index.ts'
import { type FileSystem, makeDevice, S_IFCHR, S_IFIFO } from '../../src/fs/index.ts'
import { removeAll } from './tree-ops.ts'

/** One step; paths begin with a slash. */
export type TreeStep =
  | { readonly do: 'mkdir'; readonly path: string; readonly mode: number }
  | { readonly do: 'write'; readonly path: string; readonly content: string }
  | { readonly do: 'resize'; readonly path: string; readonly sizeBytes: number }
  | { readonly do: 'symlink' | 'link' | 'rename'; readonly path: string; readonly other: string }
  | { readonly do: 'node'; readonly path: string; readonly device: boolean }
  | { readonly do: 'remove'; readonly path: string }
  | { readonly do: 'chmod'; readonly path: string; readonly mode: number }
  | { readonly do: 'chown'; readonly path: string; readonly id: number }
  | { readonly do: 'xattr'; readonly path: string; readonly name: string; readonly value: string | null }
  | { readonly do: 'time'; readonly path: string; readonly sec: number; readonly nsec: number }

const name = fc.constantFrom('a', 'b', 'a-b', 'c d', 'é', '\udcff')
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map(names => `/${names.join('/')}`)
/** The root too. */
const anyPath = fc.oneof({ weight: 6, arbitrary: path }, fc.constant('/'))
const mode = fc.constantFrom(0o644, 0o755, 0o600, 0o4755, 0o1777)

const step: fc.Arbitrary<TreeStep> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('mkdir' as const), path, mode }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('write' as const), path, content: fc.constantFrom('', 'x', 'yy', 'zz') }),
  },
  fc.record({ do: fc.constant('resize' as const), path, sizeBytes: fc.constantFrom(0, 1, 5000, 300_000) }),
  fc.record({ do: fc.constantFrom('symlink' as const, 'link' as const), path, other: path }),
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('link' as const, 'rename' as const), path, other: path }) },
  fc.record({ do: fc.constant('node' as const), path, device: fc.boolean() }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), path }) },
  fc.record({ do: fc.constant('chmod' as const), path: anyPath, mode }),
  fc.record({ do: fc.constant('chown' as const), path: anyPath, id: fc.constantFrom(0, 1, 3_000_000) }),
  fc.record({
    do: fc.constant('xattr' as const),
    path: anyPath,
    name: fc.constantFrom('user.a', 'trusted.b', 'trusted.overlay.opaque', 'user.overlay.origin'),
    value: fc.option(fc.constantFrom('', 'v', '\u0001')),
  }),
  fc.record({
    do: fc.constant('time' as const),
    path,
    sec: fc.integer({ min: -5, max: 5 }),
    nsec: fc.constantFrom(0, 7),
  }),
)

/** A random tree, as the steps from an empty one. */
export const randomSteps: fc.Arbitrary<readonly TreeStep[]> = fc.array(step, { maxLength: 25 })

/** Makes the steps; one that the file system refuses is passed over. */
export function takeSteps(fs: FileSystem, steps: readonly TreeStep[]): void {
  for (const one of steps) {
    try {
      take(fs, one)
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST', 'EPERM', 'ENOTEMPTY', 'EINVAL', 'ENODATA', 'ELOOP'))
        throw error
    }
  }
}

function take(fs: FileSystem, one: TreeStep): void {
  switch (one.do) {
    case 'mkdir':
      return fs.mkdir(one.path, one.mode)
    case 'write':
      return fs.writeFile(one.path, one.content)
    case 'resize':
      return fs.truncate(one.path, one.sizeBytes)
    case 'symlink':
      return fs.symlink(one.other, one.path)
    case 'link':
      return fs.link(one.other, one.path)
    case 'rename':
      return fs.rename(one.other, one.path)
    case 'node':
      return fs.mknod(one.path, (one.device ? S_IFCHR : S_IFIFO) | 0o644, one.device ? makeDevice(1, 3) : 0)
    case 'remove':
      return removeAll(fs, one.path)
    case 'chmod':
      return fs.chmod(one.path, one.mode)
    case 'chown':
      return fs.lchown(one.path, one.id, one.id)
    case 'xattr':
      if (one.value === null) return fs.removexattr(one.path, one.name)
      return fs.setxattr(one.path, one.name, new TextEncoder().encode(one.value))
    case 'time': {
      const mtime = BigInt(one.sec) * 1_000_000_000n + BigInt(one.nsec)
      return fs.utimens(one.path, { atime: 'omit', mtime, follow: false })
    }
  }
}
