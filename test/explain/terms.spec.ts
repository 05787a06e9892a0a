import { expect } from 'chai'
import { errorCodes } from '../../src/errors/index.ts'
import { codeRules, findTerm, rulesBehind, terms } from '../../src/explain/index.ts'
import { optionNames, overlayRules } from '../../src/overlay/index.ts'

describe('terms', () => {
  for (const term of terms)
    describe(String(term.names[0]), () => {
      it('rests on rules and says something in full sentences', () => {
        expect(rulesBehind(term)).to.have.length.above(0)
        for (const rule of rulesBehind(term)) expect(overlayRules).to.have.property(String(rule))
        expect(term.title).to.match(/^\S.*[^.]$/)
        expect(term.meaning).to.match(/^\S.*\.$/)
      })

      it('is found by each of its names, and sends to words that exist', () => {
        for (const name of term.names) expect(findTerm(name.toUpperCase())?.names[0], name).to.equal(term.names[0])
        for (const word of term.seeAlso) expect(findTerm(word), word).not.to.equal(null)
      })
    })

  it('explain every option of overlayfs', () => {
    expect(optionNames.filter(name => findTerm(name) === null)).to.deep.equal([])
  })

  it('explain every code of a refused mount', () => {
    const codes = Object.keys(errorCodes).filter(code => code.startsWith('OVL_'))
    // About the machine and the way it is used; overlayfs has no rule for them.
    const without = [
      'OVL_MOUNT_POINT_NOT_FOUND',
      'OVL_LAYER_UNREACHABLE',
      'OVL_LAYER_UNBINDABLE',
      'OVL_CASEFOLD_MIXED',
      'OVL_BUSY',
      'OVL_NOT_AN_OVERLAY',
      'OVL_ALREADY_MOUNTED',
    ]
    expect(codes.filter(code => !Object.hasOwn(codeRules, code)).toSorted()).to.deep.equal(without.toSorted())
  })

  it('take an option with its value and a whiteout with its name', () => {
    expect(findTerm('metacopy=on')?.names[0]).to.equal('metacopy')
    expect(findTerm('.wh.passwd')?.names[0]).to.equal('.wh.')
    expect(findTerm('.wh..wh..opq')?.names[0]).to.equal('.wh..wh..opq')
    expect(findTerm('nonsense')).to.equal(null)
  })
})
