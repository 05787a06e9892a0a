// What random scenarios found, shrunk: one case for each way in which the emulator once differed from Linux 6.18. The
// answers are the kernel's, recorded on a tmpfs.
import { expect } from 'chai'
import type { Json } from '../../../src/errors/index.ts'
import { emulateScenario, type Scenario, scenarioSchema, type Step } from '../../../src/scenario/index.ts'

type Found = Pick<Scenario, 'title' | 'options' | 'lower'> & {
  readonly upper: NonNullable<Scenario['upper']>
  /** Each with what the kernel answers: an errno, "ok", what an object is, or a value. */
  readonly steps: readonly (readonly [Step, string])[]
  /** Paths of the upper layer afterwards. */
  readonly left: readonly string[]
}

const found: readonly Found[] = [
  {
    title: 'a metacopy is refused although nothing lies below it',
    options: {},
    lower: [{}],
    upper: { 'a/d': { type: 'file', xattrs: { 'trusted.overlay.metacopy': '', 'trusted.overlay.redirect': '/e' } } },
    steps: [[['lstat', '/a/d'], 'EPERM']],
    left: ['a', 'a/d'],
  },
  {
    title: 'a redirect that is not followed is refused although nothing lies below it',
    options: { userxattr: true },
    lower: [{}],
    upper: { a: { type: 'dir', xattrs: { 'user.overlay.redirect': '/c/d' } } },
    steps: [[['lstat', '/a'], 'EPERM']],
    left: ['a'],
  },
  {
    title: 'index=on counts lower names and a new link',
    options: { index: 'on' },
    lower: [{ e: '1', c: { link: 'e' } }],
    upper: {},
    steps: [
      [['link', '/c', '/b'], 'ok'],
      [['lstat', '/b'], 'file 0644 nlink 3'],
      [['lstat', '/e'], 'file 0644 nlink 3'],
    ],
    left: ['b', 'c'],
  },
  {
    title: 'index=on counts lower names after copy-up',
    options: { index: 'on' },
    lower: [{ b: '1', 'c/e': { link: 'b' } }],
    upper: {},
    steps: [
      [['write', '/b', '2'], 'ok'],
      [['lstat', '/b'], 'file 0644 nlink 2'],
      [['read', '/c/e'], '"2"'],
    ],
    left: ['b'],
  },
  {
    title: 'nfs_export counts the link in the index after a mount',
    options: { nfs_export: 'on' },
    lower: [{ b: '1' }],
    upper: {},
    steps: [
      [['write', '/b', '2'], 'ok'],
      [['lstat', '/b'], 'file 0644 nlink 1'],
      [['remount'], 'ok'],
      [['lstat', '/b'], 'file 0644 nlink 2'],
    ],
    left: ['b'],
  },
  {
    title: 'the data of a metacopy is read past its size',
    options: { metacopy: 'on' },
    lower: [{ a: { type: 'file', xattrs: { 'trusted.overlay.metacopy': '' } } }, { a: 'data' }],
    upper: {},
    steps: [
      [['read', '/a'], '"data"'],
      [['lstat', '/a'], 'file 0644 nlink 1'],
    ],
    left: [],
  },
  {
    title: 'an open directory whose name is a whiteout cannot be copied up',
    options: {},
    lower: [{ b: { type: 'dir' } }],
    upper: {},
    steps: [
      [['open', 'h', '/b', 'O_RDONLY|O_DIRECTORY'], 'ok'],
      [['rmdir', '/b'], 'ok'],
      [['fchmod', 'h', '0600'], 'ENOTDIR'],
      [['close', 'h'], 'ok'],
    ],
    left: ['b'],
  },
  {
    title: 'an open directory is copied up over the one that took its name',
    options: { redirect_dir: 'on' },
    lower: [{ e: { type: 'dir' }, c: { type: 'dir' } }],
    upper: {},
    steps: [
      [['open', 'h', '/e', 'O_RDONLY'], 'ok'],
      [['rename', '/c', '/e'], 'ok'],
      [['fchmod', 'h', '2755'], 'ok'],
      [['close', 'h'], 'ok'],
      [['remount'], 'ok'],
      [['lstat', '/e'], 'dir 2755 nlink 1'],
    ],
    left: ['c', 'e'],
  },
  {
    title: 'a file that a lower redirect shows twice is one file',
    options: {},
    lower: [{ 'a/x': { type: 'dir', xattrs: { 'trusted.overlay.redirect': '/a' } } }, { 'a/a': '1' }],
    upper: {},
    steps: [
      [['write', '/a/a', '22'], 'ok'],
      [['read', '/a/x/a'], '"22"'],
      [['chmod', '/a/x/a', '0600'], 'ok'],
      [['lstat', '/a/a'], 'file 0600 nlink 2'],
      [['unlink', '/a/a'], 'ok'],
      [['lstat', '/a/x/a'], 'file 0600 nlink 1'],
    ],
    left: ['a', 'a/a', 'a/x', 'a/x/a'],
  },
  {
    title: 'a directory that a lower redirect shows twice moves to where it was found',
    options: {},
    lower: [
      { 'c/a': { type: 'dir', xattrs: { 'trusted.overlay.redirect': '/c' } } },
      { 'c/d': { type: 'dir' }, 'c/d/f': 'x' },
    ],
    upper: {},
    steps: [
      [['readdir', '/c/d'], '["f"]'],
      [['chmod', '/c/a/d', '0700'], 'ok'],
      [['lstat', '/c/d'], 'ESTALE'],
      [['lstat', '/c/a/d'], 'dir 0700 nlink 1'],
      [['rename', '/c/a/d', '/c/d'], 'ESTALE'],
    ],
    left: ['c', 'c/a', 'c/a/d'],
  },
  {
    title: 'nothing moves there while a rename is under way',
    options: {},
    lower: [{ 'c/a': { type: 'dir', xattrs: { 'trusted.overlay.redirect': '/c' } } }, { 'c/d': { type: 'dir' } }],
    upper: {},
    steps: [[['rename', '/c/d', '/c/a/d'], 'ESTALE']],
    left: [],
  },
  {
    title: 'a redirect of a lower member is refused with a data-only layer beneath',
    options: { redirect_dir: 'nofollow' },
    lower: [
      { 'a/b': { type: 'dir', xattrs: { 'trusted.overlay.redirect': 'c' } } },
      { x: 'y' },
      { dataOnly: { q: 'z' } },
    ],
    upper: { 'a/b': { type: 'dir' } },
    steps: [[['lstat', '/a/b'], 'EPERM']],
    left: ['a', 'a/b'],
  },
  {
    title: 'data-only layers are searched through ..',
    options: {},
    lower: [
      {
        'b/a': {
          type: 'file',
          size: 8,
          xattrs: { 'trusted.overlay.metacopy': '', 'trusted.overlay.redirect': '/a/../b' },
        },
      },
      { dataOnly: { b: 'data 1 b', 'a/e': '2' } },
    ],
    upper: {},
    steps: [[['read', '/b/a'], '"data 1 b"']],
    left: [],
  },
  {
    title: 'open files do not count as names of an indexed file',
    options: { nfs_export: 'on' },
    lower: [{ b: '' }],
    upper: {},
    steps: [
      [['open', 'h1', '/b', 'O_RDONLY'], 'ok'],
      [['open', 'h2', '/b', 'O_RDONLY'], 'ok'],
      [['unlink', '/b'], 'ok'],
      [['fstat', 'h2'], 'file 0644 nlink 0'],
      [['close', 'h1'], 'ok'],
      [['close', 'h2'], 'ok'],
    ],
    left: ['b'],
  },
  {
    title: 'a link is looked up anew',
    options: { nfs_export: 'on' },
    lower: [{ d: '1' }],
    upper: {},
    steps: [
      [['link', '/d', '/b'], 'ok'],
      [['unlink', '/d'], 'ok'],
      [['lstat', '/b'], 'file 0644 nlink 2'],
    ],
    left: ['b', 'd'],
  },
  {
    title: 'two names of one upper symlink that has no origin',
    options: { userxattr: true },
    lower: [{ b: { type: 'symlink', target: 'a' } }],
    upper: {},
    steps: [
      [['link', '/b', '/c'], 'ok'],
      [['rename', '/b', '/c'], 'ESTALE'],
    ],
    left: ['b', 'c'],
  },
  {
    title: 'a symlink takes no user attribute for the index',
    options: { userxattr: true, index: 'on' },
    lower: [{ d: { type: 'symlink', target: '/a' }, b: { link: 'd' } }],
    upper: {},
    steps: [
      [['unlink', '/d'], 'EPERM'],
      [['lstat', '/d'], 'symlink nlink 2'],
    ],
    left: [],
  },
  {
    title: 'an ACL copies up no other name of an indexed file',
    options: { index: 'on' },
    lower: [{ c: '1', 'a/a': { link: 'c' } }],
    upper: {},
    steps: [
      [['chmod', '/a/a', '0600'], 'ok'],
      [
        [
          'setxattr',
          '/c',
          'system.posix_acl_access',
          { base64: 'AgAAAAEABwD/////AgAGAOgDAAAEAAEA/////wgAAADoAwAAEAAAAP////8gAAIA/////w==' },
        ],
        'ok',
      ],
      [['lstat', '/c'], 'file 0702 nlink 2'],
    ],
    left: ['a', 'a/a'],
  },
]

describe('what random scenarios found', () => {
  for (const { title, options, lower, upper, steps, left } of found) {
    it(title, () => {
      const scenario: Scenario = {
        schema: scenarioSchema,
        title,
        options,
        lower,
        upper,
        steps: steps.map(([step]) => step),
      }
      const replay = emulateScenario(scenario)
      expect(replay.steps.map(shown)).to.deep.equal(steps.map(([, answer]) => answer))
      expect(Object.keys(replay.upper ?? {}).filter(path => path !== '')).to.deep.equal(left)
    })
  }
})

function shown(result: { readonly ok: Json } | { readonly errno: string }): string {
  if ('errno' in result) return result.errno
  const { ok } = result
  if (ok === null) return 'ok'
  if (typeof ok !== 'object' || Array.isArray(ok)) return JSON.stringify(ok)
  const { type, mode, nlink } = ok as { readonly type: string; readonly mode?: string; readonly nlink: number }
  return `${type} ${mode === undefined ? '' : `${mode} `}nlink ${nlink}`
}
