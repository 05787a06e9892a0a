// Every file system of the project as programs see it: what Linux's virtual file system decides in front of each of
// them, over a SuperBlock that stores. A method is one system call; what it does is in the file of its group.
import type { Credentials } from '../credentials.ts'
import { root } from '../credentials.ts'
import type { FileHandle, FileSystem, RenameOptions } from '../file-system.ts'
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../flags.ts'
import type { DirectoryEntry, FileSystemStat, Stat } from '../stat.ts'
import type { SuperBlock } from '../super-block.ts'
import { chmodPath, chownPath, type Times, truncatePath, utimensPath } from './attributes.ts'
import { readWhole, writeWhole } from './content.ts'
import { makeDirectory, makeLink, makeNode, makeSymlink } from './create.ts'
import { checkAccess, findPath, readDirectory, readLink, statFileSystem, statPath } from './look.ts'
import { openPath } from './open.ts'
import { removeDirectory, unlinkPath } from './remove.ts'
import { renamePath } from './rename.ts'
import { named, type View, viewOf } from './view.ts'
import { findInode } from './walk.ts'
import {
  checkAttributeName,
  checkNewAttribute,
  getAttribute,
  listAttributes,
  removeAttribute,
  setAttribute,
} from './xattr.ts'

/**
 * A file system for one caller (root by default). Paths, symlinks, permissions, limits and the order of refusals are
 * those of Linux 6.18 (kernel facts V01-V48, Y01-Y25, P01-P15); everything else is up to the super block.
 */
export class Vfs implements FileSystem {
  readonly superBlock: SuperBlock
  readonly caller: Credentials
  readonly #view: View

  constructor(superBlock: SuperBlock, caller: Credentials = root) {
    this.superBlock = superBlock
    this.caller = caller
    this.#view = viewOf(superBlock, caller)
  }

  as(caller: Credentials): FileSystem {
    return new Vfs(this.superBlock, caller)
  }

  lstat(path: string): Stat {
    return named('lstat', path, () => statPath(this.#view, path, { follow: false }))
  }

  stat(path: string): Stat {
    return named('stat', path, () => statPath(this.#view, path, { follow: true }))
  }

  find(path: string, options: { readonly follow: boolean }): Stat | null {
    return named('stat', path, () => findPath(this.#view, path, options))
  }

  readlink(path: string): string {
    return named('readlink', path, () => readLink(this.#view, path))
  }

  readdir(path: string): readonly DirectoryEntry[] {
    return named('readdir', path, () => readDirectory(this.#view, path))
  }

  access(path: string, mask: number): void {
    named('access', path, () => checkAccess(this.#view, path, mask))
  }

  statfs(path: string): FileSystemStat {
    return named('statfs', path, () => statFileSystem(this.#view, path))
  }

  open(path: string, flags: number, mode = 0): FileHandle {
    return named('open', path, () => openPath(this.#view, path, { flags, mode }))
  }

  mkdir(path: string, mode: number): void {
    named('mkdir', path, () => makeDirectory(this.#view, path, mode))
  }

  mknod(path: string, mode: number, rdev = 0): void {
    named('mknod', path, () => makeNode(this.#view, path, { mode, rdev }))
  }

  symlink(target: string, path: string): void {
    named('symlink', path, () => makeSymlink(this.#view, target, path))
  }

  link(existing: string, path: string): void {
    named('link', path, () => makeLink(this.#view, existing, path))
  }

  unlink(path: string): void {
    named('unlink', path, () => unlinkPath(this.#view, path))
  }

  rmdir(path: string): void {
    named('rmdir', path, () => removeDirectory(this.#view, path))
  }

  rename(from: string, to: string, options: RenameOptions = {}): void {
    named('rename', from, () => renamePath(this.#view, { from, to }, options.flags ?? 0))
  }

  chmod(path: string, mode: number): void {
    named('chmod', path, () => chmodPath(this.#view, path, mode))
  }

  chown(path: string, uid: number, gid: number): void {
    named('chown', path, () => chownPath(this.#view, path, { uid, gid, follow: true }))
  }

  lchown(path: string, uid: number, gid: number): void {
    named('lchown', path, () => chownPath(this.#view, path, { uid, gid, follow: false }))
  }

  utimens(path: string, times: Times & { readonly follow?: boolean }): void {
    named('utimens', path, () => utimensPath(this.#view, path, times))
  }

  truncate(path: string, sizeBytes: number): void {
    named('truncate', path, () => truncatePath(this.#view, path, sizeBytes))
  }

  getxattr(path: string, name: string): Uint8Array {
    return named('getxattr', path, () => {
      checkAttributeName('getxattr', name)
      return getAttribute(this.#view, this.#subject('getxattr', path), name)
    })
  }

  setxattr(path: string, name: string, value: Uint8Array, flags = 0): void {
    named('setxattr', path, () => {
      const attribute = { name, value, flags }
      checkNewAttribute('setxattr', attribute)
      setAttribute(this.#view, this.#subject('setxattr', path), attribute)
    })
  }

  removexattr(path: string, name: string): void {
    named('removexattr', path, () => {
      checkAttributeName('removexattr', name)
      removeAttribute(this.#view, this.#subject('removexattr', path), name)
    })
  }

  listxattr(path: string): readonly string[] {
    return named('listxattr', path, () => listAttributes(this.#view, this.#subject('listxattr', path)))
  }

  readFile(path: string): Uint8Array {
    return named('read', path, () => readWhole(this.open(path, O_RDONLY)))
  }

  writeFile(path: string, content: Uint8Array | string, mode = 0o666): void {
    named('write', path, () => writeWhole(this.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode), content))
  }

  sync(): void {
    this.superBlock.sync()
  }

  #subject(syscall: string, path: string) {
    return { inode: findInode(this.#view, syscall, path, { follow: false }), syscall, path }
  }
}
