import { expect } from 'chai'
import { checkOverlay } from '../../src/overlay/index.ts'
import type { LayerNode, LayerReader } from '../../src/overlay/check/layer-reader.ts'
import { findVisibleDirectories } from '../../src/overlay/check/visible-directories.ts'

const directory = (redirect?: string): LayerNode => ({
  type: 'directory',
  sizeBytes: 0,
  marks: new Map(redirect === undefined ? [] : [['redirect', Buffer.from(redirect)]]),
  otherMarks: [],
})

/** A layer of directories alone: path → redirect. */
function layerOf(redirects: { readonly [path: string]: string | undefined }): LayerReader {
  const nodes = new Map(Object.entries({ '': undefined, ...redirects }).map(([path, to]) => [path, directory(to)]))
  return {
    look: path => nodes.get(path) ?? null,
    list: parent =>
      [...nodes.keys()]
        .filter(path => path !== '' && parentOf(path) === parent)
        .map(path => ({ name: path.slice(path.lastIndexOf('/') + 1), isDirectory: true })),
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}

describe('findVisibleDirectories()', () => {
  it('walks what redirects show many times over only once', () => {
    // Each layer leads to the next in two ways: 2^60 paths.
    const layer = layerOf({ d: undefined, 'd/x': '/d', 'd/y': '/d' })
    const overlay = {
      layers: Array.from({ length: 60 }, () => layer),
      dataLayers: [],
      hasUpper: true,
      followsRedirects: true,
      metacopy: false,
    }
    const visible = findVisibleDirectories(overlay)
    expect(visible.isWhole).to.equal(true)
    expect(visible.listing(1, 'd')).to.equal('filtered')
    const codes: string[] = []
    checkOverlay(overlay, { userxattr: false, originExists: () => null, report: ({ code }) => codes.push(code) })
    expect(new Set(codes)).to.deep.equal(new Set(['REDIRECT_TWICE', 'REDIRECT_IGNORED']))
  })

  it('knows where a directory shows, and how it is listed', () => {
    const overlay = {
      layers: [layerOf({ a: '/old', alone: undefined }), layerOf({ old: undefined, 'old/in': undefined })],
      dataLayers: [],
      hasUpper: true,
      followsRedirects: true,
      metacopy: false,
    }
    const { listing, shownAt } = findVisibleDirectories(overlay)
    expect(shownAt(1, 'old').toSorted()).to.deep.equal(['a', 'old'])
    expect([listing(0, 'a'), listing(1, 'old'), listing(0, 'alone')]).to.deep.equal(['filtered', 'raw', 'raw'])
    expect(listing(1, 'nowhere')).to.equal(undefined)
  })
})
