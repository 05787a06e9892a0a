import { expect } from 'chai'
import fc from 'fast-check'
import { OvlError } from '../../src/errors/index.ts'
import { formatOverlayOptions, noOptions, type OverlayOptions, parseOverlayOptions } from '../../src/overlay/index.ts'

type Case = readonly [text: string, want: Partial<OverlayOptions>]

const read: readonly Case[] = [
  ['', {}],
  [',,', {}],
  ['lowerdir=a,upperdir=b,workdir=c', { lower: ['a'], upper: 'b', work: 'c' }],
  ['lowerdir=a,upperdir=b,workdir=c,', { lower: ['a'], upper: 'b', work: 'c' }],
  ['lowerdir=top:next:base', { lower: ['top', 'next', 'base'] }],
  ['lowerdir=a::d', { lower: ['a'], data: ['d'] }],
  ['lowerdir=a:b::d::e', { lower: ['a', 'b'], data: ['d', 'e'] }],
  [String.raw`lowerdir=a\:b`, { lower: ['a:b'] }],
  [String.raw`lowerdir=a\,b:c`, { lower: ['a,b', 'c'] }],
  [String.raw`lowerdir=a\\:b`, { lower: ['a\\', 'b'] }],
  [String.raw`lowerdir=\a\b`, { lower: ['ab'] }],
  ['lowerdir=a b"c\'=d', { lower: ['a b"c\'=d'] }],
  ['lowerdir=a\\', { lower: ['a'] }],
  [String.raw`upperdir=a:b\:c\,d\\e`, { upper: 'a:b:c,d\\e' }],
  [String.raw`lowerdir+=a:b,lowerdir+=c\:d,datadir+=e\,f`, { lower: ['a:b', 'c\\:d'], data: ['e\\,f'] }],
  ['lowerdir=a,lowerdir=b:c', { lower: ['b', 'c'], replaced: [{ role: 'lowerdir', path: 'a' }] }],
  [
    'lowerdir=a::d,lowerdir=',
    {
      replaced: [
        { role: 'lowerdir', path: 'a' },
        { role: 'datadir', path: 'd' },
      ],
    },
  ],
  ['lowerdir=a,lowerdir=,lowerdir+=b', { lower: ['b'], replaced: [{ role: 'lowerdir', path: 'a' }] }],
  ['lowerdir+=a,lowerdir=b', { lower: ['b'], replaced: [{ role: 'lowerdir', path: 'a' }] }],
  [
    'upperdir=a,upperdir=b,workdir=c,workdir=d',
    {
      upper: 'b',
      work: 'd',
      replaced: [
        { role: 'upperdir', path: 'a' },
        { role: 'workdir', path: 'c' },
      ],
    },
  ],
  ['index=on,index=off,metacopy=on', { settings: { index: 'off', metacopy: 'on' } }],
  ['userxattr,default_permissions', { settings: { userxattr: true, default_permissions: true } }],
  ['volatile', { settings: { fsync: 'volatile' } }],
  ['override_creds,nooverride_creds', { settings: { override_creds: false } }],
  ['ro,nosuid,nodev,rw', { generic: ['nosuid', 'nodev', 'rw'] }],
  ['noatime,relatime', { generic: ['relatime'] }],
  ['defaults,auto,x-systemd.after=a,_netdev,comment=b', {}],
  ['=x,lowerdir=a', { lower: ['a'] }],
  ['context="system_u:object_r:x_t:s0"', { security: [{ name: 'context', value: '"system_u:object_r:x_t:s0"' }] }],
  ['lowerdir=caf\udce9:\udcff', { lower: ['caf\udce9', '\udcff'] }],
]

const refused: readonly (readonly [text: string, code: string, option: string | undefined])[] = [
  ['bogus=1', 'OVL_UNKNOWN_OPTION', 'bogus'],
  ['lowerdir=a,b', 'OVL_UNKNOWN_OPTION', 'b'],
  ['source=x', 'OVL_UNKNOWN_OPTION', 'source'],
  ['index=maybe', 'OVL_BAD_VALUE', 'index'],
  ['index', 'OVL_BAD_VALUE', 'index'],
  ['index=', 'OVL_BAD_VALUE', 'index'],
  ['index=ON', 'OVL_BAD_VALUE', 'index'],
  ['redirect_dir=yes', 'OVL_BAD_VALUE', 'redirect_dir'],
  ['userxattr=1', 'OVL_BAD_VALUE', 'userxattr'],
  ['userxattr=', 'OVL_BAD_VALUE', 'userxattr'],
  ['nooverride_creds=1', 'OVL_BAD_VALUE', 'nooverride_creds'],
  ['upperdir=', 'OVL_BAD_VALUE', 'upperdir'],
  ['workdir', 'OVL_BAD_VALUE', 'workdir'],
  ['lowerdir', 'OVL_BAD_VALUE', 'lowerdir'],
  ['lowerdir=a:\\', 'OVL_BAD_VALUE', 'lowerdir'],
  ['workdir=\\', 'OVL_BAD_VALUE', 'workdir'],
  ['lowerdir+=', 'OVL_BAD_VALUE', 'lowerdir+'],
  ['lowerdir=:a', 'OVL_BAD_LOWERDIR', 'lowerdir'],
  ['lowerdir=a:', 'OVL_BAD_LOWERDIR', 'lowerdir'],
  ['lowerdir=a::', 'OVL_BAD_LOWERDIR', 'lowerdir'],
  ['lowerdir=a:::b', 'OVL_BAD_LOWERDIR', 'lowerdir'],
  ['lowerdir=::a', 'OVL_BAD_LOWERDIR', 'lowerdir'],
  ['lowerdir=:', 'OVL_BAD_LOWERDIR', 'lowerdir'],
  ['lowerdir=a::d:b', 'OVL_DATA_LAYER_ORDER', 'lowerdir'],
  ['datadir+=a,lowerdir+=b', 'OVL_DATA_LAYER_ORDER', 'lowerdir+'],
  ['lowerdir=a,lowerdir+=b', 'OVL_LOWERDIR_MIXED', 'lowerdir+'],
  ['lowerdir=a,datadir+=b', 'OVL_LOWERDIR_MIXED', 'datadir+'],
  [`lowerdir=${'a:'.repeat(500)}a`, 'OVL_TOO_MANY_LAYERS', undefined],
  ['lowerdir+=a,'.repeat(501), 'OVL_TOO_MANY_LAYERS', undefined],
]

describe('parseOverlayOptions()', () => {
  for (const [text, want] of read) {
    it(`reads ${JSON.stringify(text)}`, () =>
      expect(parseOverlayOptions(text)).to.deep.equal({ ...noOptions, ...want }))
  }
  for (const [text, code, option] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))} as ${code}`, () => {
      const error = errorOf(() => parseOverlayOptions(text, { target: '/m' }))
      expect([error.code, error.data['option'], error.data['errno']]).to.deep.equal([code, option, 'EINVAL'])
      expect(error.message).to.match(/^Cannot mount overlay on \/m: /)
    })
  }

  it('takes 500 layers', () => {
    expect(parseOverlayOptions(`lowerdir=${'a:'.repeat(499)}a`).lower).to.have.length(500)
  })

  it('throws nothing but its own errors, whatever the bytes', () => {
    const word = fc.constantFrom('lowerdir', '=', ':', ',', '\\', '+', 'index', 'on', 'a', '\n', '\0', '\udcff', ' ')
    fc.assert(
      fc.property(fc.array(word), words => {
        try {
          parseOverlayOptions(words.join(''))
        } catch (error) {
          expect(error).to.be.instanceOf(OvlError)
        }
      }),
    )
  })
})

describe('formatOverlayOptions()', () => {
  const path = fc
    .string({ unit: fc.constantFrom('a', '/', ':', ',', '\\', ' ', '"', '=', '\n', 'é', '\udcff'), minLength: 1 })
    .filter(text => text !== '')
  const options: fc.Arbitrary<OverlayOptions> = fc.record({
    lower: fc.array(path, { minLength: 1, maxLength: 4 }),
    data: fc.array(path, { maxLength: 3 }),
    upper: fc.option(path),
    work: fc.option(path),
    settings: fc.record(
      {
        redirect_dir: fc.constantFrom('on', 'off', 'follow', 'nofollow'),
        index: fc.constantFrom('on', 'off'),
        userxattr: fc.constant(true as const),
        override_creds: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
    generic: fc.constantFrom([], ['ro', 'nosuid'], ['noatime']),
    security: fc.constant([]),
    replaced: fc.constant([]),
  }) as fc.Arbitrary<OverlayOptions>

  it('is read back as the same', () => {
    fc.assert(
      fc.property(options, each => {
        expect(parseOverlayOptions(formatOverlayOptions(each))).to.deep.equal(each)
      }),
    )
  })

  it('writes the directories first', () => {
    const text = 'metacopy=on,workdir=w,lowerdir+=a:b,upperdir=u,datadir+=d,ro'
    expect(formatOverlayOptions(parseOverlayOptions(text))).to.equal(
      String.raw`lowerdir=a\:b::d,upperdir=u,workdir=w,metacopy=on,ro`,
    )
  })
})

function errorOf(action: () => unknown): OvlError {
  try {
    action()
  } catch (error) {
    if (error instanceof OvlError) return error
    throw error
  }
  throw new Error('Nothing was thrown')
}
