// The runners that emulate: layers in memory, or on directories of this machine.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { openHostFs } from '../host/index.ts'
import { emulateScenario, type PlayOptions } from '../scenario/index.ts'
import { hostClock, type Runner } from './runner.ts'

/** The emulator on file systems in memory. */
export function openEmulatorRunner(options: PlayOptions = {}): Runner {
  return {
    name: 'emulator',
    title: 'emulator',
    isLikeTmpfs: true,
    run: async scenario => emulateScenario(scenario, options),
    close: async () => undefined,
  }
}

/**
 * The emulator on directories of this machine, in a temporary one that is removed by `close`.
 * Errors: UNSUPPORTED without koffi.
 */
export function openHostRunner(options: PlayOptions = {}): Runner {
  const parent = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-replay-')))
  let count = 0
  return {
    name: 'host',
    title: 'emulator on directories',
    isLikeTmpfs: false,
    async run(scenario) {
      const directory = path.join(parent, String(count++))
      fs.mkdirSync(directory, { mode: 0o755 })
      const layers = openHostFs(directory)
      try {
        return emulateScenario(scenario, { ...options, place: { layers, nowNs: hostClock } })
      } finally {
        layers.close()
        fs.rmSync(directory, { recursive: true, force: true })
      }
    },
    close: async () => fs.rmSync(parent, { recursive: true, force: true }),
  }
}
