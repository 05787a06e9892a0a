// The rules say where the order inside a layer matters and where it does not; a second implementation of them, far
// too slow to use and with the whole layer before it, must agree with the streaming one on random layers.

import { expect } from 'chai'
import fc from 'fast-check'
import { applyLayers, flatten } from '../support/apply-layers.ts'
import { makeTar, type TarCaseEntry } from '../support/make-tar.ts'

type ModelNode =
  | { readonly type: 'dir'; mode: string; readonly children: Map<string, ModelNode> }
  | { readonly type: 'file'; readonly content: string }
type ModelLayer = { readonly entries: readonly TarCaseEntry[]; readonly markers: readonly TarCaseEntry[] }

const names = ['a', 'b', 'c'] as const
const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))
const marker = fc.tuple(path, fc.boolean()).map(
  ([p, opaque]): TarCaseEntry => ({
    type: 'file',
    name: opaque ? `${p}/.wh..wh..opq` : p.replace(/([^/]+)$/, '.wh.$1'),
  }),
)
const entry = fc.record({
  type: fc.constantFrom('file', 'dir'),
  name: path,
  mode: fc.constantFrom('0700', '0711', '0755'),
  content: fc.constantFrom('x', 'yy'),
})
/** Entries of distinct names, none below a file of the same layer: what real layers hold. */
const layer = fc
  .record({
    entries: fc.uniqueArray(entry, { selector: e => e.name, maxLength: 6 }),
    markers: fc.array(marker, { maxLength: 3 }),
  })
  .map(({ entries, markers }): ModelLayer => {
    const files = entries.filter(e => e.type === 'file')
    return { entries: entries.filter(e => !files.some(f => e.name.startsWith(`${f.name}/`))), markers }
  })

describe('LayerApplier and the order of entries', () => {
  it('agrees with a model that sees whole layers, wherever markers stand', () => {
    fc.assert(
      fc.property(fc.array(layer, { minLength: 1, maxLength: 4 }), fc.infiniteStream(fc.nat()), (layers, random) => {
        const tars = layers.map(({ entries, markers }) => makeTar(scatter({ entries, markers }, random)))
        expect(describeTree(tars)).to.deep.equal(describeModel(layers))
      }),
      { numRuns: 3000 },
    )
  })
})

/** Puts the markers at random places among the entries, whose own order stays. */
function scatter({ entries, markers }: ModelLayer, random: Iterator<number>): TarCaseEntry[] {
  const all = [...entries]
  for (const one of markers) all.splice((random.next().value as number) % (all.length + 1), 0, one)
  return all
}

function describeTree(tars: readonly Uint8Array[]): string[] {
  const rows = [...flatten(applyLayers(tars).tree)].filter(([p]) => p !== '.')
  return rows
    .map(([p, inode]) =>
      inode.kind === 'directory'
        ? `${p}/ ${inode.attributes.mode.toString(8).padStart(4, '0')}`
        : `${p} ${inode.kind === 'file' ? inode.size : '?'}`,
    )
    .toSorted()
}

function describeModel(layers: readonly ModelLayer[]): string[] {
  let tree: Map<string, ModelNode> = new Map()
  for (const one of layers) tree = applyModel(tree, one)
  const rows: string[] = []
  const visit = (children: Map<string, ModelNode>, prefix: string): void => {
    for (const [name, node] of children) {
      rows.push(node.type === 'dir' ? `${prefix}${name}/ ${node.mode}` : `${prefix}${name} ${node.content.length}`)
      if (node.type === 'dir') visit(node.children, `${prefix}${name}/`)
    }
  }
  visit(tree, '')
  return rows.toSorted()
}

/** First everything that the markers hide leaves the tree below, then the layer's own entries are laid over it. */
function applyModel(below: Map<string, ModelNode>, { entries, markers }: ModelLayer): Map<string, ModelNode> {
  const whiteouts = markers
    .filter(({ name }) => !name.endsWith('.wh..wh..opq'))
    .map(({ name }) => name.replace(/\.wh\.([^/]+)$/, '$1'))
  for (const name of whiteouts) parentIn(below, name)?.delete(baseOf(name))
  for (const { name } of markers.filter(one => one.name.endsWith('.wh..wh..opq'))) {
    const directory = name.slice(0, name.lastIndexOf('/'))
    const parent = parentIn(below, directory)
    const node = parent?.get(baseOf(directory))
    if (node?.type === 'dir') node.children.clear()
    else if (node !== undefined) parent?.set(baseOf(directory), { type: 'dir', mode: '0755', children: new Map() })
  }
  for (const { type, name, mode = '0755', content = '' } of entries) {
    const parent = impliedParent(below, name)
    const old = parent.get(baseOf(name))
    if (type === 'file') parent.set(baseOf(name), { type: 'file', content })
    else if (old?.type === 'dir') old.mode = mode
    else parent.set(baseOf(name), { type: 'dir', mode, children: new Map() })
  }
  return below
}

function parentIn(tree: Map<string, ModelNode>, name: string): Map<string, ModelNode> | undefined {
  let children: Map<string, ModelNode> | undefined = tree
  for (const part of name.split('/').slice(0, -1)) {
    const node: ModelNode | undefined = children?.get(part)
    children = node?.type === 'dir' ? node.children : undefined
  }
  return children
}

function impliedParent(tree: Map<string, ModelNode>, name: string): Map<string, ModelNode> {
  let children = tree
  for (const part of name.split('/').slice(0, -1)) {
    let node = children.get(part)
    if (node?.type !== 'dir') {
      node = { type: 'dir', mode: '0755', children: new Map() }
      children.set(part, node)
    }
    children = node.children
  }
  return children
}

function baseOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}
