// The kernel and its overlayfs.
import fs from 'node:fs'
import os from 'node:os'
import { loadSystem } from '../system/system.ts'

/** What the kernel says about itself. */
export type KernelProbe = {
  readonly release: string
  readonly arch: string
  readonly overlay: {
    /** `loaded`; `loadable`: a module on the disk, which the first mount by root loads; `absent`. */
    readonly state: 'loaded' | 'loadable' | 'absent'
    /** /sys/module/overlay/parameters; null when the module is not loaded. */
    readonly parameters: { readonly [name: string]: string } | null
  }
  /** fsopen(2) and its kind: mounts without the limit of 4095 bytes. Null when it was not tried. */
  readonly hasMountContexts: boolean | null
}

/** Asks /proc, /sys and the module directory. */
export function probeKernel(): KernelProbe {
  const release = os.release()
  const isLoaded = /\boverlay$/m.test(readText('/proc/filesystems') ?? '')
  return {
    release,
    arch: os.arch(),
    overlay: {
      state: isLoaded ? 'loaded' : hasModule(release) ? 'loadable' : 'absent',
      parameters: isLoaded ? readParameters() : null,
    },
    hasMountContexts: hasMountContexts(),
  }
}

const parameterDirectory = '/sys/module/overlay/parameters'

function readParameters(): { readonly [name: string]: string } {
  if (!fs.existsSync(parameterDirectory)) return {}
  const names = fs.readdirSync(parameterDirectory).toSorted()
  return Object.fromEntries(
    names.flatMap(name => {
      const text = readText(`${parameterDirectory}/${name}`)
      return text === null ? [] : [[name, text.trim()]]
    }),
  )
}

function hasModule(release: string): boolean {
  const lists = ['modules.dep', 'modules.builtin'].map(name => readText(`/lib/modules/${release}/${name}`) ?? '')
  return lists.some(list => /\/overlay\.ko/.test(list))
}

/** The call with a type that no kernel has: EPERM without privilege, ENODEV with it, ENOSYS before Linux 5.2. */
function hasMountContexts(): boolean | null {
  try {
    loadSystem()?.fsopen('ovl-no-such-type').close()
    return null // koffi is missing
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOSYS'
  }
}

/** Null for what is not there or may not be read. */
export function readText(path: string): string | null {
  try {
    return fs.readFileSync(path, 'utf8')
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error
    return null
  }
}
