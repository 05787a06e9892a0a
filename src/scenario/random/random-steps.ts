// Steps that meet something: paths of the layers and of the steps before, parents of what was deleted, one rename over
// the result of the other.
import type { Json } from '../../errors/index.ts'
import type { Step } from '../scenario.ts'
import type { Prng } from './prng.ts'
import type { ExpectedTree } from './expected-tree.ts'
import { type Draw, openArguments, randomArguments } from './random-arguments.ts'
import { RandomPlaces } from './random-places.ts'

/** What steps are drawn from. */
export type StepWorld = {
  readonly paths: readonly string[]
  readonly expected: ExpectedTree
  /** Some steps are those of user 1000. */
  readonly hasUser: boolean
  readonly remounts: boolean
}

/** Steps that can be run one after the other; what is opened is closed before a remount. */
export function randomSteps(prng: Prng, world: StepWorld): readonly Step[] {
  const writer = new StepWriter(prng, world)
  const count = prng.chance(5) ? prng.between(40, 80) : prng.between(3, 24)
  for (let index = 0; index < count; index++) writer.add()
  return writer.steps
}

/** How often each operation comes, of about 150. */
const weights = {
  lstat: 8,
  stat: 3,
  readdir: 8,
  readlink: 2,
  read: 6,
  listxattr: 3,
  statfs: 1,
  write: 8,
  append: 4,
  mkdir: 10,
  mknod: 3,
  symlink: 4,
  link: 7,
  unlink: 10,
  rmdir: 9,
  rename: 18,
  chmod: 5,
  chown: 3,
  lchown: 2,
  truncate: 4,
  utimens: 4,
  getxattr: 3,
  setxattr: 6,
  removexattr: 3,
  open: 7,
  handle: 14,
  remount: 3,
} as const

class StepWriter {
  readonly steps: Step[] = []
  readonly #prng: Prng
  readonly #world: StepWorld
  readonly #places: RandomPlaces
  readonly #handles: string[] = []
  #count = 0

  constructor(prng: Prng, world: StepWorld) {
    this.#prng = prng
    this.#world = world
    this.#places = new RandomPlaces(prng, world)
  }

  add(): void {
    const operation = this.#prng.weighted(weights)
    if (operation === 'remount') this.#addRemount()
    else if (operation === 'handle' && this.#handles.length > 0) this.#addOnHandle()
    else if (operation === 'handle' || operation === 'open') this.#addOpening()
    else this.#add(operation, randomArguments[operation](this.#draw()))
  }

  #add(operation: string, args: readonly Json[]): void {
    const prng = this.#prng
    const isUser = this.#world.hasUser && prng.chance(30)
    const options = {
      ...(isUser && { as: { uid: 1000, gid: 1000, ...(prng.chance(15) && { groups: [0] }) } }),
      ...(operation === 'readdir' && prng.chance(20) && { order: true }),
    }
    this.steps.push([operation, ...args, ...(Object.keys(options).length > 0 ? [options] : [])])
  }

  #addOpening(): void {
    const handle = `h${++this.#count}`
    this.#handles.push(handle)
    this.#add('open', [handle, ...openArguments(this.#draw())])
  }

  #addOnHandle(): void {
    const prng = this.#prng
    const handle = prng.pick(this.#handles)
    const operation = prng.weighted({ pread: 25, pwrite: 25, fstat: 25, ftruncate: 8, fchmod: 8, fsync: 4, close: 10 })
    const args: { readonly [operation: string]: readonly Json[] } = {
      pread: [prng.pick([0, 0, 3, 4990]), prng.pick([40, 40, 100])],
      pwrite: [prng.pick([0, 2, 20, 5000]), this.#draw().text],
      ftruncate: [prng.pick([0, 4, 30])],
      fchmod: [prng.pick(['0600', '0755', '2755', '4711'])],
    }
    this.#add(operation, [handle, ...(args[operation] ?? [])])
    if (operation === 'close') this.#handles.splice(this.#handles.indexOf(handle), 1)
  }

  /** With open files there is nothing to see but EBUSY. */
  #addRemount(): void {
    if (!this.#world.remounts) return
    if (this.#prng.chance(90)) for (const handle of this.#handles.splice(0)) this.steps.push(['close', handle])
    this.steps.push(['remount'])
  }

  #draw(): Draw {
    return {
      prng: this.#prng,
      places: this.#places,
      paths: this.#world.paths,
      text: `step ${this.steps.length}`,
    }
  }
}
