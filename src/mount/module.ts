// What this kernel's overlayfs does when a mount does not say otherwise.
import fs from 'node:fs'
import { type ModuleDefaults, usualDefaults } from '../overlay/index.ts'

const directory = '/sys/module/overlay/parameters'

/** The parameters of the overlay module; where they cannot be read (module not loaded yet), the usual ones. */
export function readModuleDefaults(): ModuleDefaults {
  return {
    redirect_dir: readParameter('redirect_dir'),
    redirect_always_follow: readParameter('redirect_always_follow'),
    index: readParameter('index'),
    nfs_export: readParameter('nfs_export'),
    xino_auto: readParameter('xino_auto'),
    metacopy: readParameter('metacopy'),
  }
}

function readParameter(name: keyof ModuleDefaults): boolean {
  try {
    return fs.readFileSync(`${directory}/${name}`, 'latin1').startsWith('Y')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return usualDefaults[name]
  }
}
