// config.json beside umoci's for the same image and rootfs. Whatever differs is in the table of differences, with
// the reason; a difference that no case shows any more has to leave the table.

import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { ociLayout } from '../../fixtures/archives.ts'
import { blob, manifest, ociTypes } from '../../fixtures/documents.ts'
import { createRuntimeConfig, hostRootfs } from '../../src/bundle/index.ts'
import { parseImageConfig } from '../../src/oci/index.ts'
import { hasTool, skipUnless } from '../support/probe.ts'

/** `only` names the image where the difference is allowed; without it, everywhere. */
type Difference = { readonly at: RegExp; readonly because: string; readonly only?: string }

const differences: readonly Difference[] = [
  { at: /^ociVersion$/, because: 'umoci of Debian 12 is from the time of runtime-spec 1.0' },
  { at: /^hostname$/, because: 'each tool has its own name' },
  { at: /^process\.terminal$/, because: 'umoci always asks for a terminal; here it depends on standard input' },
  { at: /^process\.capabilities\./, because: '14 capabilities instead of 3, none inheritable or ambient (ADR 2)' },
  { at: /^linux\.namespaces$/, because: 'a cgroup namespace as well, as later umoci has it' },
  { at: /^linux\.(maskedPaths|readonlyPaths)$/, because: "Docker's lists (ADR 2)" },
  {
    at: /^mounts \/(proc|dev\/shm|sys|dev\/mqueue|sys\/fs\/cgroup)\.options$/,
    because: 'no programs from /proc; another order',
  },
  { at: /^mounts \/data\.options$/, because: 'a volume starts as the image has it (ADR 2)' },
  {
    at: /^annotations org\.opencontainers\.image\.created$/,
    because: 'umoci writes the year 1 when the image has no date',
  },
  {
    at: /^annotations org\.opencontainers\.image\.(variant|os\.version|os\.features|stopSignal|exposedPorts|author)$/,
    because: 'conversion.md asks for them; umoci leaves some out or writes empty ones',
  },
  {
    at: /^annotations org\.opencontainers\.image\.architecture$/,
    because: 'labels win over derived annotations (conversion.md); not in this umoci',
    only: 'says everything',
  },
  {
    at: /^process\.env$/,
    because: 'HOME of the image is kept; this umoci replaces it',
    only: 'sets HOME',
  },
  { at: /^process\.user\.additionalGids$/, because: 'umoci repeats the group of the user' },
]

const passwd = 'root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\nhomeless:x:7:7:::/bin/sh\n'
const group = 'root:x:0:\nada:x:1000:ada\nstaff:x:50:homeless,ada\n'

const images: { readonly [title: string]: { readonly process: object; readonly top?: object } } = {
  'says nothing': { process: {} },
  'says everything': {
    process: {
      User: 'ada',
      Env: ['A=1', 'TERM=dumb', 'A=2', 'EMPTY='],
      Entrypoint: ['/bin/sh', '-c'],
      Cmd: ['echo "hi"'],
      WorkingDir: '/srv',
      Volumes: { '/data': {}, '/new dir': {} },
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      StopSignal: 'SIGINT',
      Labels: { a: 'b', 'org.opencontainers.image.architecture': 'label' },
    },
    top: { author: 'Ada', created: '2024-01-02T03:04:05Z', variant: 'v1', 'os.version': '6' },
  },
  'has user and group': { process: { User: 'ada:staff', Cmd: ['x'] } },
  'has numbers': { process: { User: '1000:7', Cmd: ['x'] } },
  'has a number with an account': { process: { User: '1000', Cmd: ['x'] } },
  'has a number without an account': { process: { User: '4711', Cmd: ['x'] } },
  'has a user without a home': { process: { User: 'homeless', Cmd: ['x'] } },
  'sets HOME': { process: { User: 'ada', Env: ['HOME=/elsewhere'], Cmd: ['x'] } },
}

describe('config.json beside umoci', () => {
  let top: string
  const shown = new Set<string>()

  before(function () {
    skipUnless(this, hasTool('umoci'), 'umoci is not installed')
    top = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-umoci-'))
    for (const name of ['etc', 'data']) fs.mkdirSync(path.join(top, 'rootfs', name), { recursive: true })
    fs.writeFileSync(path.join(top, 'rootfs/etc/passwd'), passwd)
    fs.writeFileSync(path.join(top, 'rootfs/etc/group'), group)
    fs.writeFileSync(path.join(top, 'rootfs/data/file'), 'content')
  })
  after(() => {
    if (top !== undefined) fs.rmSync(top, { recursive: true })
  })

  for (const [title, { process, top: fields }] of Object.entries(images)) {
    it(`is the same but for known differences when the image ${title}`, () => {
      const json = {
        architecture: 'amd64',
        os: 'linux',
        ...fields,
        config: process,
        rootfs: { type: 'layers', diff_ids: [] },
      }
      const rootfs = path.join(top, 'rootfs')
      const ours = createRuntimeConfig(parseImageConfig(json, 'test'), {
        rootPath: 'rootfs',
        rootfs: hostRootfs(rootfs),
      })
      const theirs = umociConfig(top, json)
      const unexplained = differing(members(ours), members(theirs)).filter(at => {
        const known = differences.filter(each => each.at.test(at) && (each.only ?? title) === title)
        for (const { because } of known) shown.add(because)
        return known.length === 0
      })
      expect(unexplained).to.deep.equal([])
    })
  }

  it('shows every difference of the table', () => {
    expect(differences.map(({ because }) => because).filter(because => !shown.has(because))).to.deep.equal([])
  })
})

function umociConfig(top: string, json: object): unknown {
  const directory = fs.mkdtempSync(path.join(top, 'layout-'))
  const config = blob(ociTypes.config, json)
  for (const [name, bytes] of ociLayout(manifest(config, []), { tag: 'x', blobs: [config] })) {
    fs.mkdirSync(path.dirname(path.join(directory, name)), { recursive: true })
    fs.writeFileSync(path.join(directory, name), bytes)
  }
  const target = path.join(directory, 'config.json')
  const rootfs = path.join(top, 'rootfs')
  execFileSync('umoci', ['raw', 'runtime-config', '--image', `${directory}:x`, '--rootfs', rootfs, target])
  return JSON.parse(fs.readFileSync(target, 'utf8'))
}

/** Every value by its path; mounts by destination, annotations by key, so that order plays no part there. */
function members(config: unknown): ReadonlyMap<string, string> {
  const { mounts, annotations, ...rest } = config as {
    mounts: readonly { destination: string }[]
    annotations?: Record<string, string>
  }
  const all = new Map<string, string>()
  const visit = (value: unknown, at: string): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) all.set(at, JSON.stringify(value))
    else for (const [key, member] of Object.entries(value)) visit(member, at === '' ? key : `${at}.${key}`)
  }
  visit(rest, '')
  for (const mount of mounts) visit(mount, `mounts ${mount.destination}`)
  for (const [key, value] of Object.entries(annotations ?? {})) all.set(`annotations ${key}`, value)
  return all
}

function differing(ours: ReadonlyMap<string, string>, theirs: ReadonlyMap<string, string>): readonly string[] {
  return [...new Set([...ours.keys(), ...theirs.keys()])].filter(at => ours.get(at) !== theirs.get(at)).toSorted()
}
