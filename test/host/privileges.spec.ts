import { spawnSync } from 'node:child_process'
import { expect } from 'chai'
import { effectiveCapabilities, isMappedId, parseIdMap, probePrivileges } from '../../src/host/index.ts'
import { hasTool, isRoot, skipUnless } from '../support/probe.ts'

const host = new URL('../../src/host/index.js', import.meta.url).href
const script = `
  const { probePrivileges } = await import(${JSON.stringify(host)})
  const { capabilities, ...rest } = probePrivileges()
  console.log(JSON.stringify({ ...rest, capabilities: [...capabilities] }))`

/** probePrivileges() in a process started by this command; null when the command cannot be run here. */
function probeUnder(command: readonly string[]): Record<string, unknown> | null {
  const [file = process.execPath, ...rest] = command
  const ovl = [process.execPath, '--input-type=module', '-e', script]
  const { stdout, status } = spawnSync(file, [...rest, ...ovl], { encoding: 'utf8' })
  return status === 0 ? (JSON.parse(stdout) as Record<string, unknown>) : null
}

const nothing = { canChown: false, canMakeDevices: false, canSetTrustedXattrs: false, canMount: false }

describe('probePrivileges()', () => {
  it('agrees with the kernel about this process', () => {
    const { uid, capabilities } = probePrivileges()
    expect(uid).to.equal(process.geteuid?.())
    const { stdout } = spawnSync('sh', ['-c', 'grep CapEff /proc/self/status'], { encoding: 'utf8' })
    expect(effectiveCapabilities(stdout, uid)).to.deep.equal(capabilities)
  })

  it('sees nothing but its uid in an ordinary user', function () {
    skipUnless(this, isRoot() && hasTool('setpriv'), 'needs root and setpriv')
    const found = probeUnder(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'])
    expect(found).to.deep.include({
      ...nothing,
      uid: 65534,
      gid: 65534,
      capabilities: [],
      canSetFileCapabilities: false,
    })
  })

  it('sees a root without capabilities', function () {
    skipUnless(this, isRoot() && hasTool('setpriv'), 'needs root and setpriv')
    const found = probeUnder(['setpriv', '--bounding-set=-all', '--inh-caps=-all'])
    expect(found).to.deep.include({ ...nothing, uid: 0, capabilities: [] })
  })

  it('in a user namespace has capabilities, but no devices and no trusted attributes', function () {
    const found = probeUnder(['unshare', '--user', '--map-root-user'])
    skipUnless(this, found !== null, 'no user namespaces here', { optional: true })
    expect(found).to.include({ uid: 0, canChown: true, canMakeDevices: false, canSetTrustedXattrs: false })
    expect(found).to.include({ inInitialUserNamespace: false, canSetFileCapabilities: true })
    expect(found?.['uids']).to.deep.equal([{ first: 0, count: 1 }])
  })
})

describe('effectiveCapabilities()', () => {
  const cases: readonly [string, number, readonly string[]][] = [
    ['CapEff:\t0000000000000000\n', 0, []],
    ['CapPrm:\t000001ffffffffff\nCapEff:\t0000000008000001\n', 1000, ['CAP_CHOWN', 'CAP_MKNOD']],
    ['CapEff:\t0000010000000000\n', 1000, ['CAP_CHECKPOINT_RESTORE']],
    ['', 1000, []],
  ]
  for (const [status, uid, want] of cases) {
    it(`reads ${JSON.stringify(status)} as [${want.join(' ')}]`, () =>
      expect([...effectiveCapabilities(status, uid)]).to.deep.equal(want))
  }

  it('gives root all where the kernel does not tell', () => {
    expect(effectiveCapabilities('', 0).has('CAP_SYS_ADMIN')).to.equal(true)
  })
})

describe('parseIdMap()', () => {
  it('reads ranges, and takes a missing map for all ids', () => {
    const ranges = parseIdMap('         0       1000          1\n         1     100000      65536\n')
    expect(ranges).to.deep.equal([
      { first: 0, count: 1 },
      { first: 1, count: 65_536 },
    ])
    expect([0, 65_536, 65_537].map(id => isMappedId(ranges, id))).to.deep.equal([true, true, false])
    expect(isMappedId(parseIdMap(null), 4_294_967_294)).to.equal(true)
    expect(parseIdMap('')).to.deep.equal([])
  })
})
