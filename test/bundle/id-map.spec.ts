import { expect } from 'chai'
import fc from 'fast-check'
import { parseIdMapping, toContainerID, toHostID, userNamespace } from '../../src/bundle/index.ts'
import { OvlError } from '../../src/errors/index.ts'

const none = { rootless: false, uidMap: [], gidMap: [], euid: 1000, egid: 100 }

describe('userNamespace()', () => {
  it('is not asked for by default', () => expect(userNamespace(none)).to.equal(null))

  it('makes the caller root of the container with --rootless', () => {
    expect(userNamespace({ ...none, rootless: true })).to.deep.equal({
      uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
      gidMappings: [{ containerID: 0, hostID: 100, size: 1 }],
      rootless: true,
    })
  })

  it('takes the maps that are given, and the caller where none is', () => {
    expect(userNamespace({ ...none, uidMap: ['0:1000', '1:100000:65536'] })).to.deep.equal({
      uidMappings: [
        { containerID: 0, hostID: 1000, size: 1 },
        { containerID: 1, hostID: 100_000, size: 65_536 },
      ],
      gidMappings: [{ containerID: 0, hostID: 100, size: 1 }],
      rootless: false,
    })
  })

  const refused: readonly [readonly string[], string][] = [
    [[''], 'Cannot use --uid-map: "" is not CONTAINER:HOST[:SIZE]'],
    [['0'], 'Cannot use --uid-map: "0" is not CONTAINER:HOST[:SIZE]'],
    [['0:1:2:3'], 'Cannot use --uid-map: "0:1:2:3" is not CONTAINER:HOST[:SIZE]'],
    [['0:-1'], 'Cannot use --uid-map: "0:-1" is not CONTAINER:HOST[:SIZE]'],
    [['0:1:'], 'Cannot use --uid-map: "0:1:" is not CONTAINER:HOST[:SIZE]'],
    [['0:1:0'], 'Cannot use --uid-map: "0:1:0" maps no ids'],
    [['0:4294967295'], 'Cannot use --uid-map: "0:4294967295" goes beyond the largest id'],
    [['1:100000:65536'], 'Cannot use --uid-map: it gives no id to root (0) of the container'],
    [['0:100:10', '5:200:10'], 'Cannot use --uid-map: 0:100:10 and 5:200:10 overlap'],
    [['0:100:10', '10:105:10'], 'Cannot use --uid-map: 0:100:10 and 10:105:10 overlap'],
  ]
  for (const [uidMap, message] of refused) {
    it(`refuses ${JSON.stringify(uidMap)}`, () => {
      expect(() => userNamespace({ ...none, uidMap }))
        .to.throw(OvlError, message)
        .with.property('code', 'USAGE')
    })
  }
})

describe('toHostID(), toContainerID()', () => {
  const mappings = [parseIdMapping('0:1000'), parseIdMapping('1:100000:100'), parseIdMapping('500:2000:5')]

  it('are inverse to each other', () => {
    fc.assert(
      fc.property(fc.nat(600), id => {
        const host = toHostID(mappings, id)
        const isMapped = id <= 100 || (id >= 500 && id < 505)
        expect(host === null).to.equal(!isMapped)
        if (host !== null) expect(toContainerID(mappings, host)).to.equal(id)
      }),
    )
  })

  it('say null for what is not mapped', () => {
    expect([toHostID(mappings, 505), toContainerID(mappings, 0)]).to.deep.equal([null, null])
  })
})
