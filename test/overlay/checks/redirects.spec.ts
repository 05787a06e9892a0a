// What marks lead to: redirects, metacopies, data-only layers (rules 58, 59, 72-76).
import { expect } from 'chai'
import { errno, names, overlayChecks, text, TR } from '../../support/overlay-stages.ts'
import { directory, impure, marked, metacopy, opaque } from '../../support/overlay-trees.ts'

overlayChecks('redirects', [
  [
    'L24',
    'a name is another name in the same parent',
    s => {
      const m = s.mount({ lower: [{ 'old/f': '' }], upper: { new: marked('dir', 'redirect', 'old') } })
      expect(names(m, 'new')).to.deep.equal(['f'])
    },
  ],
  [
    'L25',
    'an absolute path counts from the root of the overlay',
    s => {
      const m = s.mount({ lower: [{ 'p/q/g': '' }], upper: { 'x/y': marked('dir', 'redirect', '/p/q') } })
      expect(names(m, 'x/y')).to.deep.equal(['g'])
    },
  ],
  [
    'L26',
    'a redirect replaces the lower directory of the same name',
    s => {
      const m = s.mount({ lower: [{ 'n2/h': '', 'old2/f': '' }], upper: { n2: marked('dir', 'redirect', 'old2') } })
      expect(names(m, 'n2')).to.deep.equal(['f'])
    },
  ],
  [
    'L26b',
    'of two upper directories with one target the second cannot be looked up: ESTALE',
    s => {
      const upper = { new: marked('dir', 'redirect', 'old'), dup: marked('dir', 'redirect', 'old') }
      const m = s.mount({ lower: [{ 'old/f': '' }], upper })
      expect([names(m, 'new'), errno(() => names(m, 'dup'))]).to.deep.equal([['f'], 'ESTALE'])
    },
  ],
  [
    'L27',
    'a redirect of another form fails the lookup: EINVAL',
    s => {
      const values = ['a/b', '/p//q', '/p/', '', '/']
      const upper = Object.fromEntries(values.map((value, at) => [`r${at}`, marked('dir', 'redirect', value)]))
      const m = s.mount({ lower: [{ 'p/q/g': '' }], upper })
      for (const [at, value] of values.entries())
        expect(
          errno(() => names(m, `r${at}`)),
          value,
        ).to.equal('EINVAL')
    },
  ],
  [
    'L28',
    'a target that is missing, or a file, merges nothing',
    s => {
      const upper = { nope: marked('dir', 'redirect', '/nope'), tofile: marked('dir', 'redirect', '/old/f') }
      const m = s.mount({ lower: [{ 'old/f': '' }], upper })
      expect([names(m, 'nope'), names(m, 'tofile')]).to.deep.equal([[], []])
    },
  ],
  [
    'L29',
    'redirects "." and "..": EACCES',
    s => {
      const m = s.mount({ upper: { dot: marked('dir', 'redirect', '.'), dotdot: marked('dir', 'redirect', '..') } })
      expect([errno(() => names(m, 'dot')), errno(() => names(m, 'dotdot'))]).to.deep.equal(['EACCES', 'EACCES'])
    },
  ],
  [
    'L29b',
    'listing an impure merged directory looks every upper name up: a failure drops the name, or fails a call that has given nothing yet',
    s => {
      const bad = marked('dir', 'redirect', 'a/b')
      const one = s.mount({ lower: [{ low: '' }], upper: { '': impure, bad } })
      // "." and ".." come first here, so that the first failure is behind them.
      expect(names(one)).to.deep.equal(['low'])
      s.unmount()
      const two = s.mount({ lower: [{ low: '' }], upper: { '': impure, bad, worse: bad } })
      expect(errno(() => two.readdir('/'))).to.equal('EINVAL')
    },
  ],
  [
    'L30',
    'the name that a redirect leads to stays visible',
    s => {
      const upper = { new: marked('dir', 'redirect', 'old'), 'x/y': marked('dir', 'redirect', '/p/q') }
      const m = s.mount({ lower: [{ 'old/f': '', 'p/q/g': '' }], upper })
      expect([names(m), names(m, 'p')]).to.deep.equal([['new', 'old', 'p', 'x'], ['q']])
    },
  ],
  [
    'L31',
    'with redirect_dir=nofollow a directory with a redirect cannot be looked up: EPERM, and is not listed',
    s => {
      const lower = [{ 'old/f': '', 'a/f': '' }]
      const upper = { '': impure, new: marked('dir', 'redirect', 'old'), a: directory }
      const m = s.mount({ lower, upper, options: 'redirect_dir=nofollow' })
      expect([names(m), errno(() => names(m, 'new'))]).to.deep.equal([['a', 'old'], 'EPERM'])
    },
  ],
  [
    'L32',
    'opaque=y wins: the redirect beside it is not read',
    s => {
      const both = { type: 'dir', xattrs: { [`${TR}redirect`]: 'zzz', [`${TR}opaque`]: 'y' } } as const
      const m = s.mount({ lower: [{ 'zzz/f': '' }], upper: { o: both, pure: marked('dir', 'redirect', 'zzz') } })
      expect([names(m, 'o'), names(m, 'pure')]).to.deep.equal([[], ['f']])
    },
  ],
  [
    'L33',
    'an absolute redirect walks every lower layer from the top, and an opaque ancestor cuts those beneath',
    s => {
      const lower = [{ a: opaque, 'a/b': directory }, { 'a/b/c/f2': '' }]
      const m = s.mount({ lower, upper: { r: marked('dir', 'redirect', '/a/b/c') } })
      expect(names(m, 'r')).to.deep.equal([])
    },
  ],
  [
    'L34',
    'a redirect in a middle layer counts for the layers beneath it alone',
    s => {
      const lower = [
        { m: marked('dir', 'redirect', '/base'), 'm/inm1': '' },
        { 'base/f': '', 'm/inm2': '' },
      ]
      const m = s.mount({ lower })
      expect(names(m, 'm')).to.deep.equal(['f', 'inm1'])
    },
  ],
])

overlayChecks('metacopies', [
  [
    'L35',
    'with metacopy=off a metacopy of the upper layer cannot be looked up: EPERM',
    s => {
      const m = s.mount({ lower: [{ f: 'DATA' }], upper: { f: metacopy() } })
      expect(errno(() => m.stat('f'))).to.equal('EPERM')
    },
  ],
  [
    'L36',
    'with metacopy=on the data is that of the lower file, metadata that of the upper one, blocks those of the data',
    s => {
      const m = s.mount({ lower: [{ f: 'DATA' }], upper: { f: metacopy() }, options: 'metacopy=on' })
      const { mode, sizeBytes, blocks } = m.stat('f')
      expect([text(m, 'f'), mode & 0o7777, sizeBytes]).to.deep.equal(['DATA', 0o600, 4])
      expect(blocks).to.equal(s.lower.stat('f').blocks).and.not.equal(s.u.stat('f').blocks)
    },
  ],
  [
    'L37',
    'an absolute redirect says where the data is',
    s => {
      const upper = { meta: metacopy('/deep/data') }
      const m = s.mount({ lower: [{ 'deep/data': 'DATA' }], upper, options: 'metacopy=on' })
      expect(text(m, 'meta')).to.equal('DATA')
    },
  ],
  [
    'L38',
    'without data beneath: EIO',
    s => {
      const m = s.mount({ upper: { nodata: metacopy() }, options: 'metacopy=on' })
      expect(errno(() => m.stat('nodata'))).to.equal('EIO')
    },
  ],
  [
    'L39',
    'a value has no byte or at least four; what is in it counts with verity alone',
    s => {
      const values: { readonly [name: string]: readonly number[] } = {
        short: [0, 3, 0],
        four: [0, 4, 0, 0],
        version: [1, 4, 0, 0],
        length: [0, 5, 0, 0],
      }
      const lower = Object.fromEntries(Object.keys(values).map(name => [name, 'DATA']))
      const upper = Object.fromEntries(
        Object.entries(values).map(([name, bytes]) => [
          name,
          metacopy(undefined, { base64: Buffer.from(bytes).toString('base64') }),
        ]),
      )
      const m = s.mount({ lower: [lower], upper, options: 'metacopy=on' })
      const answers = Object.keys(values).map(name => errno(() => m.readFile(name)))
      expect(answers).to.deep.equal(['EIO', 'OK', 'OK', 'OK'])
    },
  ],
  [
    'L40',
    'over a lower directory: EIO',
    s => {
      const m = s.mount({ lower: [{ d: directory }], upper: { d: metacopy() }, options: 'metacopy=on' })
      expect(errno(() => m.stat('d'))).to.equal('EIO')
    },
  ],
])

overlayChecks('data-only layers', [
  [
    'L41',
    'their names are not visible, their data is found by absolute redirects, the first layer wins',
    s => {
      const data = [{ 'obj/aa': 'OBJ1' }, { 'obj/aa': 'OBJ2', only: '' }]
      const m = s.mount({ lower: [{ meta: metacopy('/obj/aa') }], data })
      expect([names(m), text(m, 'meta')]).to.deep.equal([['meta'], 'OBJ1'])
    },
  ],
  [
    'L42',
    'data that is missing shows when the file is opened: ENOENT',
    s => {
      const m = s.mount({ lower: [{ miss: metacopy('/obj/zz') }], data: [{ 'obj/aa': '' }] })
      expect([errno(() => m.stat('miss')), errno(() => m.readFile('miss'))]).to.deep.equal(['OK', 'ENOENT'])
    },
  ],
  [
    'L43',
    'a metacopy without an absolute redirect is refused',
    s => {
      const m = s.mount({ lower: [{ plain: metacopy() }], data: [{ 'obj/aa': '' }] })
      expect(errno(() => m.stat('plain'))).to.be.oneOf(['EPERM', 'EIO'])
    },
  ],
  [
    'L44',
    'the error is that of the last data layer',
    s => {
      const data = [{ 'obj/aa': '', 'obj/sl': { target: 'aa' } }, { 'obj/aa': '' }]
      const m = s.mount({ lower: [{ vs: metacopy('/obj/sl') }], data })
      expect([errno(() => m.stat('vs')), errno(() => m.readFile('vs'))]).to.deep.equal(['OK', 'ENOENT'])
    },
  ],
  [
    'L44b',
    'symlinks in data layers are not followed: the last part ENOENT, an inner one ELOOP; a directory is no data',
    s => {
      const lower = { vs: metacopy('/obj/sl'), vi: metacopy('/osl/aa'), dd: metacopy('/obj') }
      const data = { 'obj/aa': 'OBJ1', 'obj/sl': { target: 'aa' }, osl: { target: 'obj' } }
      const m = s.mount({ lower: [lower], data: [data] })
      const answers = ['vs', 'vi', 'dd'].map(name => errno(() => m.readFile(name)))
      expect(answers).to.deep.equal(['ENOENT', 'ELOOP', 'ENOENT'])
    },
  ],
])
