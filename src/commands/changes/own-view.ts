// A tree as an ordinary user can make it: everything belongs to that user, attributes of other name spaces and devices
// are left out.

import type { Warn } from '../../errors/index.ts'
import { quote } from '../../errors/index.ts'
import type { NamedObject, TreeView, ViewObject } from '../../layer/index.ts'

/** Whose the tree will be, and who is told what is left out of it. */
export type OwnViewOptions = { readonly uid: number; readonly gid: number; readonly warn: Warn }

/** A view of a tree with nothing in it that an ordinary user cannot make. */
export function ownView(view: TreeView, options: OwnViewOptions): TreeView {
  return new OwnView(view, options)
}

class OwnView implements TreeView {
  readonly root: ViewObject
  readonly #view: TreeView
  readonly #options: OwnViewOptions
  #isOwnerTold = false

  constructor(view: TreeView, options: OwnViewOptions) {
    this.#view = view
    this.#options = options
    this.root = this.#wrap(view.root)
  }

  list(directory: ViewObject): readonly NamedObject[] {
    return this.#view
      .list(innerOf(directory))
      .filter(({ name, object }) => this.#canMake(object, name))
      .map(({ name, object }) => ({ name, object: this.#wrap(object) }))
  }

  find(directory: ViewObject, name: string): ViewObject | null {
    const found = this.#view.find(innerOf(directory), name)
    return found === null || !this.#canMake(found, name) ? null : this.#wrap(found)
  }

  readlink(object: ViewObject): string {
    return this.#view.readlink(innerOf(object))
  }

  xattrs(object: ViewObject): ReturnType<TreeView['xattrs']> {
    const kept = [...(this.#view.xattrs(innerOf(object)) ?? [])].filter(([name]) => name.startsWith('user.'))
    return kept.length === 0 || (object.type !== 'file' && object.type !== 'dir') ? null : new Map(kept)
  }

  open(object: ViewObject): ReturnType<TreeView['open']> {
    return this.#view.open(innerOf(object))
  }

  #canMake({ type }: ViewObject, name: string): boolean {
    if (type !== 'char' && type !== 'block') return true
    this.#options.warn({
      code: 'DEVICE_SKIPPED',
      message: `device ${quote(name)} is left out: only root makes devices`,
    })
    return false
  }

  #wrap(inner: ViewObject): ViewObject {
    const { uid, gid, warn } = this.#options
    if (!this.#isOwnerTold && (inner.uid !== uid || inner.gid !== gid)) {
      this.#isOwnerTold = true
      warn({ code: 'OWNER_NOT_KEPT', message: `everything will belong to ${uid}:${gid}: only root gives files away` })
    }
    return new OwnObject(inner, { uid, gid })
  }
}

class OwnObject implements ViewObject {
  readonly inner: ViewObject
  readonly type: ViewObject['type']
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtimeSec: number
  readonly mtimeNsec: number
  readonly sizeBytes: number
  readonly rdev: number
  readonly nlink: number

  constructor(inner: ViewObject, owner: { readonly uid: number; readonly gid: number }) {
    this.inner = inner
    this.type = inner.type
    this.mode = inner.mode
    this.uid = owner.uid
    this.gid = owner.gid
    this.mtimeSec = inner.mtimeSec
    this.mtimeNsec = inner.mtimeNsec
    this.sizeBytes = inner.sizeBytes
    this.rdev = inner.rdev
    this.nlink = inner.nlink
  }

  get identity(): string {
    return this.inner.identity
  }
}

function innerOf(object: ViewObject): ViewObject {
  if (object instanceof OwnObject) return object.inner
  throw new Error('an object of another tree')
}
