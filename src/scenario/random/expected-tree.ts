// What the merged tree roughly looks like while steps are drawn, so that most of them find what they need. Wrong now and
// then (redirects, permissions), which does no harm: every answer is compared, an error too.
import { type LowerTree, type Scenario, treeOf } from '../scenario.ts'

/** Kinds of objects, as far as the steps are drawn by them. */
export type ExpectedKind = 'dir' | 'file' | 'symlink' | 'special'

/** Paths and kinds; paths are absolute, "/" is not among them. */
export class ExpectedTree {
  readonly #kinds = new Map<string, ExpectedKind>()
  /** Names that were there, the latest last. */
  readonly gone: string[] = []

  constructor({ lower, upper = {} }: Pick<Scenario, 'lower' | 'upper'>) {
    for (const layer of lower.toReversed()) this.#addLayer(layer)
    this.#addLayer(upper)
    this.gone.length = 0
  }

  /** Every path of these kinds. */
  list(...kinds: readonly ExpectedKind[]): readonly string[] {
    return [...this.#kinds].filter(([, kind]) => kinds.includes(kind)).map(([path]) => path)
  }

  kind(path: string): ExpectedKind | undefined {
    return path === '' || path === '/' ? 'dir' : this.#kinds.get(path)
  }

  isEmpty(directory: string): boolean {
    return ![...this.#kinds.keys()].some(path => path.startsWith(`${directory}/`))
  }

  /** Something appears; over anything else. */
  add(path: string, kind: ExpectedKind): void {
    if (kind !== 'dir') this.#removeBelow(path)
    this.#kinds.set(path, kind)
  }

  remove(path: string): void {
    if (!this.#kinds.has(path)) return
    this.#removeBelow(path)
    this.#kinds.delete(path)
    this.gone.push(path)
  }

  /** With everything below. */
  move(from: string, to: string): void {
    const moved = [...this.#kinds].filter(([path]) => path === from || path.startsWith(`${from}/`))
    this.remove(from)
    this.#removeBelow(to)
    for (const [path, kind] of moved) this.#kinds.set(to + path.slice(from.length), kind)
  }

  #addLayer(layer: LowerTree): void {
    for (const [key, node] of Object.entries(treeOf(layer))) {
      if (key === '') continue
      const path = `/${key}`
      const type = typeof node === 'string' ? 'file' : (node.type ?? (node.link === undefined ? 'file' : 'link'))
      if (type === 'whiteout' || type === 'xwhiteout') this.remove(path)
      else if (type === 'dir') {
        if (this.kind(path) !== 'dir' || (typeof node === 'object' && node.opaque === true)) this.remove(path)
        this.add(path, 'dir')
      } else this.add(path, type === 'file' || type === 'link' ? 'file' : type === 'symlink' ? 'symlink' : 'special')
      this.#addParents(path)
    }
  }

  #addParents(path: string): void {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end)
      if (this.kind(parent) !== 'dir') this.#kinds.set(parent, 'dir')
    }
  }

  #removeBelow(directory: string): void {
    for (const path of this.#kinds.keys()) if (path.startsWith(`${directory}/`)) this.#kinds.delete(path)
  }
}
