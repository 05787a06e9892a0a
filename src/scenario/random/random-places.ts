// Paths for steps: mostly where there is something, or was, or can be made.
import type { ExpectedKind, ExpectedTree } from './expected-tree.ts'
import type { Prng } from './prng.ts'
import { isSpecialPath, randomName, randomSpecialName } from './random-names.ts'

/** Draws paths, and remembers what steps made and removed. */
export class RandomPlaces {
  readonly #prng: Prng
  readonly #expected: ExpectedTree
  /** Absolute: those of the layers, then those of the steps. */
  readonly #used: string[]

  constructor(prng: Prng, world: { readonly paths: readonly string[]; readonly expected: ExpectedTree }) {
    this.#prng = prng
    this.#expected = world.expected
    this.#used = world.paths.map(path => `/${path}`)
  }

  /** Of something that is likely to be there. */
  any(): string {
    return this.existing('dir', 'file', 'symlink', 'special')
  }

  existing(...kinds: readonly ExpectedKind[]): string {
    const paths = this.#expected.list(...kinds)
    if (paths.length === 0 || this.#prng.chance(18)) return this.#odd()
    // The latest are last.
    return this.#use(this.#prng.chance(35) ? this.#prng.pick(paths.slice(-3)) : this.#prng.pick(paths))
  }

  /** Of something that can be opened without meeting a driver or the other end of a FIFO. */
  openable(): string {
    for (;;) {
      const path = this.#prng.chance(85) ? this.existing('file') : this.existing('dir', 'symlink')
      if (!isSpecialPath(path)) return path
    }
  }

  /** Something of this kind appears. */
  made(kind: ExpectedKind): string {
    for (;;) {
      const path = this.#prng.chance(80) ? this.#free(kind === 'special') : this.#odd()
      // What is not to be opened keeps to its names, and a file to the others.
      if (isSpecialPath(path) !== (kind === 'special') && (kind === 'special' || kind === 'file')) continue
      if (this.#expected.kind(path) === undefined) this.#expected.add(path, kind)
      return this.#use(path)
    }
  }

  /** Something of these kinds goes. */
  removed(...kinds: readonly ExpectedKind[]): string {
    const empty = this.#expected.list('dir').filter(path => this.#expected.isEmpty(path))
    const path =
      kinds.includes('dir') && empty.length > 0 && this.#prng.chance(60)
        ? this.#prng.pick(empty)
        : this.existing(...kinds)
    const kind = this.#expected.kind(path)
    if (kind !== undefined && kinds.includes(kind) && (kind !== 'dir' || this.#expected.isEmpty(path))) {
      this.#expected.remove(path)
    }
    return this.#use(path)
  }

  linked(): readonly [string, string] {
    const from = this.existing('file', 'file', 'symlink', 'special')
    const to = this.#near(from)
    const kind = this.#expected.kind(from)
    if (kind !== undefined && kind !== 'dir' && this.#expected.kind(to) === undefined) this.#expected.add(to, kind)
    return [from, this.#use(to)]
  }

  renamed(flags: string): readonly [string, string] {
    const from = this.#prng.chance(50) ? this.existing('dir') : this.any()
    const kind = this.#expected.kind(from)
    const wantsExisting = flags === 'EXCHANGE' || this.#prng.chance(30)
    const to = wantsExisting && kind !== undefined ? this.#counterpart(from, kind) : this.#near(from)
    const isTaken = this.#expected.kind(to) !== undefined
    const works = kind !== undefined && !to.startsWith(`${from}/`) && (flags === '' || flags === 'NOREPLACE')
    if (works && !(flags === 'NOREPLACE' && isTaken)) this.#expected.move(from, to)
    return [from, this.#use(to)]
  }

  /** What can be replaced by, or exchanged with, something of this kind. */
  #counterpart(from: string, kind: ExpectedKind): string {
    const isSpecial = isSpecialPath(from)
    const kinds: readonly ExpectedKind[] =
      kind === 'dir' && this.#prng.chance(80) ? ['dir'] : ['file', 'symlink', 'special']
    const paths = this.#expected.list(...kinds).filter(path => isSpecialPath(path) === isSpecial)
    return paths.length > 0 ? this.#prng.pick(paths) : this.#near(from)
  }

  /** A name for something that is called `from` now: what is not to be opened keeps to its names. */
  #near(from: string): string {
    for (;;) {
      const path = this.#prng.chance(85) ? this.#free(isSpecialPath(from)) : this.#odd()
      if (isSpecialPath(path) === isSpecialPath(from)) return path
    }
  }

  /** A name in a directory, likely free: one that was removed, or any other. */
  #free(isSpecial: boolean): string {
    const prng = this.#prng
    const gone = this.#expected.gone.filter(path => isSpecialPath(path) === isSpecial)
    if (gone.length > 0 && prng.chance(45)) return prng.pick(gone.slice(-4))
    const directory = prng.chance(20) ? '' : prng.pick(['', ...this.#expected.list('dir')])
    return `${directory}/${isSpecial ? randomSpecialName(prng) : randomName(prng)}`
  }

  /** Whatever was written before, also where nothing is, and spellings of it. */
  #odd(): string {
    const prng = this.#prng
    const path = prng.pick(this.#used)
    const parent = path.slice(0, path.lastIndexOf('/'))
    const kind = prng.weighted({ used: 50, sibling: 20, child: 12, parent: 6, spelling: 12 })
    if (kind === 'sibling') return `${parent}/${randomName(prng)}`
    if (kind === 'child') return `${path}/${randomName(prng)}`
    if (kind === 'parent') return parent === '' ? '/' : parent
    if (kind === 'used') return path
    return prng.pick([`${path}/`, `${path}/.`, `${path}/..`, `/${path}`, `${parent}/../${path}`, '', '/', '.', '..'])
  }

  #use(path: string): string {
    if (path.startsWith('/') && path.length > 1) this.#used.push(path)
    return path
  }
}
