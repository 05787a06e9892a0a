import { expect } from 'chai'
import { OvlError } from '../../src/errors/index.ts'
import type { TreeInode } from '../../src/layer/index.ts'
import { applyLayers, flatten } from '../support/apply-layers.ts'
import { corpus, needsCorpus } from '../support/corpus.ts'
import { readEdgeCases, xattrsAsJson } from '../support/layer-cases.ts'
import { makeTar } from '../support/make-tar.ts'

// Content is not kept in memory; the same table runs on disk in test/unpack/edge-cases.spec.ts with content.
describe('layer edge cases, in memory', () => {
  before(needsCorpus)
  for (const { id, question, layers, expect: want } of corpus === null ? [] : readEdgeCases(corpus)) {
    it(`${id}: ${question}`, () => {
      const tars = layers.map(entries => makeTar(entries))
      if (want.error) return expect(() => applyLayers(tars)).to.throw(OvlError)
      const rows = flatten(applyLayers(tars).tree)
      const wanted = want.tree ?? {}
      expect([...rows.keys()].toSorted()).to.deep.equal(Object.keys(wanted).toSorted())
      for (const [path, text] of Object.entries(wanted)) {
        const inode = rows.get(path)
        if (inode !== undefined) expect(describeInode(inode, text), path).to.equal(withoutContent(text))
      }
      return undefined
    })
  }
})

/** The words that the table has for this inode; parts that the table leaves out are left out. */
function describeInode(inode: TreeInode, like: string): string {
  const { mode, uid, gid, mtimeSec, xattrs } = inode.attributes
  const names = { directory: 'dir', file: 'file', charDevice: 'char', blockDevice: 'block', fifo: 'fifo' } as const
  const head = inode.kind === 'symlink' ? `-> ${inode.target}` : names[inode.kind]
  const parts = [head]
  if (inode.kind === 'charDevice' || inode.kind === 'blockDevice') parts.push(`${inode.major}:${inode.minor}`)
  parts.push(mode.toString(8).padStart(4, '0'), `${uid}:${gid}`)
  if (/ m-?\d+/.test(like)) parts.push(`m${mtimeSec}`)
  if (/ nlink\d+/.test(like)) parts.push(`nlink${inode.links}`)
  const kept = [...(xattrs ?? [])].filter(
    ([name]) =>
      /^(user|trusted|security|system)\./.test(name) && !(inode.kind === 'symlink' && name.startsWith('user.')),
  )
  if (kept.length > 0 && like.includes(' x{'))
    parts.push(
      `x${JSON.stringify(Object.fromEntries(kept.map(([name, value]) => [name, Buffer.from(value).toString('latin1')])))}`,
    )
  return parts.join(' ')
}

function withoutContent(text: string): string {
  const plain = text.replace(/^file '(?:[^'\\]|\\.|\.\.)*'/s, 'file')
  return xattrsAsJson(plain)
}
