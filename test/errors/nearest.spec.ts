import { expect } from 'chai'
import { nearest } from '../../src/errors/nearest.ts'

describe('nearest()', () => {
  const words = ['unpack', 'inspect', 'layers', 'ls', 'cat', 'verify', 'help', 'history']
  const table: [string, string | undefined][] = [
    ['unpak', 'unpack'],
    ['upnack', 'unpack'],
    ['insepct', 'inspect'],
    ['layer', 'layers'],
    ['lss', 'ls'],
    ['vrefiy', 'verify'],
    ['', undefined],
    ['completely-different', undefined],
  ]
  for (const [word, want] of table) {
    it(`takes ${JSON.stringify(word)} for ${want ?? 'nothing'}`, () => expect(nearest(word, words)).to.equal(want))
  }
})
