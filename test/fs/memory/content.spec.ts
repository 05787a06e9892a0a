import { expect } from 'chai'
import fc from 'fast-check'
import { FileContent, pageSizeBytes } from '../../../src/fs/memory/content.ts'

const spaceBytes = 12 * pageSizeBytes

type Step =
  | { readonly op: 'write'; readonly position: number; readonly lengthBytes: number; readonly value: number }
  | { readonly op: 'free' | 'reserve'; readonly position: number; readonly lengthBytes: number }
  | { readonly op: 'cut'; readonly position: number }

// Positions near the borders of pages are where mistakes are.
const position = fc.oneof(
  fc.nat(spaceBytes - 1),
  fc
    .tuple(fc.nat(11), fc.integer({ min: -2, max: 2 }))
    .map(([page, near]) => Math.max(0, Math.min(spaceBytes - 1, page * pageSizeBytes + near))),
)
const lengthBytes = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5 * pageSizeBytes }))
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('write' as const),
      position,
      lengthBytes,
      value: fc.integer({ min: 1, max: 255 }),
    }),
  },
  fc.record({ op: fc.constantFrom('free' as const, 'reserve' as const), position, lengthBytes }),
  fc.record({ op: fc.constant('cut' as const), position }),
)

/** The same steps on one flat array and one state per page. */
class FlatModel {
  readonly bytes = new Uint8Array(spaceBytes)
  readonly pages: ('hole' | 'reserved' | 'data')[] = Array.from({ length: spaceBytes / pageSizeBytes }, () => 'hole')

  apply(step: Step): void {
    const end = step.op === 'cut' ? spaceBytes : Math.min(spaceBytes, step.position + step.lengthBytes)
    for (let at = step.position; at < end; at++)
      this.bytes[at] = step.op === 'write' ? step.value : this.#rest(step, at)
    for (let page = 0; page < this.pages.length; page++) this.#applyToPage(step, page, end)
  }

  #rest(step: Step, at: number): number {
    return step.op === 'reserve' ? (this.bytes[at] as number) : 0
  }

  #applyToPage(step: Step, page: number, end: number): void {
    const start = page * pageSizeBytes
    const touched = step.position < start + pageSizeBytes && end > start
    const covered = step.position <= start && end >= start + pageSizeBytes
    if (step.op === 'write' && touched) this.pages[page] = 'data'
    if (step.op === 'reserve' && touched) this.pages[page] = this.pages[page] === 'hole' ? 'reserved' : 'data'
    if ((step.op === 'free' || step.op === 'cut') && covered) this.pages[page] = 'hole'
  }

  next(from: number, wanted: boolean): number {
    for (let at = from; at < spaceBytes; at = (Math.floor(at / pageSizeBytes) + 1) * pageSizeBytes) {
      if ((this.pages[Math.floor(at / pageSizeBytes)] === 'data') === wanted) return at
    }
    return wanted ? Infinity : spaceBytes
  }
}

function applyToContent(content: FileContent, step: Step): void {
  const end = step.op === 'cut' ? Infinity : Math.min(spaceBytes, step.position + step.lengthBytes)
  if (step.op === 'write') content.write(new Uint8Array(end - step.position).fill(step.value), step.position)
  else if (step.op === 'reserve') content.reserve(step.position, end)
  else content.free(step.position, end)
}

describe('FileContent', () => {
  it('holds what a flat array holds, and knows its pages, data and holes', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 25 }), fc.array(position, { maxLength: 6 }), (steps, places) => {
        const content = new FileContent()
        const model = new FlatModel()
        for (const one of steps) {
          applyToContent(content, one)
          model.apply(one)
        }
        const all = new Uint8Array(spaceBytes).fill(7)
        content.read(all, 0, spaceBytes)
        expect(Buffer.compare(all, model.bytes)).to.equal(0)
        expect(content.pages).to.equal(model.pages.filter(state => state !== 'hole').length)
        for (const place of places) {
          expect(content.nextData(place), `data from ${place}`).to.equal(model.next(place, true))
          expect(content.nextHole(place), `hole from ${place}`).to.equal(model.next(place, false))
          const part = new Uint8Array(600).fill(9)
          const length = Math.min(600, spaceBytes - place)
          content.read(part, place, length)
          expect(Buffer.compare(part.subarray(0, length), model.bytes.subarray(place, place + length))).to.equal(0)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('fits into the pages that are left', () => {
    fc.assert(
      fc.property(
        fc.array(anyStep, { maxLength: 8 }),
        position,
        lengthBytes,
        fc.nat(6),
        (steps, place, length, pages) => {
          const content = new FileContent()
          for (const one of steps) applyToContent(content, one)
          const fitting = content.fitting(place, length, pages)
          const before = content.pages
          content.write(new Uint8Array(fitting), place)
          expect(content.pages - before).to.be.at.most(pages)
          if (fitting === length) return
          content.write(new Uint8Array(fitting + 1), place)
          expect(content.pages - before).to.equal(pages + 1)
        },
      ),
    )
  })

  it('spends nothing on holes', () => {
    const content = new FileContent()
    const far = 64 * 2 ** 30
    content.write(Uint8Array.of(1), far)
    expect(content.pages).to.equal(1)
    expect(content.nextData(0)).to.equal(far)
    content.reserve(0, far)
    expect(content.pages).to.equal(far / pageSizeBytes + 1)
    expect(content.nextData(0), 'reserved pages are holes').to.equal(far)
  })

  it('keeps long contents in pieces that are grown without copying all of it', () => {
    const content = new FileContent()
    const block = new Uint8Array(1 << 20)
    for (let index = 0; index < 40; index++) content.write(block.fill(index + 1), index << 20)
    expect(content.pages).to.equal(40 * 256)
    const read = new Uint8Array(2)
    for (const index of [0, 15, 16, 31, 32, 39]) {
      content.read(read, ((index + 1) << 20) - 1, index === 39 ? 1 : 2)
      expect([...read].slice(0, index === 39 ? 1 : 2)).to.deep.equal(index === 39 ? [40] : [index + 1, index + 2])
    }
  })
})
