import { expect } from 'chai'
import fc from 'fast-check'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import {
  type BundleState,
  formatState,
  isBundle,
  nothingLost,
  parseState,
  readBundle,
  rootPathOf,
} from '../../src/bundle/index.ts'
import { OvlError } from '../../src/errors/index.ts'
import { decodeName } from '../../src/path/index.ts'

const digest = `sha256:${'0'.repeat(64)}`

const state: BundleState = {
  ovl: '1.2.3',
  mode: 'flat',
  image: {
    transport: 'docker-archive',
    location: './image.tar',
    names: ['hello:1.0'],
    platform: 'linux/amd64',
    manifest: null,
    config: digest,
  },
  layers: [
    {
      number: 1,
      diffID: digest,
      digest: null,
      mediaType: null,
      sizeBytes: null,
      uncompressedBytes: 10_240,
      entries: 12,
      whiteouts: 0,
      opaques: 0,
    },
  ],
  overlay: null,
  userNamespace: null,
  notKept: nothingLost,
  saved: null,
}

const losses: BundleState = {
  ...state,
  mode: 'emulated',
  overlay: { xattrs: 'user', whiteouts: 'xattr', lowers: [1] },
  userNamespace: {
    uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
    gidMappings: [{ containerID: 0, hostID: 100, size: 1 }],
    rootless: true,
  },
  notKept: {
    owners: [
      { path: '', uid: 3, gid: 4 },
      { path: 'home/ada', uid: 1000, gid: 1000 },
      { path: 'home/ada/a', uid: 1000, gid: 1000 },
      { path: 'home/ada/\udcff', uid: 1000, gid: 1000 },
      { path: 'top', uid: 5, gid: 0 },
    ],
    files: [
      { path: 'dev/null', mode: 0o666, was: { type: 'charDevice', major: 1, minor: 3 } },
      { path: 'run/pipe', mode: 0o4600, was: { type: 'fifo' } },
    ],
    xattrs: [{ path: 'bin/ping', names: ['security.capability', 'trusted.\udce9'] }],
  },
}

describe('formatState()', () => {
  it('is undone by parseState()', () => {
    for (const each of [state, losses]) expect(reread(each)).to.deep.equal(each)
  })

  it('names the schema first and ends with a newline', () => {
    expect(formatState(state)).to.match(/^\{\n {2}"schema": "ovl\.bundle\/1",\n.*\}\n$/s)
  })

  it('gives the same text whatever the order of the notes', () => {
    const { owners, files, xattrs } = losses.notKept
    const notKept = { owners: owners.toReversed(), files: files.toReversed(), xattrs: xattrs.toReversed() }
    expect(formatState({ ...losses, notKept })).to.equal(formatState(losses))
  })

  it('costs little more than the names of a directory', () => {
    const owners = Array.from({ length: 1000 }, (_, i) => ({ path: `srv/very/long/directory/${i}`, uid: 7, gid: 7 }))
    const grown = formatState({ ...state, notKept: { ...nothingLost, owners } }).length - formatState(state).length
    expect(grown).to.be.below(1000 * 22)
  })

  it('keeps owners of any names', () => {
    const name = fc.uint8Array({ minLength: 1, maxLength: 8 }).map(bytes => decodeName(bytes))
    const clean = name.filter(text => !/[/\0]/.test(text) && text !== '.' && text !== '..')
    const owner = fc.record({
      path: fc.array(clean, { minLength: 1, maxLength: 4 }).map(parts => parts.join('/')),
      uid: fc.nat(),
      gid: fc.nat(),
    })
    fc.assert(
      fc.property(fc.uniqueArray(owner, { selector: each => each.path }), owners => {
        const back = reread({ ...state, notKept: { ...nothingLost, owners } }).notKept.owners
        expect(byPath(back)).to.deep.equal(byPath(owners))
      }),
    )
  })
})

describe('parseState()', () => {
  const changed: readonly [string, (json: Loose) => void, string][] = [
    ['no object', json => Object.assign(json, { schema: undefined }), '"schema" must be a string, but is missing'],
    ['another schema', json => (json['schema'] = 'x/1'), '"schema" must be "ovl.bundle/1", but is "x/1"'],
    [
      'a mode that is a path',
      json => (json['mode'] = '../..'),
      '"mode" must be one of flat, emulated, native, fuse, but is "../.."',
    ],
    ['no layers', json => delete json['layers'], '"layers" must be a list, but is missing'],
    [
      'a lower that is no layer',
      json => (json['overlay'].lowers = [2]),
      '"overlay.lowers" must be numbers of layers, base first, but is a list',
    ],
    [
      'lowers out of order',
      json => (json['overlay'].lowers = [1, 1]),
      '"overlay.lowers" must be numbers of layers, base first, but is a list',
    ],
    ['layers out of order', json => (json['layers'][0].number = 2), '"layers[0].number" must be 1, but is 2'],
    [
      'a negative count',
      json => (json['layers'][0].entries = -1),
      '"layers[0].entries" must be a whole number, but is -1',
    ],
    [
      'a path that leads out',
      json => (json['notKept'].files[0].path = '../x'),
      '"notKept.files[0].path" must be a path inside the image, but is "../x"',
    ],
    [
      'an absolute path',
      json => (json['notKept'].xattrs[0].path = '/x'),
      '"notKept.xattrs[0].path" must be a path inside the image, but is "/x"',
    ],
    [
      'a name with a slash',
      json => (json['notKept'].owners[1].names = ['a/b']),
      '"notKept.owners[1].names[0]" must be a file name, but is "a/b"',
    ],
    [
      'the name ..',
      json => (json['notKept'].owners[1].names = ['..']),
      '"notKept.owners[1].names[0]" must be a file name, but is ".."',
    ],
    [
      'a name that hides bytes',
      json => (json['notKept'].owners[1].in = { base64: 'Lg==Lg==' }),
      '"notKept.owners[1].in.base64" must be base64, but is "Lg==Lg=="',
    ],
    [
      '.. in base64',
      json => (json['notKept'].owners[1].in = { base64: 'Li4=' }),
      '"notKept.owners[1].in" must be a path inside the image, but is an object',
    ],
    [
      'a mode that is no mode',
      json => (json['notKept'].files[0].mode = '0o7'),
      '"notKept.files[0].mode" must be an octal mode, but is "0o7"',
    ],
  ]
  for (const [title, change, message] of changed) {
    it(`refuses ${title}`, () => {
      const json = JSON.parse(formatState(losses)) as Loose
      change(json)
      expect(() => parseState(json, 'ovl.json'))
        .to.throw(OvlError, `Cannot use ovl.json: ${message}`)
        .with.property('code', 'BAD_DOCUMENT')
    })
  }

  it('passes over members that a later version adds', () => {
    const json = JSON.parse(formatState(losses)) as Loose
    Object.assign(json, { later: [1] })
    Object.assign(json['layers'][0], { later: {} })
    expect(parseState(json, 'ovl.json')).to.deep.equal(losses)
  })

  it('says that a later schema needs another ovl', () => {
    expect(() => parseState({ schema: 'ovl.bundle/2' }, 'ovl.json'))
      .to.throw(OvlError, 'Cannot use ovl.json: its schema "ovl.bundle/2" is from another ovl')
      .with.property('code', 'UNSUPPORTED')
  })

  it('throws nothing but its own errors', () => {
    fc.assert(
      fc.property(fc.json(), text => {
        try {
          parseState(JSON.parse(text), 'ovl.json')
        } catch (error) {
          expect(error).to.be.instanceOf(OvlError)
        }
      }),
    )
  })

  it('is not misled by names of Object.prototype', () => {
    const json = JSON.parse(`{"__proto__": ${formatState(state)}}`) as unknown
    expect(() => parseState(json, 'ovl.json')).to.throw(OvlError, '"schema" must be a string, but is missing')
  })
})

describe('readBundle()', () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-state-'))
  const file = path.join(directory, 'ovl.json')
  after(() => fs.rmSync(directory, { recursive: true }))
  afterEach(() => fs.rmSync(file, { force: true, recursive: true }))

  it('reads what was written', () => {
    fs.writeFileSync(file, formatState(losses))
    expect(readBundle(directory)).to.deep.equal({ directory, state: losses })
    expect(isBundle(directory)).to.equal(true)
  })

  const odd: { readonly [title: string]: readonly [() => void, string] } = {
    'no ovl.json': [() => undefined, 'INPUT_NOT_FOUND'],
    'an ovl.json that is no JSON': [() => fs.writeFileSync(file, '{'), 'BAD_JSON'],
    'an ovl.json of something else': [() => fs.writeFileSync(file, '{"schema":"x"}'), 'BAD_DOCUMENT'],
    'a link': [() => fs.symlinkSync('/etc/passwd', file), 'READ_FAILED'],
    'a directory': [() => fs.mkdirSync(file), 'READ_FAILED'],
    'a file that is too large': [
      () => {
        fs.writeFileSync(file, '')
        fs.truncateSync(file, 2 ** 30)
      },
      'LIMIT_EXCEEDED',
    ],
  }
  for (const [title, [prepare, code]] of Object.entries(odd)) {
    it(`refuses ${title}`, () => {
      prepare()
      expect(() => readBundle(directory))
        .to.throw(OvlError)
        .with.property('code', code)
      expect(isBundle(directory)).to.equal(false)
    })
  }

  it('knows a bundle of a later version as one', () => {
    fs.writeFileSync(file, '{"schema":"ovl.bundle/7"}')
    expect(isBundle(directory)).to.equal(true)
  })
})

describe('rootPathOf()', () => {
  it('is rootfs only for the flat form', () => {
    const paths = (['flat', 'emulated', 'native', 'fuse'] as const).map(rootPathOf)
    expect(paths).to.deep.equal(['rootfs', 'merged', 'merged', 'merged'])
  })
})

// oxlint-disable-next-line typescript/no-explicit-any -- a document that the test breaks in many places
type Loose = Record<string, any>

function reread(each: BundleState): BundleState {
  return parseState(JSON.parse(formatState(each)), 'ovl.json')
}

function byPath<T extends { readonly path: string }>(notes: readonly T[]): readonly T[] {
  return notes.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}
