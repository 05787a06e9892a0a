// A changeset written to a FileSystem: applied to a tree that is as the lower layers were, or put down as an upperdir
// with overlayfs' marks. The inverse of the comparison.
import { isErrno, unreachable, type Warn } from '../../errors/index.ts'
import {
  type FileSystem,
  fileTypeOf,
  O_CREAT,
  O_EXCL,
  O_WRONLY,
  S_IFCHR,
  type Stat,
  typeBitsOf,
} from '../../fs/index.ts'
import { escapeXattr, type MarkNames, markNames } from '../../overlay/index.ts'
import { type LayerPath, parentPath } from '../../path/index.ts'
import type { Xattrs } from '../attributes.ts'
import type { Changeset } from './changeset.ts'
import type { PlacedObject } from './compare-objects.ts'
import { type LayerEntryOptions, layerEntries, type WrittenEntry } from './layer-entries.ts'

/** How changes are written to a tree. */
export type ApplyChangesOptions = {
  readonly warn: Warn
  /** Where in the file system: "/" by default. An existing directory. */
  readonly root?: string
}

/**
 * Makes the changes to a tree that is as the lower layers (or tree `a`) were. The tree must be a copy: the changeset
 * still reads from what it was made of.
 *
 * Errors: those of `layerEntries`, and FsErrors of the target.
 */
export function applyChanges(target: FileSystem, changeset: Changeset, options: ApplyChangesOptions): void {
  write(new TreeWriter(target, { form: 'merged', root: options.root ?? '/' }), changeset, options)
}

/**
 * `applyChanges` with a word between the entries: `beforeEntry` may wait, so that signals and timers get their turn, or
 * throw to stop. Errors: as `applyChanges`, and what `beforeEntry` throws.
 */
export async function applyChangesInTurns(
  target: FileSystem,
  changeset: Changeset,
  options: ApplyChangesOptions & Turns,
): Promise<void> {
  return writeInTurns(new TreeWriter(target, { form: 'merged', root: options.root ?? '/' }), changeset, options)
}

/** What happens between entries. */
export type Turns = Pick<LayerEntryOptions, 'reservedNames'> & { readonly beforeEntry: () => null | Promise<void> }

async function writeInTurns(
  writer: TreeWriter,
  changeset: Changeset,
  { beforeEntry, ...options }: Turns & Pick<ApplyChangesOptions, 'warn'>,
): Promise<void> {
  for (const entry of layerEntries(changeset, options)) {
    const turn = beforeEntry()
    if (turn !== null) await turn
    writer.entry(entry)
  }
  writer.finish()
}

/**
 * Writes the changes into an empty directory so that it is their upperdir: whiteouts are devices 0:0, opaque
 * directories are marked, attributes under overlayfs' own prefix are escaped.
 *
 * Errors: as `applyChanges`.
 */
export function writeUpper(target: FileSystem, changeset: Changeset, options: WriteUpperOptions): void {
  write(upperWriter(target, changeset, options), changeset, options)
}

/** How an upperdir is written. */
export type WriteUpperOptions = ApplyChangesOptions & { readonly userxattr?: boolean }

/** `writeUpper` as `applyChangesInTurns` does it. */
export function writeUpperInTurns(
  target: FileSystem,
  changeset: Changeset,
  options: WriteUpperOptions & Turns,
): Promise<void> {
  return writeInTurns(upperWriter(target, changeset, options), changeset, options)
}

function upperWriter(target: FileSystem, changeset: Changeset, options: WriteUpperOptions): TreeWriter {
  const form = markNames(options.userxattr ?? false)
  const writer = new TreeWriter(target, { form, root: options.root ?? '/' })
  // What a mount shows as its root is the upperdir itself.
  const root = changeset.items[0]?.after ?? null
  if (root !== null) writer.entry({ kind: 'object', path: '', object: root })
  return writer
}

function write(writer: TreeWriter, changeset: Changeset, { warn }: ApplyChangesOptions): void {
  for (const entry of layerEntries(changeset, { warn })) writer.entry(entry)
  writer.finish()
}

/** `merged`: markers take effect; names of marks: they are written. */
type Form = 'merged' | MarkNames

class TreeWriter {
  readonly #fs: FileSystem
  readonly #form: Form
  readonly #root: string
  /** Times of directories, set when nothing is made in them any more; those without an entry get theirs back. */
  readonly #times: Map<LayerPath, bigint> = new Map()

  constructor(fs: FileSystem, { form, root }: { readonly form: Form; readonly root: string }) {
    this.#fs = fs
    this.#form = form
    this.#root = root === '/' ? '' : root
  }

  entry(entry: WrittenEntry): void {
    const { path } = entry
    if (path !== '' && entry.kind !== 'opaque') this.#keepTime(parentPath(path))
    switch (entry.kind) {
      case 'whiteout':
        return this.#form === 'merged' ? this.#remove(path) : this.#fs.mknod(this.#at(path), S_IFCHR, 0)
      case 'opaque':
        if (this.#form === 'merged') return this.#empty(path)
        return this.#fs.setxattr(this.#at(path), this.#form.opaque, Uint8Array.of(0x79))
      case 'hardLink':
        this.#remove(path)
        return this.#fs.link(this.#at(entry.target), this.#at(path))
      case 'object':
        return this.#object(path, entry.object)
      default:
        return unreachable(entry)
    }
  }

  finish(): void {
    for (const [path, mtimeNs] of this.#times) this.#setTime(path, mtimeNs)
  }

  #at(path: LayerPath): string {
    return path === '' ? this.#root || '/' : `${this.#root}/${path}`
  }

  #keepTime(directory: LayerPath): void {
    if (!this.#times.has(directory)) this.#times.set(directory, this.#fs.lstat(this.#at(directory)).mtimeNs)
  }

  #setTime(path: LayerPath, mtimeNs: bigint): void {
    this.#fs.utimens(this.#at(path), { atime: 'omit', mtime: mtimeNs, follow: false })
  }

  #object(path: LayerPath, placed: PlacedObject): void {
    const { object } = placed
    const at = this.#at(path)
    const existing = this.#stat(path)
    const isKept = object.type === 'dir' && existing !== null && fileTypeOf(existing.mode) === 'dir'
    if (!isKept) {
      if (existing !== null) this.#remove(path)
      this.#make(at, placed)
    }
    this.#fs.lchown(at, object.uid, object.gid)
    if (object.type !== 'symlink') this.#fs.chmod(at, object.mode)
    this.#setXattrs(at, placed.xattrs, isKept)
    const mtimeNs = BigInt(object.mtimeSec) * 1_000_000_000n + BigInt(object.mtimeNsec)
    if (object.type === 'dir') this.#times.set(path, mtimeNs)
    else this.#setTime(path, mtimeNs)
  }

  #make(at: string, placed: PlacedObject): void {
    const { object, view } = placed
    if (object.type === 'dir') this.#fs.mkdir(at, 0o700)
    else if (object.type === 'symlink') this.#fs.symlink(view.readlink(object), at)
    else if (object.type === 'file') this.#makeFile(at, placed)
    else this.#fs.mknod(at, typeBitsOf(object.type) | 0o600, object.rdev)
  }

  #makeFile(at: string, { object, view, data }: PlacedObject): void {
    const source = data === null || data === 'missing' ? { view, object } : data
    const { sizeBytes } = source.object
    const file = this.#fs.open(at, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    const reader = source.view.open(source.object)
    try {
      for (let position = reader.nextData(0); position < sizeBytes; ) {
        const count = reader.read(copyBuffer.subarray(0, sizeBytes - position), position)
        if (count === 0) break
        writeAll(file, copyBuffer.subarray(0, count), position)
        position = reader.nextData(position + count)
      }
      file.truncate(sizeBytes)
    } finally {
      reader.close()
      file.close()
    }
  }

  #setXattrs(at: string, xattrs: Xattrs | null, hadOthers: boolean): void {
    const stored = new Map<string, Uint8Array>()
    for (const [name, value] of xattrs ?? []) {
      stored.set(this.#form === 'merged' ? name : escapeXattr(name, this.#form, 'setxattr'), value)
    }
    if (hadOthers) for (const name of this.#fs.listxattr(at)) if (!stored.has(name)) this.#fs.removexattr(at, name)
    for (const [name, value] of stored) this.#fs.setxattr(at, name, value)
  }

  #stat(path: LayerPath): Stat | null {
    try {
      return this.#fs.lstat(this.#at(path))
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return null
      throw error
    }
  }

  /** Removes a tree, if there is one. */
  #remove(path: LayerPath): void {
    const stat = this.#stat(path)
    if (stat === null) return
    if (fileTypeOf(stat.mode) !== 'dir') return this.#fs.unlink(this.#at(path))
    this.#empty(path)
    this.#fs.rmdir(this.#at(path))
    this.#times.delete(path)
  }

  #empty(path: LayerPath): void {
    for (const { name } of this.#fs.readdir(this.#at(path))) this.#remove(path === '' ? name : `${path}/${name}`)
  }
}

const copyBuffer = new Uint8Array(256 * 1024)

function writeAll(
  file: { write(source: Uint8Array, position?: number): number },
  bytes: Uint8Array,
  position: number,
): void {
  for (let at = 0; at < bytes.length; ) at += file.write(bytes.subarray(at), position + at)
}
