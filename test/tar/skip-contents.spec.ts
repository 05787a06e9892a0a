import { expect } from 'chai'
import { TarReader } from '../../src/tar/index.ts'
import { makeTar } from '../support/make-tar.ts'

describe('TarReader.skipContents()', () => {
  it('lets a caller that can seek leave contents and padding out', () => {
    const long = 'n'.repeat(150)
    const archive = makeTar([
      { type: 'file', name: 'empty', content: '' },
      { type: 'file', name: 'small', content: 'abc' },
      { type: 'file', name: long, content: 'x'.repeat(5000), pax: { comment: 'kept' } },
      { type: 'dir', name: 'd/' },
      { type: 'file', name: 'exact', content: 'y'.repeat(512) },
    ])
    const seen: (readonly [string, number])[] = []
    const ended: string[] = []
    let data = 0
    const reader = new TarReader({
      entry: ({ name, offset }) => void seen.push([name, offset]),
      data: (_chunk, start, end) => void (data += end - start),
      end: ({ name }) => void ended.push(name),
    })
    let pushed = 0
    for (let at = 0; at < archive.length && !reader.ended; ) {
      reader.push(archive, at, at + 512)
      pushed += 512
      at += 512 + reader.skipContents()
      expect(reader.position).to.equal(at)
    }
    reader.finish()
    expect(seen.map(([name]) => name)).to.deep.equal(['empty', 'small', long, 'd/', 'exact'])
    expect(ended).to.deep.equal(seen.map(([name]) => name))
    expect(data).to.equal(0)
    expect(pushed).to.be.lessThan(archive.length - 5000)
    const [, small] = seen
    expect(Buffer.from(archive.subarray(small?.[1], (small?.[1] ?? 0) + 3)).toString()).to.equal('abc')
  })

  it('leaves nothing out between entries', () => {
    const reader = new TarReader({ entry() {}, data() {}, end() {} })
    expect(reader.skipContents()).to.equal(0)
  })
})
