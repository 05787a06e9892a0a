// What people ask about overlays (and get wrong), answered by `ovl explain`: the words of the question, and what the
// answer must say. The answers were measured on Linux 6.18.

import { expect } from 'chai'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadSystem } from '../../src/host/index.ts'
import { ovl } from '../support/cli.ts'
import { isRoot, skipUnless } from '../support/probe.ts'
import { sampleImage } from '../support/sample-image.ts'

const questions: readonly { readonly ask: string; readonly word: string; readonly says: readonly RegExp[] }[] = [
  { ask: 'chown is metadata and costs nothing', word: 'metacopy', says: [/copies the whole file/, /rule 106/] },
  { ask: 'what is workdir for', word: 'workdir', says: [/moved from here to the upperdir by rename/, /rule 26/] },
  { ask: 'which lowerdir is on top', word: 'lowerdir', says: [/leftmost is on top/] },
  {
    ask: 'a whiteout is a .wh. file',
    word: 'whiteout',
    says: [/character device 0:0/, /rule 54/, /overlay\.whiteout/],
  },
  { ask: 'a .wh.x file made in a mount hides x', word: '.wh.x', says: [/ordinary/, /rule 67/] },
  { ask: 'what does opaque mean', word: 'opaque', says: [/rule 57/, /rule 118/, /rule 132/] },
  {
    ask: '.wh..wh..opq is a prefix match',
    word: '.wh..wh..opq',
    says: [/Exactly this name/, /same layer are not touched/],
  },
  {
    ask: 'opaque is always trusted.',
    word: 'userxattr',
    says: [/user\.overlay\./, /shows hidden files again|hidden files again/],
  },
  { ask: 'rename of a directory always works', word: 'EXDEV', says: [/unless redirect_dir=on/, /rule 131/] },
  { ask: 'rename of a directory, by the option', word: 'redirect_dir', says: [/EXDEV/, /rule 133/] },
  { ask: 'O_RDWR without writing does nothing', word: 'copy-up', says: [/even if nothing is written/, /rule 93/] },
  { ask: 'an old descriptor shows old data', word: 'copy-up', says: [/reads the new content/, /rule 109/] },
  { ask: 'the inode changes after copy-up', word: 'inode', says: [/does not change by copy-up/, /rule 85/] },
  { ask: 'hard links survive', word: 'index', says: [/other names keep the old content/, /rule 103/] },
  { ask: 'lower may be edited while mounted', word: 'lowerdir', says: [/undefined/, /rule 78/] },
  { ask: 'overlay on overlay works', word: 'nesting', says: [/Never as upperdir/, /rule 36/] },
  { ask: 'unlimited layers', word: 'OVL_TOO_MANY_LAYERS', says: [/500/] },
  { ask: 'options longer than a page', word: 'ENOENT', says: [/4095 bytes/, /rule 40/] },
  { ask: 'diff lists directories that nobody touched', word: 'copy-up', says: [/parents are copied/] },
  { ask: 'merged eats the disk', word: 'merged', says: [/no space of its own/] },
  { ask: 'upper can be copied with cp', word: 'upperdir', says: [/extended attributes/, /tar need/] },
  { ask: 'upper with another lower', word: 'ESTALE', says: [/index=on/, /rule 35/] },
  { ask: 'attributes of merged directories are mixed', word: 'merged', says: [/topmost/, /rule 68/] },
  {
    ask: 'special device overlay does not exist',
    word: 'special device overlay does not exist',
    says: [/layer is not there/, /colon/, /rule 28/],
  },
  { ask: 'unprivileged users cannot', word: 'user namespace', says: [/may mount overlays/, /rule 153/] },
  {
    ask: 'Native Overlay Diff: false',
    word: 'Native Overlay Diff',
    says: [/redirect_dir or metacopy/, /rule 133/, /rule 106/],
  },
  { ask: 'running programs can be written', word: 'ETXTBSY', says: [/rule 112/] },
]

describe('ovl explain', () => {
  for (const { ask, word, says } of questions)
    it(`${word}: "${ask}"`, async () => {
      const { stdout, status } = await ovl(['explain', '-v', word])
      expect(status).to.equal(0)
      const text = stdout.replaceAll(/\s+/g, ' ')
      for (const phrase of says) expect(text).to.match(phrase)
    })

  it('answers in JSON with rules and evidence', async () => {
    const { stdout } = await ovl(['explain', '--json', 'EXDEV'])
    const answer = JSON.parse(stdout) as { schema: string; name: string; rules: { number: number; checks: string[] }[] }
    expect(answer).to.include({ schema: 'ovl.explain/1', name: 'EXDEV' })
    expect(answer.rules.find(({ number }) => number === 131)?.checks).to.include('R15')
  })

  it('lists the words there are when it knows none', async () => {
    const { stderr, status } = await ovl(['explain', 'nonsense'])
    expect(status).to.equal(2)
    expect(stderr)
      .to.match(/no such word/)
      .and.match(/EXDEV/)
  })

  it('reads the marks of a file on disk', async function () {
    const system = loadSystem()
    skipUnless(this, system !== null, 'koffi is not installed', { optional: true })
    const directory = fs.mkdtempSync(join(tmpdir(), 'ovl-explain-'))
    try {
      fs.mkdirSync(join(directory, 'd'))
      system?.lsetxattr(join(directory, 'd'), 'user.overlay.opaque', Buffer.from('y'))
      const { stdout } = await ovl(['explain', join(directory, 'd')])
      expect(stdout)
        .to.match(/directory, user\.overlay\.opaque = "y"/)
        .and.match(/rule 57/)
      fs.writeFileSync(join(directory, 'plain'), 'x')
      expect((await ovl(['explain', join(directory, 'plain')])).stdout).to.match(/file without a mark/)
    } finally {
      fs.rmSync(directory, { recursive: true })
    }
  })
})

describe('ovl explain SOURCE PATH', () => {
  const image = 'fixtures/images/hello.docker.tar'

  it('says which layer of an image decides and what still ships', async () => {
    const { stdout, status } = await ovl(['explain', image, '/usr/share/doc/hello/copyright'])
    expect(status).to.equal(0)
    expect(stdout).to.match(/does not exist in .*hello\.docker\.tar/)
    expect(stdout).to.match(/layer 1 .*regular file 0644 0:0 39 B +hidden by \/usr\/share\/doc\/hello of layer 3/)
    expect(stdout).to.match(/The 39 B of layer 1 still ship\./)
  })

  it('tries operations', async () => {
    const { stdout } = await ovl(['explain', '--ops', image, '/var/lib/hello/state.txt'])
    expect(stdout).to.match(/open for writing, chmod, ln, chown, touch +-> copy up the directory \/var\/lib\/hello and/)
    expect(stdout).to.match(/whiteout at \/var\/lib\/hello\/state\.txt/)
  })

  it('answers --exists by its exit status', async () => {
    const [there, gone] = await Promise.all(
      ['/etc/passwd', '/etc/nothing'].map(path => ovl(['explain', '-q', '--exists', image, path])),
    )
    expect([there?.status, there?.stdout, gone?.status, gone?.stdout]).to.deep.equal([0, '', 1, ''])
  })

  it('looks into given directories', async () => {
    const directory = fs.mkdtempSync(join(tmpdir(), 'ovl-explain-'))
    try {
      for (const name of ['l/d', 'u/d']) fs.mkdirSync(join(directory, name), { recursive: true })
      fs.writeFileSync(join(directory, 'l/d/f'), 'x')
      const layers = ['--lower', join(directory, 'l'), '--upper', join(directory, 'u')]
      const { stdout, status } = await ovl(['explain', '--json', ...layers, 'd/f'])
      expect(status).to.equal(0)
      const answer = JSON.parse(stdout) as { exists: boolean; layers: { label: string; decides: boolean }[] }
      expect(answer.exists).to.equal(true)
      expect(answer.layers.find(({ decides }) => decides)?.label).to.equal(join(directory, 'l'))
    } finally {
      fs.rmSync(directory, { recursive: true })
    }
  })
})

describe('ovl explain of a bundle whose copy was changed', () => {
  let cwd = ''
  before(() => {
    cwd = fs.mkdtempSync(join(tmpdir(), 'ovl-explain-copy-'))
  })
  after(() => fs.rmSync(cwd, { recursive: true, force: true }))

  it('says that the copy is another, and nothing where it is not', async () => {
    await ovl(['unpack', '-q', ...(isRoot() ? [] : ['--rootless']), sampleImage('hello.oci.tar'), 'b'], { cwd })
    const explain = (path: string) => ovl(['explain', 'b', path], { cwd })
    expect((await explain('/etc/os-release')).stderr).to.equal('')
    fs.writeFileSync(join(cwd, 'b/merged/new'), 'new')
    fs.rmSync(join(cwd, 'b/merged/etc/os-release'))
    for (const path of ['/new', '/etc/os-release'])
      expect((await explain(path)).stderr).to.include(`"${path}" is another in the copy "b/merged"`)
    expect((await explain('/etc')).stderr).to.equal('')
    await ovl(['diff', '--save', 'b'], { cwd })
    const { stdout, stderr } = await explain('/new')
    expect([stderr, stdout.includes('from upper')], stdout).to.deep.equal(['', true])
  })
})
