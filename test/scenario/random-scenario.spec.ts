import { expect } from 'chai'
import { formatScenario, parseScenario, randomScenario } from '../../src/scenario/index.ts'

describe('randomScenario()', () => {
  const seeds = Array.from({ length: 300 }, (_, index) => index)

  it('gives the same scenario for the same seed, another for another', () => {
    const texts = new Set(seeds.map(seed => JSON.stringify({ ...randomScenario(seed), title: '' })))
    expect(texts.size).to.equal(seeds.length)
    expect(randomScenario(2 ** 32 - 1)).to.deep.equal(randomScenario(2 ** 32 - 1))
  })

  it('gives scenarios that are read back from their files', () => {
    for (const seed of seeds) {
      const scenario = randomScenario(seed, { userNamespaces: true })
      expect(parseScenario(Buffer.from(formatScenario(scenario)), `seed ${seed}`)).to.deep.equal(scenario)
    }
  })

  it('puts some into a user namespace, without what root of it could not have made', () => {
    const all = seeds.map(seed => randomScenario(seed, { userNamespaces: true }))
    const namespaced = all.filter(({ userNamespace }) => userNamespace === true)
    expect(namespaced.length).to.be.within(10, 60)
    const layers = namespaced.map(({ lower, upper }) => JSON.stringify([lower, upper])).join('\n')
    expect(layers).not.to.match(/"(?:char|block|dataOnly)"|"(?:trusted|security)\.|:100000\b/)
    expect(seeds.filter(seed => randomScenario(seed).userNamespace === true)).to.deep.equal([])
  })

  it('uses every operation, kind of node and option', () => {
    const text = seeds.map(seed => JSON.stringify(randomScenario(seed))).join('\n')
    const words =
      'lstat stat readlink readdir listxattr statfs open pread pwrite fstat ftruncate fchmod fsync close read write ' +
      'append mkdir mknod symlink link unlink rmdir rename chmod chown lchown truncate utimens getxattr setxattr ' +
      'removexattr remount EXCHANGE NOREPLACE WHITEOUT CREATE REPLACE whiteout xwhiteout fifo socket char block ' +
      'trusted.overlay.redirect trusted.overlay.metacopy user.overlay.redirect nofollow follow dataOnly ' +
      'system.posix_acl_access system.posix_acl_default trusted.overlay.overlay.opaque'
    const keys = ['opaque', 'link', 'size', 'mtime', 'umask', 'as', 'groups']
    const options = ['redirect_dir', 'metacopy', 'index', 'nfs_export', 'xino', 'uuid', 'userxattr', 'volatile']
    for (const word of words.split(' ')) expect(text, word).to.include(JSON.stringify(word))
    for (const key of [...keys, ...options]) expect(text, key).to.include(`${JSON.stringify(key)}:`)
  })
})
