// Redirects and metacopies where a mount may not follow them: what the kernel answers, the emulator answers. Linux 6.16
// changed this: the check comes before each layer, and data-only layers are exempt (rules 2, 73, 75, 76).
import { expect } from 'chai'
import type { Tree } from '../../../src/fs/index.ts'
import { needsOverlayMounts } from '../../support/overlay-stage.ts'
import { errno, type Layers, onStage, type StageKind } from '../../support/overlay-stages.ts'

const directory = { type: 'dir' } as const
const whiteout = { type: 'whiteout' } as const
const data = [{ 'o/a': 'DATA' }]
const nofollow = 'redirect_dir=nofollow'

function redirected(to: string, more: { readonly [name: string]: string } = {}): Tree[string] {
  return { type: 'dir', xattrs: { 'trusted.overlay.redirect': to, ...more } }
}

function metacopy(to?: string, prefix = 'trusted'): Tree[string] {
  const redirect = to === undefined ? {} : { [`${prefix}.overlay.redirect`]: to }
  return { type: 'file', size: 4, xattrs: { [`${prefix}.overlay.metacopy`]: '', ...redirect } }
}

/** Every tree has one object named f. */
const cases: { readonly [name: string]: Layers } = {
  'data layer, userxattr': { lower: [{ f: metacopy('/o/a', 'user') }], data, options: 'userxattr' },
  'data layer, nofollow': { lower: [{ f: metacopy('/o/a') }], data, options: nofollow },
  'data layer, a lower layer between': { lower: [{ f: metacopy('/o/a') }, {}], data },
  'data layer, a lower layer above': { lower: [{}, { f: metacopy('/o/a') }], data },
  'data layer, metacopy=on': { lower: [{ f: metacopy('/o/a') }, {}], data, options: 'metacopy=on' },
  'data layer, from upper': { upper: { f: metacopy('/o/a') }, data },
  'data layer, from upper, metacopy=on': { upper: { f: metacopy('/o/a') }, data, options: 'metacopy=on' },
  'data layer, through upper': { lower: [{ f: metacopy('/o/a') }], upper: { f: metacopy() }, data },
  'data layer, through upper, metacopy=on': {
    lower: [{ f: metacopy('/o/a') }],
    upper: { f: metacopy() },
    data,
    options: 'metacopy=on',
  },
  'data layer, in a merged directory': { lower: [{ 'p/f': metacopy('/o/a') }], upper: { p: directory }, data },
  'data layer, a file in the place of the parent': { lower: [{ 'p/f': metacopy('/o/a') }, { p: 'file' }], data },
  'data layer, relative redirect': { lower: [{ f: metacopy('b') }], data },
  'data layer, relative redirect, metacopy=on': { lower: [{ f: metacopy('b') }], data, options: 'metacopy=on' },
  'data layer, redirect of a bad form': { lower: [{ f: metacopy('a/b') }], data },
  'data layer, redirect of a bad form, nofollow': { lower: [{ f: metacopy('a/b') }], data, options: nofollow },
  'data layer, redirected directory': { lower: [{ f: redirected('q') }], data },
  'data layer, redirected directory, nofollow': { lower: [{ f: redirected('q') }], data, options: nofollow },
  'data layer, bad directory, nofollow': { lower: [{ f: redirected('a/b') }], data, options: nofollow },
  'data layer, bad directory below another, nofollow': {
    lower: [{ f: directory }, { f: redirected('a/b') }],
    data,
    options: nofollow,
  },
  'data layer, pure upper directory, nofollow': { upper: { 'p/f': redirected('a/b') }, data, options: nofollow },
  'data layer, pure upper file, nofollow': { upper: { 'p/f': metacopy('a/b') }, data, options: nofollow },
  'data layer, whiteout in the next layer': { lower: [{ f: metacopy('/o/a') }, { f: whiteout }], data },
  'upper metacopy over nothing': { upper: { f: metacopy('/o/a') } },
  'upper metacopy in an upper directory': { upper: { 'p/f': metacopy() } },
  'upper metacopy in an upper directory, metacopy=on': { upper: { 'p/f': metacopy() }, options: 'metacopy=on' },
  'upper metacopy in an upper directory, nofollow': { upper: { 'p/f': metacopy() }, options: nofollow },
  'lower metacopy over data': { lower: [{ f: metacopy() }, { f: 'DATA' }] },
  'lower metacopy below a file': { lower: [{ f: 'x' }, { f: metacopy() }] },
  'lower metacopy in the last layer': { lower: [{}, { f: metacopy() }] },
  'lower metacopy in the last layer, metacopy=on': { lower: [{}, { f: metacopy() }], options: 'metacopy=on' },
  'upper redirect over the same name, nofollow': {
    lower: [{ 'f/x': '' }],
    upper: { f: redirected('q') },
    options: nofollow,
  },
  'upper redirect over nothing, nofollow': { upper: { f: redirected('q') }, options: nofollow },
  'upper redirect in an upper directory, nofollow': { upper: { 'p/f': redirected('q') }, options: nofollow },
  'upper redirect over a whiteout, nofollow': {
    lower: [{ f: whiteout }, {}],
    upper: { f: redirected('q') },
    options: nofollow,
  },
  'upper redirect over a file, nofollow': { lower: [{ f: 'file' }], upper: { f: redirected('q') }, options: nofollow },
  'upper redirect beside opaque, nofollow': {
    upper: { f: redirected('q', { 'trusted.overlay.opaque': 'y' }) },
    options: nofollow,
  },
  'lower redirect, nofollow': { lower: [{ f: redirected('q') }, {}], options: nofollow },
  'lower redirect in the last layer, nofollow': { lower: [{}, { f: redirected('q') }], options: nofollow },
  'bad redirect in the last layer': { lower: [{ f: redirected('a/b') }] },
  'bad redirect in a middle layer': { lower: [{ f: redirected('a/b') }, {}] },
  'bad redirect in a middle layer, nofollow': { lower: [{ f: redirected('a/b') }, {}], options: nofollow },
  'bad redirect of an upper metacopy': { lower: [{ f: 'D' }], upper: { f: metacopy('a/b') } },
  'bad redirect of an upper metacopy, nofollow': {
    lower: [{ f: 'D' }],
    upper: { f: metacopy('a/b') },
    options: nofollow,
  },
  'bad redirect in an upper directory, nofollow': { upper: { 'p/f': redirected('a/b') }, options: nofollow },
}

function answers(kind: StageKind, layers: Layers): readonly string[] {
  return onStage(kind, s => {
    const m = s.mount(layers)
    const all = [layers.upper ?? {}, ...(layers.lower ?? [])].flatMap(tree => Object.keys(tree))
    const path = all.find(name => name === 'f' || name.endsWith('/f')) ?? ''
    return [errno(() => m.lstat(path)), errno(() => m.open(path, 0).close())]
  })
}

describe('what is not to be followed', () => {
  before(needsOverlayMounts)

  for (const [name, layers] of Object.entries(cases))
    it(name, () => expect(answers('memory', layers)).to.deep.equal(answers('kernel', layers)))
})
