// Every finding provoked on real directories. Where a finding says what the kernel does, a real overlay says it too; and
// what --fix does leaves what that overlay shows as it was.

import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { constants } from 'node:os'
import { examineOverlay, type OverlayReport } from '../../src/commands/doctor-overlay.ts'
import { OvlError } from '../../src/errors/index.ts'
import { loadSystem, MNT_DETACH } from '../../src/host/index.ts'
import { type FindingCode, findingCodes } from '../../src/overlay/index.ts'
import { LayerMaker } from '../support/layer-maker.ts'
import { needsOverlayMounts, Stage } from '../support/overlay-stage.ts'
import { type Row, rows, type Sight } from './overlay-rows.ts'

describe('ovl doctor --overlay', () => {
  let stage: Stage

  before(needsOverlayMounts)
  beforeEach(() => {
    stage = new Stage()
  })
  afterEach(() => stage.remove())

  for (const row of rows) {
    it(row.name, async () => {
      row.prepare(new LayerMaker(stage, row.userxattr ?? false))
      const before = dump(stage)
      const report = await examine(stage, row)
      expect(tell(report)).to.deep.equal(row.findings.toSorted())
      expect(dump(stage), 'looking changes nothing').to.equal(before)
      const bad = report.findings.filter(({ severity }) => severity !== 'note')
      expect(report.ok).to.equal(bad.length === 0)
      // The kernel writes origins while it looks, so it looks at a copy of the stage.
      expect(sights(stage, row, row.shows)).to.deep.equal(row.shows ?? {})
    })

    it(`${row.name}: mended`, async () => {
      row.prepare(new LayerMaker(stage, row.userxattr ?? false))
      const planned = await examine(stage, row, { fix: 'lower', dryRun: true })
      const untouched = dump(stage)
      const report = await examine(stage, row, { fix: 'lower' })
      const mended = tell({ ...report, findings: report.findings.filter(({ mend }) => mend?.state === 'done') })
      if (row.mended !== undefined) expect(mended).to.deep.equal(row.mended.toSorted())
      expect(report.findings.filter(({ mend }) => mend?.state === 'failed')).to.deep.equal([])
      expect(planned.findings.filter(({ mend }) => mend?.state === 'would be done')).to.have.length(mended.length)
      if (mended.length === 0) expect(dump(stage)).to.equal(untouched)
      const again = await examine(stage, row)
      expect(tell(again)).to.deep.equal(tell(report).filter(line => !mended.includes(line)))
      expect(sights(stage, row, row.showsMended ?? row.shows)).to.deep.equal(row.showsMended ?? row.shows ?? {})
    })
  }

  it('mends lower layers only when told to', async () => {
    new LayerMaker(stage, false).whiteout('u/a').whiteout('l1/b')
    const report = await examine(stage, {}, { fix: 'upper' })
    expect(report.findings.map(({ path, mend }) => [path, mend?.state])).to.deep.equal([
      ['a', 'done'],
      ['b', 'possible'],
    ])
    expect(report.ok).to.equal(false)
    expect(fs.readdirSync(stage.at('l1'))).to.deep.equal(['b'])
  })

  it('keeps the times of directories whose whiteouts it removes', async () => {
    new LayerMaker(stage, false).directory('u/d').whiteout('u/d/w')
    loadSystem()?.lutimens(stage.at('u', 'd'), -5, 123_456_789)
    await examine(stage, {}, { fix: 'upper' })
    expect(fs.readdirSync(stage.at('u', 'd'))).to.deep.equal([])
    expect(fs.statSync(stage.at('u', 'd'), { bigint: true }).mtimeNs).to.equal(-4_876_543_211n)
  })

  it('mends nothing while the overlay is mounted', async () => {
    new LayerMaker(stage, false).whiteout('u/a')
    const system = loadSystem()
    system?.mount('overlay', stage.at('m'), { source: 'overlay', flags: 0, options: stage.options() })
    const report = await examine(stage, {})
    expect(report.mountedOn).to.equal(stage.at('m'))
    const error = await examine(stage, {}, { fix: 'upper' }).catch((each: unknown) => each)
    expect(error).to.be.instanceOf(OvlError).and.to.include({ code: 'OVL_IN_USE' })
    system?.umount2(stage.at('m'), MNT_DETACH)
    expect(fs.readdirSync(stage.at('u'))).to.deep.equal(['a'])
  })

  it('finds an origin whose file is gone, and empties it', async () => {
    new LayerMaker(stage, false).file('l1/a').file('l1/b')
    changeThrough(stage, '', m => fs.chmodSync(`${m}/a`, 0o600))
    expect(tell(await examine(stage, {}))).to.deep.equal([])
    fs.rmSync(stage.at('l1', 'a'))
    const report = await examine(stage, {}, { fix: 'upper' })
    expect(tell(report)).to.deep.equal(['ORIGIN_STALE u/a'])
    expect(report.ok).to.equal(true)
    expect(loadSystem()?.lgetxattr(stage.at('u', 'a'), 'trusted.overlay.origin')).to.have.length(0)
    expect(tell(await examine(stage, {}))).to.deep.equal([])
  })

  it('what overlayfs itself leaves is not wrong', async () => {
    const make = new LayerMaker(stage, false)
    make.file('l1/a').file('l1/d/f').file('l1/e/f').file('l1/linked')
    fs.linkSync(stage.at('l1', 'linked'), stage.at('l1', 'linked2'))
    changeThrough(stage, 'redirect_dir=on,index=on', m => {
      fs.rmSync(`${m}/a`)
      fs.rmSync(`${m}/d`, { recursive: true })
      fs.mkdirSync(`${m}/d`)
      fs.renameSync(`${m}/e`, `${m}/e2`)
      fs.mkdirSync(`${m}/new`)
      fs.appendFileSync(`${m}/linked`, 'x')
    })
    const report = await examine(stage, {})
    expect(report.findings.filter(({ severity }) => severity !== 'note')).to.deep.equal([])
    expect(report.ok).to.equal(true)
  })

  describe('the workdir', () => {
    it('left over by a volatile mount of this run of the machine: synced and removed', async () => {
      changeThrough(stage, 'volatile', m => fs.writeFileSync(`${m}/f`, ''))
      expect(stage.kernelVerdict(stage.options())).to.equal('EINVAL')
      expect(tell(await examine(stage, {}))).to.deep.equal(['WORK_VOLATILE w/work/incompat/volatile'])
      const report = await examine(stage, {}, { fix: 'upper' })
      expect([tell(report), report.ok]).to.deep.equal([['WORK_VOLATILE w/work/incompat/volatile'], true])
      expect(stage.kernelVerdict(stage.options())).to.equal('ok')
    })

    const deep: readonly (readonly [path: string, isDeep: boolean])[] = [
      ['#1', false],
      ['a/b', false],
      ['a/b/c', true],
      ['a/b/c/d', true],
    ]
    for (const [path, isDeep] of deep) {
      it(`leftovers as deep as ${path}: ${isDeep ? 'too deep for the kernel' : 'the kernel removes them'}`, async () => {
        stage.make('w', 'work', ...path.split('/'))
        const code = isDeep ? 'WORK_LEFTOVER_DEEP' : 'WORK_LEFTOVER'
        const report = await examine(stage, {})
        expect(tell(report)).to.deep.equal([`${code} w/work/${path.split('/')[0]}`])
        expect(report.ok).to.equal(!isDeep)
        expect(writable(stage)).to.equal(!isDeep)
        fs.rmSync(stage.at('w', 'work'), { recursive: true })
        stage.make('w', 'work', ...path.split('/'))
        expect((await examine(stage, {}, { fix: 'upper' })).ok).to.equal(true)
        expect(fs.readdirSync(stage.at('w', 'work'))).to.deep.equal([])
        expect(writable(stage)).to.equal(true)
      })
    }

    it('a file as deep as the deepest that the kernel removes', async () => {
      stage.make('w', 'work', 'a', 'b')
      fs.writeFileSync(stage.at('w', 'work', 'a', 'b', 'f'), '')
      const [finding] = (await examine(stage, {})).findings
      expect(finding?.code === 'WORK_LEFTOVER').to.equal(writable(stage))
    })

    it('with files of somebody else', async () => {
      fs.writeFileSync(stage.at('w', 'notes.txt'), '')
      const report = await examine(stage, {}, { fix: 'lower' })
      expect([tell(report), report.ok]).to.deep.equal([['WORK_FOREIGN w/'], true])
      expect(fs.readdirSync(stage.at('w'))).to.deep.equal(['notes.txt'])
    })

    it('with an index over other lower layers, or of another upperdir', async () => {
      new LayerMaker(stage, false).file('l1/a')
      changeThrough(stage, 'index=on', () => undefined)
      expect(tell(await examine(stage, {}))).to.deep.equal([])
      expect(tell(await examine(stage, {}, { lower: ['l2', 'l1'] }))).to.deep.equal(['INDEX_FOREIGN w/index'])
      expect(stage.kernelVerdict(stage.fill('lowerdir=$l2:$l1,upperdir=$u,workdir=$w,index=on'))).to.equal('ESTALE')
      stage.make('u2')
      expect(tell(await examine(stage, {}, { upper: 'u2' }))).to.deep.equal(['INDEX_FOREIGN w/index'])
      expect(stage.kernelVerdict(stage.fill('lowerdir=$l1,upperdir=$u2,workdir=$w,index=on'))).to.equal('ESTALE')
    })

    it('with entries of the index that are stale or malformed', async () => {
      new LayerMaker(stage, false).file('l1/a')
      fs.linkSync(stage.at('l1', 'a'), stage.at('l1', 'b'))
      changeThrough(stage, 'index=on', m => fs.appendFileSync(`${m}/a`, 'x'))
      const [entry = ''] = fs.readdirSync(stage.at('w', 'index'))
      fs.writeFileSync(stage.at('w', 'index', 'cafe'), '')
      expect(tell(await examine(stage, {}))).to.deep.equal(['INDEX_ENTRY_INVALID w/index/cafe'])
      fs.rmSync(stage.at('w', 'index', 'cafe'))
      loadSystem()?.lsetxattr(stage.at('w', 'index', entry), 'trusted.overlay.nlink', Buffer.from('many'))
      expect(tell(await examine(stage, {}))).to.deep.equal([`INDEX_ENTRY_INVALID w/index/${entry}`])
      loadSystem()?.lsetxattr(stage.at('w', 'index', entry), 'trusted.overlay.nlink', Buffer.from('U+1'))
      fs.rmSync(stage.at('l1', 'a'))
      fs.rmSync(stage.at('l1', 'b'))
      expect(tell(await examine(stage, {}))).to.include(`INDEX_ENTRY_STALE w/index/${entry}`)
    })
  })

  it('says what the kernel would refuse', async () => {
    stage.make('u', 'inner')
    const report = await examine(stage, {}, { work: 'u/inner' })
    expect(tell(report)).to.deep.equal(['MOUNT_REFUSED '])
    expect(report.findings[0]?.fact).to.match(/OVL_WORKDIR_NESTED/)
    expect(report.ok).to.equal(false)
  })

  it('finds data in data-only layers, by absolute redirects', async () => {
    const make = new LayerMaker(stage, false)
    make.file('l2/blobs/x').file('l1/a', { metacopy: '', redirect: '/blobs/x' })
    make.file('l1/b', { metacopy: '', redirect: '/blobs/y' }).file('l1/c', { metacopy: '' })
    const report = await examine(stage, {}, { lower: ['l1', '', 'l2'] })
    expect(tell(report)).to.deep.equal(['METACOPY_NO_DATA l1/b', 'METACOPY_NO_DATA l1/c', 'METACOPY_OFF l1/a'])
    const options = stage.fill('lowerdir=$l1::$l2,upperdir=$u,workdir=$w,metacopy=on')
    const seen = look(stage, options, { a: '', b: '', c: '' })
    expect(seen).to.deep.equal({ a: 'l2/blobs/x', b: 'ENOENT', c: 'EIO' })
  })

  it('takes names of any bytes', async () => {
    const name = 'caf\udce9 : , \\'
    new LayerMaker(stage, false).whiteout(`u/${name}`)
    const report = await examine(stage, {}, { fix: 'upper' })
    expect(report.findings.map(({ path, mend }) => [path, mend?.state])).to.deep.equal([[name, 'done']])
    expect(fs.readdirSync(stage.at('u'))).to.deep.equal([])
  })

  describe('all in all', () => {
    it('every code was provoked here, but for what only ordinary users meet', () => {
      expect(Object.keys(findingCodes).filter(code => !provoked.has(code))).to.deep.equal(['NOT_CHECKED'])
    })
  })
})

/** Codes of all findings of this file. */
const provoked = new Set<string>()

type Change = {
  readonly fix?: 'no' | 'upper' | 'lower'
  readonly dryRun?: boolean
  readonly lower?: readonly string[]
  readonly upper?: string
  readonly work?: string
}

function examine(
  stage: Stage,
  { userxattr = false }: Pick<Row, 'userxattr'>,
  change: Change = {},
): Promise<OverlayReport> {
  const { fix = 'no', dryRun = false, lower = ['l1', 'l2', 'l3'], upper = 'u', work = 'w' } = change
  const used = lower.map(name => (name === '' ? '' : stage.at(name)))
  return examineOverlay({
    upper: stage.at(upper),
    lower: used,
    work: stage.at(...work.split('/')),
    userxattr,
    fix,
    dryRun,
  })
}

function tell({ findings }: OverlayReport): string[] {
  for (const { code } of findings) provoked.add(code)
  return findings
    .map(({ code, directory, path }: { code: FindingCode; directory: string | null; path: string }) =>
      directory === null ? `${code} ` : `${code} ${directory.split('/').at(-1)}/${path}`,
    )
    .toSorted()
}

/** What the kernel shows of the paths, with the layers in copies: looking at an overlay writes to it. */
function sights(stage: Stage, row: Row, paths: Row['shows'] = {}): { readonly [path: string]: Sight } {
  const copy = stage.at('copy')
  fs.rmSync(copy, { recursive: true, force: true })
  fs.mkdirSync(copy)
  for (const name of ['l1', 'l2', 'l3', 'u', 'w']) execFileSync('cp', ['-a', stage.at(name), copy])
  const more = [row.mountOptions, row.userxattr === true ? 'userxattr' : undefined].filter(each => each !== undefined)
  const layers = ['l1', 'l2', 'l3'].map(name => `${copy}/${name}`).join(':')
  return look(stage, [`lowerdir=${layers},upperdir=${copy}/u,workdir=${copy}/w`, ...more].join(','), paths)
}

function look(
  stage: Stage,
  options: string,
  paths: { readonly [path: string]: Sight },
): { readonly [path: string]: Sight } {
  const system = loadSystem()
  system?.mount('overlay', stage.at('m'), { source: 'overlay', flags: 0, options })
  try {
    return Object.fromEntries(Object.keys(paths).map(path => [path, see(stage.at('m', path))]))
  } finally {
    system?.umount2(stage.at('m'), MNT_DETACH)
  }
}

function see(path: string): Sight {
  try {
    return fs.statSync(path).isDirectory() ? fs.readdirSync(path).toSorted() : fs.readFileSync(path, 'utf8')
  } catch (error) {
    const { code = 'no code', errno } = error as NodeJS.ErrnoException
    return errno === -constants.errno.ESTALE ? 'ESTALE' : code
  }
}

function changeThrough(stage: Stage, more: string, change: (merged: string) => void): void {
  const options = `${stage.fill('lowerdir=$l1:$l2:$l3,upperdir=$u,workdir=$w')}${more === '' ? '' : `,${more}`}`
  const system = loadSystem()
  system?.mount('overlay', stage.at('m'), { source: 'overlay', flags: 0, options })
  change(stage.at('m'))
  system?.umount2(stage.at('m'), 0)
}

/** Whether a mount of the stage can be written to. */
function writable(stage: Stage): boolean {
  let result = false
  changeThrough(stage, '', m => {
    try {
      fs.rmdirSync(fs.mkdtempSync(`${m}/t`))
      result = true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EROFS') throw error
    }
  })
  return result
}

/** All files with their attributes and times. */
function dump(stage: Stage): string {
  const listing = execFileSync('find', ['.', '-printf', '%p %y %m %s %T@ %C@\\n'], { cwd: stage.directory })
  const attributes = execFileSync('getfattr', ['-R', '-h', '-d', '-m', '-', '.'], { cwd: stage.directory })
  return `${listing.toString()}${attributes.toString()}`
}
