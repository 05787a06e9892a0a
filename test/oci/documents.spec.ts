import { expect } from 'chai'
import fc from 'fast-check'
import { isCode, OvlError } from '../../src/errors/index.ts'
import {
  checkLayoutFile,
  isAttestation,
  mapHistory,
  mediaType,
  parseArchiveManifest,
  parseImageConfig,
  parseIndex,
  parseManifest,
  parseRepositories,
  parseV1Image,
} from '../../src/oci/index.ts'

const digest = `sha256:${'a'.repeat(64)}`
const config = { mediaType: mediaType.config, digest, size: 10 }
const layer = { mediaType: `${mediaType.layer}+gzip`, digest, size: 20 }
const manifest = { schemaVersion: 2, mediaType: mediaType.manifest, config, layers: [layer] }
const index = { schemaVersion: 2, manifests: [{ mediaType: mediaType.manifest, digest, size: 7 }] }
const imageConfig = {
  architecture: 'amd64',
  os: 'linux',
  config: { Env: ['A=b'], Cmd: ['sh'] },
  rootfs: { type: 'layers', diff_ids: [digest] },
  history: [{ created_by: 'x' }, { empty_layer: true }],
}

type Parse = (json: unknown, where: string) => unknown

describe('oci documents', () => {
  const refused: readonly (readonly [string, Parse, unknown, string])[] = [
    ['a manifest that is a list', parseManifest, [], 'it must be an object, but is a list'],
    ['a manifest that is null', parseManifest, null, 'it must be an object, but is null'],
    [
      'no schemaVersion',
      parseManifest,
      { ...manifest, schemaVersion: undefined },
      '"schemaVersion" must be 2, but is missing',
    ],
    ['schemaVersion 3', parseManifest, { ...manifest, schemaVersion: 3 }, '"schemaVersion" must be 2, but is 3'],
    ['no config', parseManifest, { ...manifest, config: undefined }, '"config" must be an object, but is missing'],
    ['no layers', parseManifest, { ...manifest, layers: undefined }, '"layers" must be a list, but is missing'],
    [
      'a layer without a media type',
      parseManifest,
      { ...manifest, layers: [layer, { digest, size: 1 }] },
      '"layers[1].mediaType" must be a string, but is missing',
    ],
    [
      'a layer without a size',
      parseManifest,
      { ...manifest, layers: [{ ...layer, size: undefined }] },
      '"layers[0].size" must be a whole number, but is missing',
    ],
    [
      'a negative size',
      parseManifest,
      { ...manifest, layers: [{ ...layer, size: -1 }] },
      '"layers[0].size" must be a whole number, but is -1',
    ],
    [
      'a fractional size',
      parseManifest,
      { ...manifest, config: { ...config, size: 1.5 } },
      '"config.size" must be a whole number, but is 1.5',
    ],
    [
      'a size beyond 2⁵³',
      parseManifest,
      { ...manifest, config: { ...config, size: 2 ** 53 } },
      '"config.size" must be a whole number',
    ],
    [
      'a path as digest',
      parseManifest,
      { ...manifest, config: { ...config, digest: 'sha256:../../etc/passwd' } },
      '"config.digest" must be a digest',
    ],
    [
      'a digest in capitals',
      parseManifest,
      { ...manifest, config: { ...config, digest: digest.toUpperCase() } },
      '"config.digest" must be a digest',
    ],
    [
      'an annotation that is a number',
      parseManifest,
      { ...manifest, annotations: { a: 1 } },
      '"annotations.a" must be a string, but is 1',
    ],
    [
      'embedded data that is no base64',
      parseManifest,
      { ...manifest, config: { ...config, data: 'a b' } },
      '"config.data" must be base64',
    ],
    [
      'a manifest that is an index as well',
      parseManifest,
      { ...manifest, manifests: [] },
      '"manifests" must be absent in an image manifest',
    ],
    [
      'an index that is a manifest as well',
      parseIndex,
      { ...index, layers: [] },
      '"layers" must be absent in an image index',
    ],
    [
      'a manifest that calls itself an index',
      parseManifest,
      { ...manifest, mediaType: mediaType.index },
      '"mediaType" must be the type of an image manifest',
    ],
    ['an index without manifests', parseIndex, { schemaVersion: 2 }, '"manifests" must be a list, but is missing'],
    [
      'a config without rootfs',
      parseImageConfig,
      { ...imageConfig, rootfs: undefined },
      '"rootfs" must be an object, but is missing',
    ],
    [
      'an unknown rootfs type',
      parseImageConfig,
      { ...imageConfig, rootfs: { type: 'x', diff_ids: [] } },
      '"rootfs.type" must be "layers", but is "x"',
    ],
    [
      'a diff ID that is none',
      parseImageConfig,
      { ...imageConfig, rootfs: { type: 'layers', diff_ids: ['x'] } },
      '"rootfs.diff_ids[0]" must be a digest',
    ],
    [
      'an Env that is an object',
      parseImageConfig,
      { ...imageConfig, config: { Env: {} } },
      '"config.Env" must be a list, but is an object',
    ],
    [
      'a Cmd of numbers',
      parseImageConfig,
      { ...imageConfig, config: { Cmd: [1] } },
      '"config.Cmd[0]" must be a string, but is 1',
    ],
    [
      'an empty_layer that is a text',
      parseImageConfig,
      { ...imageConfig, history: [{ empty_layer: 'yes' }] },
      '"history[0].empty_layer" must be true or false, but is "yes"',
    ],
    [
      'a control character in a value',
      parseImageConfig,
      { ...imageConfig, rootfs: { type: '\u001b[2J' } },
      '"rootfs.type" must be "layers", but is "\\x1b[2J"',
    ],
    ['a layout file without version', checkLayoutFile, {}, '"imageLayoutVersion" must be a string, but is missing'],
    [
      'an archive manifest without Config',
      parseArchiveManifest,
      [{ Layers: [] }],
      '"[0].Config" must be a string, but is missing',
    ],
    ['a repositories file with a wrong ID', parseRepositories, { a: { b: '../x' } }, '"a.b" must be an image ID'],
    ['a version 1 image that is a text', parseV1Image, 'x', 'it must be an object, but is "x"'],
  ]
  for (const [name, parse, json, fact] of refused) {
    it(`refuses ${name}`, () => {
      expect(() => parse(json, 'doc'))
        .to.throw(OvlError, `Cannot use doc: ${fact}`)
        .with.property('code', 'BAD_DOCUMENT')
    })
  }

  it('refuses schema 1 as unsupported, not as broken', () => {
    expect(() => parseManifest({ schemaVersion: 1, fsLayers: [] }, 'doc'))
      .to.throw(OvlError)
      .with.property('code', 'UNSUPPORTED')
    expect(() => checkLayoutFile({ imageLayoutVersion: '2.0.0' }, 'doc'))
      .to.throw(OvlError)
      .with.property('code', 'UNSUPPORTED')
  })

  it('reads a manifest with everything that is optional', () => {
    const rich = {
      ...manifest,
      artifactType: 'a/b',
      subject: config,
      annotations: { __proto__x: 'y', ['__proto__']: 'z' },
      layers: [
        {
          ...layer,
          urls: ['http://x'],
          data: 'aGk=',
          platform: { os: 'linux', architecture: 'arm', variant: 'v7', 'os.version': '1', 'os.features': ['f'] },
        },
      ],
    }
    const parsed = parseManifest(JSON.parse(JSON.stringify(rich)), 'doc')
    expect(parsed.subject?.size).to.equal(10)
    const [first] = parsed.layers
    expect(first?.urls).to.deep.equal(['http://x'])
    expect(new TextDecoder().decode(first?.embedded ?? new Uint8Array())).to.equal('hi')
    expect(first?.platform).to.deep.equal({
      os: 'linux',
      architecture: 'arm',
      variant: 'v7',
      osVersion: '1',
      osFeatures: ['f'],
    })
    expect([...parsed.annotations.keys()]).to.include('__proto__x')
  })

  it('accepts null where Go writes it: layers, manifests, diff_ids, history, every field of config', () => {
    expect(parseManifest({ ...manifest, layers: null }, 'doc').layers).to.deep.equal([])
    expect(parseIndex({ ...index, manifests: null }, 'doc').manifests).to.deep.equal([])
    const nulls = {
      Env: null,
      Cmd: null,
      Entrypoint: null,
      Labels: null,
      Volumes: null,
      ExposedPorts: null,
      User: null,
      WorkingDir: null,
      StopSignal: null,
      ArgsEscaped: null,
    }
    const parsed = parseImageConfig({ rootfs: { type: 'layers', diff_ids: null }, history: null, config: nulls }, 'doc')
    expect(parsed.diffIDs).to.deep.equal([])
    expect(parsed.process).to.deep.equal(parseImageConfig({ rootfs: { type: 'layers' } }, 'doc').process)
  })

  it('reads the process part of a config, also in the forms of old Docker', () => {
    const { process } = parseImageConfig(
      {
        ...imageConfig,
        config: {
          User: '1:2',
          ExposedPorts: { '80/tcp': {}, '53/udp': {} },
          Env: ['A=b', 'C='],
          Entrypoint: '/bin/x',
          Cmd: ['a', 'b'],
          Volumes: { '/v': {} },
          WorkingDir: '/w',
          Labels: { k: 'v' },
          StopSignal: 'SIGINT',
          ArgsEscaped: true,
        },
      },
      'doc',
    )
    expect(process).to.deep.equal({
      user: '1:2',
      exposedPorts: ['80/tcp', '53/udp'],
      env: ['A=b', 'C='],
      entrypoint: ['/bin/x'],
      cmd: ['a', 'b'],
      volumes: ['/v'],
      workingDir: '/w',
      labels: new Map([['k', 'v']]),
      stopSignal: 'SIGINT',
      argsEscaped: true,
    })
  })

  it("reads an archive manifest with jib's small letters", () => {
    const [image] = parseArchiveManifest([{ config: 'c.json', repoTags: ['a:b'], layers: ['x'] }], 'doc')
    expect(image).to.include({ config: 'c.json' })
    expect(image?.layers).to.deep.equal(['x'])
    expect(image?.repoTags).to.deep.equal(['a:b'])
  })

  it('mapHistory() pairs layers with the entries that are not empty, and gives up on a history that does not fit', () => {
    const { history } = parseImageConfig(imageConfig, 'doc')
    expect(mapHistory(history, 1).byLayer.map(entry => entry?.createdBy)).to.deep.equal(['x'])
    expect(mapHistory(history, 2)).to.deep.equal({
      byLayer: [null, null],
      problem: 'the history tells of 1 layers, the image has 2',
    })
    expect(mapHistory([], 2)).to.deep.equal({ byLayer: [null, null], problem: null })
  })

  it('isAttestation() knows BuildKit by annotation or by platform', () => {
    const [plain] = parseIndex(index, 'doc').manifests
    if (plain === undefined) throw new Error('no manifest')
    expect(isAttestation(plain)).to.equal(false)
    expect(
      isAttestation({ ...plain, annotations: new Map([['vnd.docker.reference.type', 'attestation-manifest']]) }),
    ).to.equal(true)
    expect(
      isAttestation({
        ...plain,
        platform: { os: 'unknown', architecture: 'unknown', variant: '', osVersion: '', osFeatures: [] },
      }),
    ).to.equal(true)
  })

  const documents: readonly (readonly [string, Parse, object])[] = [
    ['parseManifest', parseManifest, manifest],
    ['parseIndex', parseIndex, index],
    ['parseImageConfig', parseImageConfig, imageConfig],
    [
      'parseArchiveManifest',
      parseArchiveManifest,
      [{ Config: 'c', RepoTags: ['a:b'], Layers: ['l'], LayerSources: { [digest]: layer } }],
    ],
    ['parseRepositories', parseRepositories, { a: { b: 'c'.repeat(64) } }],
    [
      'parseV1Image',
      parseV1Image,
      { id: 'x', parent: 'y', container_config: { Cmd: ['a'] }, config: imageConfig.config },
    ],
    ['checkLayoutFile', checkLayoutFile, { imageLayoutVersion: '1.0.0' }],
  ]
  for (const [name, parse, good] of documents) {
    it(`${name}() answers every mutation of a good document with a result or an OvlError`, () => {
      fc.assert(
        fc.property(fc.infiniteStream(fc.nat()), fc.jsonValue({ maxDepth: 2 }), (choices, value) => {
          const mutated = mutate(JSON.parse(JSON.stringify(good)), value, choices)
          try {
            parse(mutated, 'doc')
          } catch (error) {
            if (!isCode(error, 'BAD_DOCUMENT') && !isCode(error, 'UNSUPPORTED')) throw error
          }
        }),
        { numRuns: 500 },
      )
    })
  }
})

/** Replaces one value somewhere inside a document, or removes it. */
function mutate(document: unknown, value: unknown, choices: Iterator<number>): unknown {
  const pick = (count: number): number => (choices.next().value as number) % count
  if (typeof document !== 'object' || document === null || pick(4) === 0) return value
  const keys = Object.keys(document)
  const key = keys[pick(Math.max(1, keys.length))]
  if (key === undefined) return value
  const object = document as Record<string, unknown>
  if (pick(6) === 0) delete object[key]
  else object[key] = mutate(object[key], value, choices)
  return document
}
