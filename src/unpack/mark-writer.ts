// The marks of overlayfs in a layer's directory: whiteouts and opaque directories, in the form that was found possible.

import * as fs from 'node:fs'
import { AT_FDCWD, type System } from '../host/index.ts'
import type { MarkNames } from '../overlay/index.ts'
import { type LayerPath, parentPath } from '../path/index.ts'
import type { HostPaths } from './host-paths.ts'
import { marksOf, type OverlayForm } from './overlay-form.ts'

/** Writes marks below one directory. */
export class MarkWriter {
  readonly #paths: HostPaths
  readonly #system: System
  readonly #whiteouts: OverlayForm['whiteouts']
  readonly #marks: MarkNames
  readonly #opaque: Set<LayerPath> = new Set()
  /** Directories in which whiteouts are files, which a listing hides only when told so. */
  readonly #holding: Set<LayerPath> = new Set()

  constructor(paths: HostPaths, { system, form }: { readonly system: System; readonly form: OverlayForm }) {
    this.#paths = paths
    this.#system = system
    this.#whiteouts = form.whiteouts
    this.#marks = marksOf(form)
  }

  whiteout(path: LayerPath): void {
    const name = this.#paths.name(path)
    if (this.#whiteouts === 'device')
      this.#system.mknodat(AT_FDCWD, name, { mode: fs.constants.S_IFCHR, major: 0, minor: 0 })
    else {
      fs.closeSync(fs.openSync(this.#paths.of(path), 'wx', 0o600))
      this.#system.lsetxattr(name, this.#marks.whiteout, letter.y)
      this.#holding.add(parentPath(path))
    }
    this.#system.lutimens(name, 0, 0) // nobody sees it, but the same image should give the same bytes
  }

  opaque(path: LayerPath): void {
    this.#opaque.add(path)
  }

  /** Marks the directories; after the last whiteout, before they get modes that may forbid it. */
  finish(): void {
    for (const path of this.#holding) if (!this.#opaque.has(path)) this.#mark(path, letter.x)
    for (const path of this.#opaque) this.#mark(path, letter.y)
  }

  #mark(path: LayerPath, value: Uint8Array): void {
    this.#system.lsetxattr(this.#paths.name(path), this.#marks.opaque, value)
  }
}

const letter = { x: new TextEncoder().encode('x'), y: new TextEncoder().encode('y') } as const
