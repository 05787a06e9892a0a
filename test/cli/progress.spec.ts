import { expect } from 'chai'
import { createProgress, type Task } from '../../src/cli/progress.ts'

const task = (key: string, doneBytes: number): Task => ({
  key,
  label: `${key}/2  72ce82e366f6`,
  doneBytes,
  totalBytes: 4096,
  json: { layer: Number(key) },
})

function record(
  mode: 'auto' | 'plain' | 'json' | 'none',
  options: { isTTY?: boolean; env?: Record<string, string> } = {},
) {
  const written: string[] = []
  const clock = { ms: 0 }
  const target = { isTTY: options.isTTY ?? false, columns: 80, write: (text: string) => written.push(text) }
  const progress = createProgress({ mode, target, env: options.env ?? {}, now: () => clock.ms })
  return { progress, clock, text: () => written.join('') }
}

describe('createProgress()', () => {
  it('prints one plain line per finished task where there is no terminal', () => {
    const { progress, text } = record('auto')
    progress.update(task('1', 10))
    progress.finish(task('1', 4096), 'layer 1 done')
    progress.stop()
    expect(text()).to.equal('layer 1 done\n')
  })

  it('prints plain lines on a terminal that cannot move its cursor', () => {
    const { progress, text } = record('auto', { isTTY: true, env: { TERM: 'dumb' } })
    progress.update(task('1', 10))
    progress.finish(task('1', 4096), 'layer 1 done')
    expect(text()).to.equal('layer 1 done\n')
  })

  it('prints nothing but messages when told to', () => {
    const { progress, text } = record('none', { isTTY: true })
    progress.update(task('1', 10))
    progress.finish(task('1', 4096), 'layer 1 done')
    progress.print('a warning')
    expect(text()).to.equal('a warning\n')
  })

  it('prints JSON objects, at most ten a second and always the last', () => {
    const { progress, clock, text } = record('json')
    for (let i = 0; i < 50; i++) {
      progress.update(task('1', i))
      clock.ms += 10
    }
    progress.finish(task('1', 4096), 'ignored')
    const lines = text()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).progress)
    expect(lines).to.have.length(6)
    expect(lines[0]).to.deep.equal({ layer: 1, doneBytes: 0, totalBytes: 4096, finished: false })
    expect(lines[5]).to.deep.equal({ layer: 1, doneBytes: 4096, totalBytes: 4096, finished: true })
  })

  it('draws one line per active task, at most ten times a second, and takes them away', () => {
    const { progress, clock, text } = record('auto', { isTTY: true })
    progress.update(task('1', 1024))
    progress.update(task('2', 0))
    clock.ms += 99
    progress.update(task('1', 2048))
    expect(text().match(/\n/g)).to.have.length(1)
    clock.ms += 1
    progress.update(task('1', 2048))
    expect(text()).to.contain('\x1b[1A\x1b[J  1/2  72ce82e366f6  [##########..........]  2.0 KiB / 4.0 KiB\n')
    expect(text()).to.contain('  2/2  72ce82e366f6  [....................]  0 B / 4.0 KiB\n')
    progress.finish(task('1', 4096), 'layer 1 done')
    progress.stop()
    expect(text().endsWith('\x1b[1A\x1b[J')).to.equal(true)
  })

  it('shows one task alone and takes it away without a line', () => {
    const { progress, clock, text } = record('auto', { isTTY: true })
    progress.showOnly(task('1', 1024))
    clock.ms += 100
    progress.showOnly(task('2', 1024))
    progress.stop()
    expect(text().match(/\n/g)).to.have.length(2)
    const [first, second, rest] = text().split('\x1b[1A\x1b[J')
    expect(first).to.match(/^ {2}1\/2 .*\n$/)
    expect(second).to.match(/^ {2}2\/2 .*\n$/)
    expect(rest).to.equal('')
    const plain = record('auto')
    plain.progress.showOnly(task('1', 1024))
    expect(plain.text()).to.equal('')
  })

  it('cuts lines that would wrap', () => {
    const { progress, text } = record('auto', { isTTY: true })
    progress.update({ ...task('1', 1024), label: 'x'.repeat(100) })
    expect(text()).to.have.length(80)
  })
})
