import { expect } from 'chai'
import { createStyle } from '../../src/cli/style.ts'
import { displayWidth, renderTable } from '../../src/cli/table.ts'

describe('renderTable()', () => {
  it('makes columns as wide as their widest cell and leaves nothing behind the last one', () => {
    const lines = renderTable(
      [{ title: '#', align: 'right' }, { title: 'NAME' }, {}],
      [
        ['1', 'a', 'x'],
        ['10', 'long', ''],
      ],
    )
    expect(lines).to.deep.equal([' #  NAME', ' 1  a     x', '10  long'])
  })

  it('prints no head when no column has a title', () => {
    expect(renderTable([{}, {}], [['a', 'b']])).to.deep.equal(['a  b'])
  })

  it('does not count colour, nor combining marks, and wide characters twice', () => {
    const red = createStyle('always', {}, {})
    expect(displayWidth(red('bad', 'abc'))).to.equal(3)
    expect(displayWidth('e\u0301')).to.equal(1)
    expect(displayWidth('日本')).to.equal(4)
    expect(displayWidth('😀')).to.equal(2)
  })
})
