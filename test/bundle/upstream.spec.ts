// The conversions that umoci's own tests ask for (corpus, kind "config-convert"). All hold as they stand.

import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { createRuntimeConfig, type RuntimeConfig } from '../../src/bundle/index.ts'
import { corpus, corpusPath, needsCorpus } from '../support/corpus.ts'
import { imageConfig } from './image-config.ts'
import { memoryRootfs } from './memory-rootfs.ts'

type Expected = { readonly [key: string]: unknown }

type Case = {
  readonly id: string
  readonly kind: string
  readonly image_config: object
  /** Lines added to files of the image; the "+" at the end of the name says so. */
  readonly rootfs_files?: { readonly [path: string]: string | readonly string[] }
  readonly expect: Expected
}

describe('image configs of umoci', () => {
  before(needsCorpus)

  const cases = corpus === null ? [] : readCases()
  it('are there', () => expect(cases.length).to.be.at.least(10))

  for (const each of cases) {
    it(each.id, () => {
      const config = createRuntimeConfig(imageConfig(each.image_config), {
        rootPath: 'rootfs',
        rootfs: each.rootfs_files === undefined ? null : memoryRootfs(rootfsOf(each.rootfs_files)),
      })
      for (const [key, wanted] of Object.entries(each.expect)) check(config, key, wanted)
    })
  }
})

function readCases(): readonly Case[] {
  const document = JSON.parse(readFileSync(corpusPath('cases', 'upstream.json'), 'utf8')) as { cases: readonly Case[] }
  return document.cases.filter(({ kind }) => kind === 'config-convert')
}

function rootfsOf(files: NonNullable<Case['rootfs_files']>): { readonly [path: string]: string } {
  const entries = Object.entries(files).map(([name, lines]) => {
    return [name.replace(/^\//, '').replace(/\+$/, ''), `root:x:0:0::/root:\n${[lines].flat().join('\n')}\n`] as const
  })
  return Object.fromEntries(entries)
}

function check(config: RuntimeConfig, key: string, wanted: unknown): void {
  const { user, args, env, cwd } = config.process
  const names = env.map(entry => entry.slice(0, entry.indexOf('=')))
  const checks: { readonly [key: string]: () => void } = {
    'process.user.uid': () => expect(user.uid).to.equal(wanted),
    'process.user.gid': () => expect(user.gid).to.equal(wanted),
    'process.user.additionalGids': () => expect(user.additionalGids ?? null).to.equal(wanted),
    'process.args': () => expect(args).to.deep.equal(wanted),
    'process.cwd': () => expect(cwd).to.equal(wanted),
    'process.env length': () => expect(env).to.have.length(Number(wanted)),
    'process.env names': () => expect(names.toSorted()).to.deep.equal(wanted),
    'process.env names unique': () => expect(new Set(names).size).to.equal(names.length),
    'process.env contains': () => expect(env).to.include.members([wanted].flat()),
    'mounts destinations contain': () =>
      expect(config.mounts.map(({ destination }) => destination)).to.include.members(wanted as string[]),
    mount: () =>
      expect(config.mounts.map(({ type, source, options }) => ({ type, source, options }))).to.deep.include(wanted),
    note: () => expect(wanted).to.be.a('string'),
  }
  const known = checks[key]
  if (known === undefined) throw new Error(`The case expects ${key}, which this test does not know`)
  known()
}
