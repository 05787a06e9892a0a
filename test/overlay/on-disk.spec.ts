// What the emulator leaves on disk is an overlay of the kernel, and the other way round: they take turns in changing one,
// and after every turn both show the same tree, in the same order and with the same inode numbers.

import { expect } from 'chai'
import fs from 'node:fs'
import { type FileSystem, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, readTree, writeTree } from '../../src/fs/index.ts'
import { type HostFs, loadKernelCalls, loadSystem, MNT_DETACH, openHostFs, SystemError } from '../../src/host/index.ts'
import { OvlError } from '../../src/errors/index.ts'
import { formatSettings, OverlayFs } from '../../src/overlay/index.ts'
import { openKernelFs } from '../../src/replay/index.ts'
import {
  isDataOnly,
  lowerNames,
  randomScenario,
  runSteps,
  type Scenario,
  settingsOf,
  type Step,
  treeOf,
} from '../../src/scenario/index.ts'
import { needsOverlayMounts, Stage } from '../support/overlay-stage.ts'
import { isRoot, skipUnless } from '../support/probe.ts'

const rounds = process.env['OVL_SLOW'] === undefined ? 25 : 400
const turns = 4

for (const kind of ['tmpfs', 'ext4'] as const) {
  describe(`An overlay on ${kind} that emulator and kernel change by turns`, function () {
    this.timeout(600_000)
    let stage: Stage | null = null

    before(needsOverlayMounts)
    before(function () {
      skipUnless(this, isRoot() && loadKernelCalls() !== null, 'needs root and koffi')
      stage = new Stage()
      stage.make(kind)
      if (kind === 'tmpfs') stage.mount('-t', 'tmpfs', 'none', kind)
      else skipUnless(this, stage.mountImage(['mkfs.ext4', '-q'], kind), 'no ext4 can be mounted', { optional: true })
    })
    after(() => stage?.remove())

    it('shows the same to both', () => {
      for (let seed = 0; seed < rounds; seed++) {
        const scenario = randomScenario(seed)
        if (scenario.upper === undefined) continue
        const directory = stage?.make(kind, String(seed)) ?? ''
        takeTurns(withoutVolatile(scenario), directory, seed)
        fs.rmSync(directory, { recursive: true })
      }
    })
  })
}

/** A volatile overlay can be mounted once. */
function withoutVolatile(scenario: Scenario): Scenario {
  const { volatile: _, ...options } = scenario.options
  return { ...scenario, options }
}

function takeTurns(scenario: Scenario, directory: string, seed: number): void {
  const host = openHostFs(directory)
  try {
    makeLayers(host, scenario)
    const steps = scenario.steps.filter(([operation]) => operation !== 'remount')
    const size = Math.ceil(steps.length / turns)
    for (let turn = 0; turn < turns; turn++) {
      const mine = steps.slice(turn * size, (turn + 1) * size)
      const [emulator, kernel] = [emulated(host, scenario), byKernel(directory, scenario)]
      const writer = turn % 2 === 0 ? emulator : kernel
      writer(overlay => change(overlay, { scenario, steps: mine }))
      // Looking at a directory that lacks its origin stores that, which changes how the next mount lists the one above.
      writer(describeTree)
      // Mounted anew: what a mount keeps in memory (link counts, the list of an open directory) is not on disk.
      const seen = kernel(describeTree)
      expect(emulator(describeTree), `seed ${seed}, turn ${turn}`).to.deep.equal(seen)
      if (typeof seen === 'string') return
    }
  } finally {
    host.close()
  }
}

function makeLayers(host: HostFs, scenario: Scenario): void {
  const xattrPrefix = scenario.options.userxattr === true ? 'user' : 'trusted'
  const names = lowerNames(scenario)
  for (const [index, layer] of scenario.lower.entries()) {
    writeTree(host, `/${names[index]}`, treeOf(layer), { xattrPrefix })
  }
  writeTree(host, '/u', scenario.upper ?? {}, { xattrPrefix })
  host.mkdir('/w', 0o755)
  host.mkdir('/m', 0o755)
}

function change(overlay: FileSystem, { scenario, steps }: { scenario: Scenario; steps: readonly Step[] }): void {
  const { umask } = scenario
  runSteps(overlay, steps, { startedNs: 0n, ...(umask === undefined ? {} : { umask }) })
}

/** Uses a mounted overlay and unmounts it; the errno of a mount that is refused. */
type Use = (use: (overlay: FileSystem) => unknown) => unknown

function emulated(host: HostFs, scenario: Scenario): Use {
  return use => {
    const places = lowerNames(scenario).map(name => ({ fs: host, path: `/${name}` }))
    const isData = (_: unknown, index: number): boolean => isDataOnly(scenario.lower[index] ?? {})
    let overlay: OverlayFs
    try {
      overlay = new OverlayFs({
        lower: places.filter((place, index) => !isData(place, index)),
        data: places.filter(isData),
        upper: { fs: host, path: '/u' },
        work: { fs: host, path: '/w' },
        options: settingsOf(scenario.options),
      })
    } catch (error) {
      if (error instanceof OvlError) return error.data['errno']
      throw error
    }
    try {
      return use(overlay)
    } finally {
      overlay.unmount()
    }
  }
}

function byKernel(directory: string, scenario: Scenario): Use {
  return use => {
    const system = loadSystem()
    if (system === null) throw new Error('Cannot mount: koffi is missing')
    const lower = lowerNames(scenario).map((name, index) => {
      const separator = isDataOnly(scenario.lower[index] ?? {}) ? '::' : index === 0 ? '' : ':'
      return `${separator}${directory}/${name}`
    })
    const options = [`lowerdir=${lower.join('')}`, `upperdir=${directory}/u`, `workdir=${directory}/w`]
    const text = [...options, ...formatSettings(settingsOf(scenario.options))].join(',')
    try {
      system.mount('overlay', `${directory}/m`, { source: 'overlay', flags: 0, options: text })
    } catch (error) {
      if (error instanceof SystemError) return error.code
      throw error
    }
    const overlay = openKernelFs(`${directory}/m`)
    try {
      return use(overlay)
    } finally {
      overlay.close()
      system.umount2(`${directory}/m`, MNT_DETACH)
    }
  }
}

/** All that both must agree on, other than access and change times. */
function describeTree(overlay: FileSystem): unknown {
  const tree = answer(() => readTree(overlay, '/', { mtime: true, exact: true }))
  if (typeof tree === 'string') return { tree }
  const paths = Object.keys(tree).map(key => `/${key}`)
  return {
    tree,
    numbers: paths.map(path => [path, answer(() => overlay.lstat(path).ino)]),
    orders: paths.map(path => [path, answer(() => entriesOf(overlay, path))]),
  }
}

function entriesOf(overlay: FileSystem, path: string): unknown {
  const handle = overlay.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  try {
    return handle.readdir()
  } finally {
    handle.close()
  }
}

/** What a call answers, or its errno. */
function answer<T>(call: () => T): T | string {
  try {
    return call()
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code)
    throw error
  }
}
