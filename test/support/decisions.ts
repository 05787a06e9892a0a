// Tables of decisions: each row is made by a file system in memory, and by tmpfs of the running kernel where there is one.

import { expect } from 'chai'
import { type Credentials, encodeAcl, type FileSystem, MemoryFs, root, user } from '../../src/fs/index.ts'
import { loadKernelCalls } from '../../src/host/index.ts'
import { isRoot } from './probe.ts'
import { openTmpfs, outcome, type Tmpfs } from './tmpfs.ts'

/** What a row does in a directory of its own, whose path is `d`; its value, or the errno, is what is expected. */
export type Row = readonly [
  title: string,
  expected: unknown,
  act: (fs: FileSystem, d: string, as: (caller: Credentials) => FileSystem) => unknown,
]

/** A user with a second group. */
export const alice = user(1000, 1000, [2000])
/** Another user. */
export const bob = user(1001)

/** Opens and closes. */
export const open = (fs: FileSystem, path: string, flags: number, mode = 0o644): void =>
  fs.open(path, flags, mode).close()

/** Type and permission bits in octal. */
export const modeOf = (fs: FileSystem, path: string): string => fs.lstat(path).mode.toString(8)

/** The value of an ACL attribute. */
export const acl = (...entries: readonly (readonly [tag: number, permissions: number, id?: number])[]): Uint8Array =>
  encodeAcl(entries.map(([tag, permissions, id = 0xffffffff]) => ({ tag, permissions, id })))

/** A suite of tables by their titles. */
export function describeDecisions(suite: string, tables: Readonly<Record<string, readonly Row[]>>): void {
  describe(suite, () => {
    const memory = new MemoryFs()
    let tmpfs: Tmpfs | null = null
    let rows = 0

    before(() => {
      if (isRoot() && loadKernelCalls() !== null) tmpfs = openTmpfs()
    })

    after(() => tmpfs?.close())

    for (const [title, table] of Object.entries(tables)) {
      for (const [name, expected, act] of table) {
        it(`${title}: ${name}`, () => {
          const d = `/row${rows++}`
          expect(decide(memory, d, act), 'in memory').to.deep.equal(expected)
          if (tmpfs !== null) expect(decide(tmpfs.kernel, d, act), 'tmpfs').to.deep.equal(expected)
        })
      }
    }
  })
}

function decide(fs: FileSystem, d: string, act: Row[2]): unknown {
  fs.as({ ...root, umask: 0 }).mkdir(d, 0o755)
  return outcome(() => act(fs, d, caller => fs.as(caller)))
}
