// Layers in overlayfs form, made by hand.

import fs from 'node:fs'
import { AT_FDCWD, loadSystem } from '../../src/host/index.ts'
import type { Stage } from './overlay-stage.ts'

/** Makes files of the stage, and whatever is above them. */
export class LayerMaker {
  readonly #stage: Stage
  readonly #prefix: string

  constructor(stage: Stage, userxattr: boolean) {
    this.#stage = stage
    this.#prefix = userxattr ? 'user.overlay.' : 'trusted.overlay.'
  }

  at(path: string): string {
    return this.#stage.at(...path.split('/'))
  }

  /** A file that holds its own path. */
  file(path: string, marks: Marks = {}): this {
    return this.#write(path, path, marks)
  }

  empty(path: string, marks: Marks): this {
    return this.#write(path, '', marks)
  }

  directory(path: string, marks: Marks = {}): this {
    fs.mkdirSync(this.at(path), { recursive: true })
    return this.#mark(path, marks)
  }

  root(path: string, marks: Marks): this {
    return this.#mark(path, marks)
  }

  whiteout(path: string): this {
    fs.mkdirSync(this.at(`${path}/..`), { recursive: true })
    loadSystem()?.mknodat(AT_FDCWD, this.at(path), { mode: 0o20000, major: 0, minor: 0 })
    return this
  }

  #write(path: string, content: string, marks: Marks): this {
    fs.mkdirSync(this.at(`${path}/..`), { recursive: true })
    fs.writeFileSync(this.at(path), content)
    return this.#mark(path, marks)
  }

  #mark(path: string, marks: Marks): this {
    for (const [name, value] of Object.entries(marks))
      loadSystem()?.lsetxattr(this.at(path), `${this.#prefix}${name}`, Buffer.from(value))
    return this
  }
}

/** Values by name of the mark, without prefix. */
export type Marks = { readonly [name: string]: string }
