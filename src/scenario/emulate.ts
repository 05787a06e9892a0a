// The emulator as a runner: an overlay of ovl on directories of any file system of ovl.
import { type Errno, FsError, OvlError } from '../errors/index.ts'
import { type FileSystem, MemoryFs, rootOfNamespace } from '../fs/index.ts'
import { type OverlayEvent, OverlayFs } from '../overlay/index.ts'
import { lowerNames, type PlayOptions, playScenario } from './play.ts'
import type { Replay } from './result.ts'
import { isDataOnly, type Scenario, settingsOf } from './scenario.ts'

/** Where the layers of an emulated overlay lie; by default in memory. */
export type EmulationPlace = { readonly layers: FileSystem; readonly nowNs: () => bigint }

/** How to emulate. */
export type EmulationOptions = PlayOptions & {
  readonly place?: EmulationPlace
  /** Told of every decision of the overlay. */
  readonly trace?: (event: OverlayEvent) => void
}

/** Runs a scenario on the emulator. Errors: those of `playScenario`. */
export function emulateScenario(scenario: Scenario, options: EmulationOptions = {}): Replay {
  const place = options.place ?? inMemory()
  let overlay: OverlayFs | null = null
  return playScenario(
    scenario,
    {
      ...place,
      ...(scenario.userNamespace === true ? { superuser: namespaceRoot } : {}),
      mount() {
        overlay = mountEmulated(scenario, place.layers, options)
        return overlay
      },
      unmount() {
        overlay?.unmount()
        overlay = null
      },
    },
    options,
  )
}

/** As the kernel's runner makes it: the first 65536 ids are those outside. */
const namespaceRoot = rootOfNamespace([{ first: 0, count: 65_536 }])

function inMemory(): EmulationPlace {
  const layers = new MemoryFs()
  return { layers, nowNs: () => layers.superBlock.now() }
}

/** Errors: FsError with the errno that the kernel's mount(2) would give. */
function mountEmulated(scenario: Scenario, fs: FileSystem, { trace }: EmulationOptions): OverlayFs {
  const places = lowerNames(scenario).map(name => ({ fs, path: `/${name}` }))
  const isData = (_: unknown, index: number): boolean => {
    const layer = scenario.lower[index]
    return layer !== undefined && isDataOnly(layer)
  }
  try {
    return new OverlayFs({
      lower: places.filter((place, index) => !isData(place, index)),
      data: places.filter(isData),
      ...(scenario.upper === undefined ? {} : { upper: { fs, path: '/u' }, work: { fs, path: '/w' } }),
      options: settingsOf(scenario.options),
      ...(trace === undefined ? {} : { trace }),
      ...(scenario.userNamespace === true ? { mounter: namespaceRoot } : {}),
    })
  } catch (error) {
    const errno = error instanceof OvlError ? error.data['errno'] : undefined
    if (typeof errno === 'string') throw new FsError(errno as Errno, 'mount')
    throw error
  }
}
