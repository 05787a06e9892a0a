// Names come from archives that nobody has to trust: no renderer lets one move the cursor or start a line of its own.

import { expect } from 'chai'
import { renderInspection } from '../../src/cli/render/inspect.ts'
import { layersToJson, renderLayers } from '../../src/cli/render/layers.ts'
import { listingToJson, renderListing } from '../../src/cli/render/ls.ts'
import { renderUnpacked } from '../../src/cli/render/unpack.ts'
import { renderVerification } from '../../src/cli/render/verify.ts'
import type { Inspection, LayersReport, ListedEntry, UnpackReport, Verification } from '../../src/commands/index.ts'
import { OvlError } from '../../src/errors/index.ts'
import type { Attributes } from '../../src/layer/index.ts'
import { parseImageConfig, platform } from '../../src/oci/index.ts'

const hostile = 'a\x1b[2J\rb\nc\u202e'
const view = { noTrunc: true, verbosity: 1, style: (_: unknown, text: string) => text }
const digest = `sha256:${'0'.repeat(64)}` as const
const attributes: Attributes = {
  mode: 0o4755,
  uid: 1,
  gid: 2,
  mtimeSec: -1,
  mtimeNsec: 5,
  xattrs: new Map([['user.a', Uint8Array.of(255)]]),
}

const config = parseImageConfig(
  {
    architecture: hostile,
    os: 'linux',
    created: hostile,
    config: { Entrypoint: [hostile], Cmd: [hostile], Env: [hostile], User: hostile, Labels: { [hostile]: hostile } },
    rootfs: { type: 'layers', diff_ids: [digest] },
    history: [{ created_by: hostile, comment: hostile }],
  },
  'test',
)

const inspection: Inspection = {
  source: { transport: 'oci', location: hostile, archiveBytes: null },
  names: [hostile],
  platform: platform('linux', hostile),
  indexes: [],
  manifest: { digest, mediaType: hostile, sizeBytes: 1 },
  config: { digest, mediaType: hostile, sizeBytes: 1, parsed: config },
  layers: [
    { number: 1, diffID: digest, digest, mediaType: hostile, sizeBytes: 5, compression: 'gzip', createdBy: hostile },
  ],
}

const layers: LayersReport = {
  title: hostile,
  history: config.history,
  layers: [
    {
      number: 1,
      diffID: digest,
      digest: null,
      mediaType: hostile,
      storedBytes: 1,
      uncompressedBytes: 2,
      entries: 3,
      whiteouts: 0,
      opaques: 0,
      added: 3,
      replaced: 0,
      removed: 0,
      hiddenFiles: 1,
      hiddenBytes: 9,
      history: config.history[0] ?? null,
    },
  ],
}

const entries: readonly ListedEntry[] = [
  {
    path: hostile,
    inode: { kind: 'symlink', target: hostile, attributes, layer: 1, links: 1 },
    layer: 1,
    change: 'added',
  },
  {
    path: 'dev/x\udcff',
    inode: { kind: 'charDevice', major: 1, minor: 3, attributes, layer: 1, links: 2 },
    layer: 1,
    hiddenBy: 2,
    change: 'removed',
  },
]

const verification: Verification = {
  title: hostile,
  ok: false,
  layers: [
    {
      number: 1,
      digest,
      diffID: null,
      ok: false,
      digestOk: null,
      diffIDOk: null,
      treeOk: null,
      found: null,
      faults: [
        new OvlError('BAD_TAR', `Cannot verify layer 1 of ${hostile}: ${hostile}`),
        new OvlError('TRUNCATED', 'x'),
      ],
    },
  ],
}

const unpacked: UnpackReport = {
  image: {
    transport: 'oci',
    location: hostile,
    names: [hostile],
    platform: platform('linux', hostile),
    manifest: digest,
    config: digest,
    layerCount: 0,
    storedBytes: 0,
  },
  bundle: hostile,
  mode: 'flat',
  merged: null,
  hasConfig: true,
  rootless: true,
  layers: [],
  notKept: { owners: [{ path: hostile, uid: 1, gid: 1 }], files: [], xattrs: [] },
}

describe('text output of a hostile image', () => {
  const outputs: Record<string, readonly string[]> = {
    inspect: renderInspection(inspection, view),
    layers: renderLayers(layers, view),
    ls: renderListing(entries, view),
    verify: renderVerification(verification, view),
    unpack: renderUnpacked(unpacked, 5),
  }
  for (const [command, lines] of Object.entries(outputs)) {
    it(`${command}: holds no control character`, () => {
      // oxlint-disable-next-line no-control-regex -- control characters are what this is about
      for (const line of lines) expect(line).not.to.match(/[\u0000-\u001f\u007f-\u009f\u202e]/)
      expect(lines.join('\n')).to.match(/\\x1b|\\u001b/)
    })
  }

  it('ls: shows device numbers, setuid and what hides an entry', () => {
    expect(outputs['ls']?.[1]).to.equal(
      '-  crwsr-xr-x  1:2  1,3  1969-12-31T23:59:59.000000005Z  dev/x\\xff   layer 1, removed by layer 2',
    )
  })

  it('verify: says the fact once and names the other faults', () => {
    expect(outputs['verify']?.[0]).to.match(/FAILED {2}a\\x1b\S+ {3}\[BAD_TAR\] {3}and TRUNCATED$/)
  })
})

describe('JSON output', () => {
  it('has bytes in base64, octal modes and nanoseconds', () => {
    expect(listingToJson(entries)['entries']).to.deep.equal([
      {
        path: hostile,
        type: 'symlink',
        mode: '4755',
        uid: 1,
        gid: 2,
        mtime: '1969-12-31T23:59:59.000000005Z',
        xattrs: [{ name: 'user.a', base64: '/w==' }],
        target: hostile,
        layer: 1,
        change: 'added',
      },
      {
        path: { base64: 'ZGV2L3j/' },
        type: 'charDevice',
        mode: '4755',
        uid: 1,
        gid: 2,
        mtime: '1969-12-31T23:59:59.000000005Z',
        xattrs: [{ name: 'user.a', base64: '/w==' }],
        major: 1,
        minor: 3,
        links: 2,
        layer: 1,
        change: 'removed',
        hiddenBy: 2,
      },
    ])
  })

  it('keeps the whole history', () => {
    expect(layersToJson(layers)['history']).to.have.length(1)
  })
})
