import { expect } from 'chai'
import * as fs from 'node:fs'
import { OvlError } from '../../src/errors/index.ts'
import { loadSystem } from '../../src/host/index.ts'
import { corpus, needsCorpus } from '../support/corpus.ts'
import { listTree, removeArenas, unpackToDisk } from '../support/disk-tree.ts'
import { readEdgeCases, xattrsAsJson } from '../support/layer-cases.ts'
import { makeTar } from '../support/make-tar.ts'
import { isRoot, skipUnless } from '../support/probe.ts'

describe('layer edge cases, on disk', () => {
  before(needsCorpus)
  before(function () {
    skipUnless(this, isRoot(), 'owners and devices need root', { optional: true })
  })
  after(removeArenas)
  for (const { id, question, layers, expect: want } of corpus === null ? [] : readEdgeCases(corpus)) {
    it(`${id}: ${question}`, () => {
      const tars = layers.map(entries => makeTar(entries))
      if (want.error) return expect(() => unpackToDisk(tars)).to.throw(OvlError)
      const { root } = unpackToDisk(tars)
      const wanted = want.tree ?? {}
      expect(listTree(root)).to.deep.equal(Object.keys(wanted).map(latin1).toSorted())
      for (const [path, text] of Object.entries(wanted)) {
        expect(describePath(`${root}/${path}`, text), path).to.equal(xattrsAsJson(text))
      }
      return undefined
    })
  }
})

/** The words that the table has for what is at a path; what the table leaves out is left out. */
function describePath(full: string, like: string): string {
  const stat = fs.lstatSync(full)
  const parts = [kindAndContent(full, stat)]
  if (stat.isCharacterDevice() || stat.isBlockDevice()) parts.push(`${stat.rdev >> 8}:${stat.rdev & 0xff}`)
  parts.push((stat.mode & 0o7777).toString(8).padStart(4, '0'), `${stat.uid}:${stat.gid}`)
  if (/ m-?\d+/.test(like)) parts.push(`m${Math.floor(stat.mtimeMs / 1000)}`)
  if (/ nlink\d+/.test(like)) parts.push(`nlink${stat.nlink}`)
  const xattrs = readXattrs(full)
  if (xattrs !== '{}' && like.includes(' x{')) parts.push(`x${xattrs}`)
  return parts.join(' ')
}

function kindAndContent(full: string, stat: fs.Stats): string {
  if (stat.isFile()) return `file ${shownContent(fs.readFileSync(full))}`
  if (stat.isSymbolicLink()) return `-> ${fs.readlinkSync(full)}`
  return stat.isDirectory() ? 'dir' : stat.isCharacterDevice() ? 'char' : stat.isBlockDevice() ? 'block' : 'fifo'
}

/** As the table shortens it: the first 24 bytes and the size of what is longer. */
function shownContent(bytes: Buffer): string {
  const shown = [...bytes.subarray(0, 24)].map(byte =>
    byte < 0x20 ? `\\x${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte),
  )
  return bytes.length > 24 ? `'${shown.join('')}..${bytes.length}'` : `'${shown.join('')}'`
}

function readXattrs(full: string): string {
  const system = loadSystem()
  const names = (system?.llistxattr(full) ?? []).toSorted()
  return JSON.stringify(
    Object.fromEntries(names.map(name => [name, Buffer.from(system?.lgetxattr(full, name) ?? []).toString('latin1')])),
  )
}

function latin1(path: string): string {
  return Buffer.from(path).toString('latin1')
}
