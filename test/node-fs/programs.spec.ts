// Real programs that take a file system, on an overlay in memory: they find what is below, and change what is above.
import type * as nodeFs from 'node:fs'
import { expect } from 'chai'
import { glob } from 'glob'
import { diffTrees, type FileSystem, MemoryFs, readTree, type Tree, writeTree } from '../../src/fs/index.ts'
import { asNodeFs } from '../../src/node-fs/index.ts'
import { OverlayFs } from '../../src/overlay/index.ts'
import { benchPackage } from '../support/bench-packages.ts'

type Author = { readonly name: string; readonly email: string }
type Repository = { readonly fs: unknown; readonly dir: string }
/** What of isomorphic-git is used here. */
type Git = {
  init(at: Repository & { readonly defaultBranch: string }): Promise<void>
  add(at: Repository & { readonly filepath: string | readonly string[] }): Promise<void>
  remove(at: Repository & { readonly filepath: string }): Promise<void>
  commit(at: Repository & { readonly message: string; readonly author: Author }): Promise<string>
  branch(at: Repository & { readonly ref: string; readonly checkout: boolean }): Promise<void>
  checkout(at: Repository & { readonly ref: string }): Promise<void>
  log(at: Repository): Promise<readonly { readonly oid: string; readonly commit: { readonly message: string } }[]>
  statusMatrix(at: Repository): Promise<readonly (readonly [string, number, number, number])[]>
}

/** What of enhanced-resolve is used here: how webpack finds modules. */
type EnhancedResolve = {
  readonly CachedInputFileSystem: new (fs: unknown, durationMs: number) => object
  readonly ResolverFactory: { createResolver(options: object): Resolver }
}
type Resolver = {
  resolve(
    context: object,
    from: string,
    request: string,
    resolving: object,
    done: (error: Error | null, found?: string | false) => void,
  ): void
}

const author = { name: 'A', email: 'a@example.org' }

type Stage = { readonly layers: MemoryFs; readonly overlay: OverlayFs }

/** An overlay over one lower layer, all in one file system in memory. */
function overlayOver(lower: Tree): Stage {
  const layers = new MemoryFs()
  writeTree(layers, '/lower', lower)
  layers.mkdir('/upper', 0o755)
  layers.mkdir('/work', 0o755)
  const at = (path: string): { readonly fs: FileSystem; readonly path: string } => ({ fs: layers, path })
  return { layers, overlay: new OverlayFs({ lower: [at('/lower')], upper: at('/upper'), work: at('/work') }) }
}

/** Init, two commits on two branches, back and forth. */
async function useGit(git: Git, fs: typeof nodeFs): Promise<void> {
  const at = { fs, dir: '/repo' }
  await git.init({ ...at, defaultBranch: 'main' })
  await git.add({ ...at, filepath: ['README', 'src/a.js'] })
  const first = await git.commit({ ...at, message: 'first', author })
  await git.branch({ ...at, ref: 'other', checkout: true })
  fs.writeFileSync('/repo/src/b.js', 'b')
  fs.writeFileSync('/repo/README', 'changed')
  await git.remove({ ...at, filepath: 'src/a.js' })
  fs.unlinkSync('/repo/src/a.js')
  await git.add({ ...at, filepath: ['README', 'src/b.js'] })
  const second = await git.commit({ ...at, message: 'second', author })
  expect((await git.log(at)).map(({ oid, commit }) => [oid, commit.message])).to.deep.equal([
    [second, 'second\n'],
    [first, 'first\n'],
  ])
  await git.checkout({ ...at, ref: 'main' })
  expect(fs.readFileSync('/repo/README', 'utf8')).to.equal('read me')
  expect(fs.readdirSync('/repo/src')).to.deep.equal(['a.js'])
  fs.writeFileSync('/repo/untracked', '')
  expect(await git.statusMatrix(at)).to.deep.equal([
    ['README', 1, 1, 1],
    ['src/a.js', 1, 1, 1],
    ['untracked', 0, 2, 0],
  ])
  await git.checkout({ ...at, ref: 'other' })
  expect(fs.readdirSync('/repo/src')).to.deep.equal(['b.js'])
}

const sources: Tree = { 'repo/README': 'read me', 'repo/src/a.js': 'a' }

describe('programs on asNodeFs', () => {
  it('isomorphic-git keeps a repository in memory', async function () {
    const git = benchPackage(this, 'isomorphic-git') as Git
    const fs = new MemoryFs()
    writeTree(fs, '/', sources)
    await useGit(git, asNodeFs(fs) as unknown as typeof nodeFs)
  })

  it('isomorphic-git works on an overlay; below nothing changes', async function () {
    const git = benchPackage(this, 'isomorphic-git') as Git
    const { layers, overlay } = overlayOver(sources)
    const before = readTree(layers, '/lower')
    await useGit(git, asNodeFs(overlay) as unknown as typeof nodeFs)
    expect(diffTrees(before, readTree(layers, '/lower'))).to.deep.equal([])
    const upper = readTree(layers, '/upper')
    expect(upper['repo/README']).to.include({ type: 'file', content: 'changed' })
    expect(upper['repo/src/a.js']).to.deep.equal({ type: 'whiteout' })
    expect(upper['repo/src/b.js']).to.include({ content: 'b' })
  })

  it('webpack’s resolver finds modules of the layer below and of the one above', async function () {
    const { CachedInputFileSystem, ResolverFactory } = benchPackage(this, 'enhanced-resolve') as EnhancedResolve
    const { overlay } = overlayOver({
      'app/node_modules/old/package.json': '{ "main": "lib/x.js" }',
      'app/node_modules/old/lib/x.js': '',
      'app/node_modules/linked': { target: '../../shared' },
      'shared/index.js': '',
    })
    writeTree(overlay, '/app/node_modules/new', {
      'package.json': '{ "exports": { ".": "./main.mjs" } }',
      'main.mjs': '',
    })
    const resolver = ResolverFactory.createResolver({
      fileSystem: new CachedInputFileSystem(asNodeFs(overlay), 4000),
      extensions: ['.js'],
      conditionNames: ['import'],
    })
    const resolve = (request: string): Promise<string | false | undefined> =>
      new Promise((done, fail) => {
        resolver.resolve({}, '/app', request, {}, (error, found) => (error === null ? done(found) : fail(error)))
      })
    expect(await resolve('old')).to.equal('/app/node_modules/old/lib/x.js')
    expect(await resolve('new')).to.equal('/app/node_modules/new/main.mjs')
    expect(await resolve('linked')).to.equal('/shared/index.js')
    const refused = await resolve('./none').catch((error: Error) => error.message)
    expect(refused).to.include("Can't resolve './none' in '/app'")
  })

  it('glob walks what is merged', async () => {
    const { overlay } = overlayOver({
      'a/one.ts': '',
      'a/two.ts': '',
      'b/three.ts': '',
      'c.js': '',
      l: { target: 'b' },
    })
    overlay.unlink('/a/one.ts')
    overlay.mkdir('/b/deep', 0o755)
    overlay.writeFile('/b/deep/four.ts', '')
    const fs = asNodeFs(overlay) as unknown as typeof nodeFs
    const found = await glob('**/*.ts', { cwd: '/', fs })
    expect(found.toSorted((a, b) => (a < b ? -1 : 1))).to.deep.equal(['/a/two.ts', '/b/deep/four.ts', '/b/three.ts'])
  })
})
