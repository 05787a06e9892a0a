import { expect } from 'chai'
import { OvlError } from '../../src/errors/index.ts'
import { parseOverlayOptions, resolveSettings, type SettingsContext, usualDefaults } from '../../src/overlay/index.ts'

const plain: SettingsContext = { hasUpper: true, hasTrustedXattrs: true, defaults: usualDefaults }

function resolve(text: string, context: Partial<SettingsContext> = {}): ReturnType<typeof resolveSettings> {
  return resolveSettings(parseOverlayOptions(text).settings, { ...plain, ...context })
}

type Case = readonly [text: string, context: Partial<SettingsContext>, want: Record<string, unknown>]

const cases: readonly Case[] = [
  [
    '',
    {},
    { redirectDir: 'follow', index: false, metacopy: false, xino: 'off', uuid: 'auto', verity: 'off', fsync: 'auto' },
  ],
  ['', { hasUpper: false }, { redirectDir: 'on' }],
  ['redirect_dir=off', {}, { redirectDir: 'follow' }],
  ['redirect_dir=off', { defaults: { ...usualDefaults, redirect_always_follow: false } }, { redirectDir: 'nofollow' }],
  ['', { defaults: { ...usualDefaults, redirect_always_follow: false } }, { redirectDir: 'nofollow' }],
  ['', { defaults: { ...usualDefaults, redirect_dir: true } }, { redirectDir: 'on' }],
  ['metacopy=on', {}, { redirectDir: 'on', metacopy: true }],
  [
    'redirect_dir=follow',
    { defaults: { ...usualDefaults, metacopy: true } },
    { redirectDir: 'follow', metacopy: false },
  ],
  ['metacopy=on,redirect_dir=follow', { hasUpper: false }, { redirectDir: 'on', metacopy: true }],
  ['nfs_export=on', {}, { nfsExport: true, index: true }],
  ['nfs_export=on', { hasUpper: false }, { nfsExport: false, index: false }],
  ['nfs_export=on,redirect_dir=nofollow', { hasUpper: false }, { nfsExport: true, index: false }],
  ['uuid=off', { hasUpper: false }, { uuid: 'null' }],
  ['userxattr,verity=on', {}, { verity: 'on' }],
  ['nfs_export=on', { defaults: { ...usualDefaults, metacopy: true } }, { nfsExport: true, metacopy: false }],
  ['index=off', { defaults: { ...usualDefaults, nfs_export: true } }, { nfsExport: false, index: false }],
  ['metacopy=on', { defaults: { ...usualDefaults, nfs_export: true } }, { nfsExport: false, metacopy: true }],
  ['userxattr', {}, { redirectDir: 'nofollow', metacopy: false, userxattr: true }],
  [
    'userxattr',
    { defaults: { ...usualDefaults, redirect_dir: true, metacopy: true } },
    { redirectDir: 'nofollow', metacopy: false },
  ],
  ['volatile', { hasUpper: false }, { fsync: 'auto' }],
  ['uuid=on', { hasUpper: false }, { uuid: 'null' }],
  ['index=on', { hasUpper: false }, { index: false }],
  ['', { defaults: { ...usualDefaults, xino_auto: true } }, { xino: 'auto' }],
  ['', { hasTrustedXattrs: false }, { redirectDir: 'follow' }],
  ['redirect_dir=nofollow', { hasTrustedXattrs: false }, { redirectDir: 'nofollow' }],
]

const conflicts: readonly (readonly [text: string, context: Partial<SettingsContext>, code: string, kernel: string])[] =
  [
    [
      'metacopy=on,redirect_dir=off',
      {},
      'OVL_CONFLICTING_OPTIONS',
      'conflicting options: metacopy=on,redirect_dir=follow',
    ],
    [
      'metacopy=on,redirect_dir=nofollow',
      { hasUpper: false },
      'OVL_CONFLICTING_OPTIONS',
      'conflicting options: metacopy=on,redirect_dir=nofollow',
    ],
    ['nfs_export=on,index=off', {}, 'OVL_CONFLICTING_OPTIONS', 'conflicting options: nfs_export=on,index=off'],
    ['nfs_export=on,metacopy=on', {}, 'OVL_CONFLICTING_OPTIONS', 'conflicting options: nfs_export=on,metacopy=on'],
    ['userxattr,redirect_dir=off', {}, 'OVL_CONFLICTING_OPTIONS', 'conflicting options: userxattr,redirect_dir=follow'],
    ['userxattr,metacopy=on', {}, 'OVL_CONFLICTING_OPTIONS', 'conflicting options: userxattr,metacopy=on'],
    [
      'redirect_dir=on',
      { hasTrustedXattrs: false },
      'OVL_NEEDS_TRUSTED_XATTRS',
      'redirect_dir requires permission to access trusted xattrs',
    ],
    [
      'metacopy=on',
      { hasTrustedXattrs: false },
      'OVL_NEEDS_TRUSTED_XATTRS',
      'metacopy requires permission to access trusted xattrs',
    ],
  ]

describe('resolveSettings()', () => {
  for (const [text, context, want] of cases) {
    it(`${text === '' ? 'nothing' : text} ${JSON.stringify(context)}`, () =>
      expect(resolve(text, context).config).to.include(want))
  }
  for (const [text, context, code, kernel] of conflicts) {
    it(`refuses ${text} ${JSON.stringify(context)}`, () => {
      try {
        resolve(text, context)
      } catch (error) {
        if (!(error instanceof OvlError)) throw error
        expect([error.code, error.data['kernel']]).to.deep.equal([code, kernel])
        return
      }
      expect.fail('nothing was thrown')
    })
  }

  it('says what was ignored', () => {
    const { notes } = resolve('index=on,volatile,uuid=on,nfs_export=on', { hasUpper: false })
    expect(notes.map(({ about }) => about)).to.deep.equal(['index=on', 'volatile', 'uuid=on', 'nfs_export'])
  })
})
