// What a step answers about an object.
import type { Json } from '../errors/index.ts'
import { fileTypeOf, majorOf, minorOf, type Stat } from '../fs/index.ts'

const nsPerDay = 86_400n * 1_000_000_000n
/** The kernel stamps with a clock that only moves every few milliseconds. */
const clockLagNs = 1_000_000_000n

/** Gives inodes labels, in the order in which they are met, and leaves out what no two runs share. */
export class StatLabels {
  readonly #labels = new Map<string, string>()
  /** Devices since the last mount: the next one may get other numbers. */
  readonly #devices = new Map<number, number>()
  readonly #startedNs: bigint

  /** `startedNs`: when the run began, by the clock of its file system; times from then on are not set by the scenario. */
  constructor(startedNs: bigint) {
    this.#startedNs = startedNs
  }

  /** The answer of lstat, stat and fstat. */
  toJson(stat: Stat): Json {
    const type = fileTypeOf(stat.mode)
    const isDevice = type === 'char' || type === 'block'
    return {
      type,
      ...(type === 'symlink' ? {} : { mode: octal(stat.mode & 0o7777) }),
      uid: stat.uid,
      gid: stat.gid,
      // The size of a directory is its file system's own affair.
      ...(type === 'dir' ? {} : { size: stat.sizeBytes }),
      nlink: stat.nlink,
      ...(isDevice ? { rdev: `${majorOf(stat.rdev)}:${minorOf(stat.rdev)}` } : {}),
      ...(!isTimeOfRun(stat.mtimeNs, this.#startedNs) ? { mtime: formatTime(stat.mtimeNs) } : {}),
      ino: this.#label(stat),
    }
  }

  /** Numbers of devices mean nothing any more. */
  remounted(): void {
    this.#devices.clear()
  }

  #label({ dev, ino }: Stat): string {
    const device = this.#devices.get(dev) ?? this.#devices.size
    this.#devices.set(dev, device)
    const key = `${device}:${ino}`
    const label = this.#labels.get(key) ?? `i${this.#labels.size + 1}`
    this.#labels.set(key, label)
    return label
  }
}

/**
 * True for a time that the clock gave during a run that began at `startedNs`; any other was set by the scenario, or
 * preserved by copy-up.
 */
export function isTimeOfRun(timeNs: bigint, startedNs: bigint): boolean {
  return timeNs >= startedNs - clockLagNs && timeNs <= startedNs + nsPerDay
}

/** Four octal digits. */
function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}

/** Seconds, with nine digits behind the point unless they are all 0: as in listings. */
export function formatTime(timeNs: bigint): string {
  const size = timeNs < 0n ? -timeNs : timeNs
  const fraction = size % 1_000_000_000n
  const seconds = `${timeNs < 0n ? '-' : ''}${size / 1_000_000_000n}`
  return fraction === 0n ? seconds : `${seconds}.${String(fraction).padStart(9, '0')}`
}
