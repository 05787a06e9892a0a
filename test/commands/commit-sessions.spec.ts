// Random sessions of the emulator: what is left in the upper directory, written as a layer on an image of the lower ones,
// gives the tree that the session ended with.

import { expect } from 'chai'
import { emptyView } from '../../src/commands/changes/empty-view.ts'
import { FsError, OvlError } from '../../src/errors/index.ts'
import { type FileSystem, MemoryFs } from '../../src/fs/index.ts'
import {
  type Change,
  type Changeset,
  diffTrees,
  diffUpper,
  encodeLayerBytes,
  layerEntries,
  type LayerEntryOptions,
  viewFileSystem,
} from '../../src/layer/index.ts'
import { OverlayFs } from '../../src/overlay/index.ts'
import { emulateScenario, lowerNames, randomScenario, type Scenario, settingsOf } from '../../src/scenario/index.ts'
import { openMergedImage } from '../../src/unpack/index.ts'
import { memoryImage } from '../support/memory-image.ts'

const sessions = 150

describe('commit of random sessions', () => {
  it(`of ${sessions}: the image shows what the session ended with`, async () => {
    let compared = 0
    for (let seed = 1; seed <= sessions; seed++) if (await compareSession(seed)) compared++
    expect(compared).to.be.greaterThan(sessions / 3)
  })

  for (const opaque of ['marker', 'explicit'] as const) {
    it(`without parents, opaque directories by ${opaque}: nothing but times of directories is lost`, async () => {
      let compared = 0
      for (let seed = 1; seed <= sessions; seed++)
        if (await compareSession(seed, { opaque, withoutParents: true })) compared++
      expect(compared).to.be.greaterThan(sessions / 3)
    })
  }
})

type Layering = Pick<LayerEntryOptions, 'opaque' | 'withoutParents'>

/** False where a layer cannot say what happened: the sessions are about overlays, not about layers. */
async function compareSession(seed: number, layering: Layering = {}): Promise<boolean> {
  const scenario = randomScenario(seed)
  if (scenario.upper === undefined || scenario.lower.some(layer => 'dataOnly' in layer)) return false
  const layers = new MemoryFs()
  const place = { layers, nowNs: () => layers.superBlock.now() }
  if (emulateScenario(scenario, { place }).merged === null) return false
  const below = stack(layers, scenario, lowerNames(scenario))
  const session = stack(layers, scenario, ['u', ...lowerNames(scenario)])
  const tars = layersOf(below, { layers, scenario, layering })
  if (tars === null) return false
  const { merged, close } = await openMergedImage(memoryImage(tars))
  try {
    const after = withoutSockets(diffTrees(session, merged, { withoutParents: true }))
    const isLost = (change: Change): boolean => layering.withoutParents !== true || !isTimeOfDirectory(change)
    expect(after.filter(isLost), `seed ${seed}`).to.deep.equal([])
  } finally {
    close()
  }
  return true
}

/** Directories of the session as an overlay that is only read. */
function stack(fs: FileSystem, { options }: Scenario, names: readonly string[]): OverlayFs {
  const lower = names.map(name => ({ fs, path: `/${name}` }))
  while (lower.length < 2) lower.push({ fs: new MemoryFs(), path: '/' })
  const { userxattr } = settingsOf(options)
  return new OverlayFs({ lower, options: userxattr ? { userxattr } : { redirect_dir: 'on', metacopy: 'on' } })
}

/** The image of the lower layers, and the layer of the session; null where a name or a device cannot be in a layer. */
function layersOf(
  below: FileSystem,
  {
    layers,
    scenario,
    layering,
  }: { readonly layers: FileSystem; readonly scenario: Scenario; readonly layering: Layering },
): readonly Uint8Array[] | null {
  try {
    const base = encodeLayerBytes(layerEntries(diffTrees(emptyView, below), { warn: ignore }))
    const view = viewFileSystem(layers, 'u')
    const changes = diffUpper(view, { lower: below, userxattr: scenario.options.userxattr === true })
    return [base, encodeLayerBytes(layerEntries(changes, { ...layering, warn: ignore }))]
  } catch (error) {
    if (error instanceof OvlError || error instanceof FsError) return null
    throw error
  }
}

/** Sockets are left out of layers. */
function withoutSockets({ changes }: Changeset): readonly Change[] {
  return changes.filter(change => change.type !== 'socket')
}

function isTimeOfDirectory(change: Change): boolean {
  const others = Object.keys(change).filter(key => !['path', 'type', 'kind', 'time', 'isParent'].includes(key))
  return change.type === 'dir' && change.kind === 'changed' && others.length === 0
}

function ignore(): void {}
