// The overlays that are mounted now, as mountinfo shows them (fs/overlayfs/params.c: ovl_show_options()).
import fs from 'node:fs'
import type { Mount } from '../host/index.ts'
import { splitLowerdir, unescapeLayer } from '../overlay/index.ts'
import { openDirectory, type OpenDirectory } from './directory.ts'

/** A directory that a mounted overlay writes to. */
export type UsedDirectory = {
  readonly role: 'upperdir' | 'workdir'
  readonly mount: Mount
  readonly directory: Omit<OpenDirectory, 'fd'>
}

/**
 * All directories of a mounted overlay. They are shown as the mounter wrote them: relative ones, and those of another
 * root, mean nothing here.
 */
export function layersOf(mount: Mount): string[] {
  return mount.superOptions.flatMap(option => {
    const [name, value] = nameAndValue(option)
    if (name === 'upperdir') return value
    if (name === 'lowerdir+' || name === 'datadir+') return value
    if (name !== 'lowerdir') return []
    const layers = splitLowerdir(value)
    return typeof layers === 'string' ? [] : [...layers.lower, ...layers.data]
  })
}

/** Upper and work directories of all overlays that can be found by their names. */
export function findUsedDirectories(mounts: readonly Mount[]): readonly UsedDirectory[] {
  return mounts
    .filter(mount => mount.type === 'overlay')
    .flatMap(mount =>
      mount.superOptions.flatMap(option => {
        const [role, value] = nameAndValue(option)
        if (role !== 'upperdir' && role !== 'workdir') return []
        // Given as a string it is shown with its backslashes, given by descriptor without any.
        const directory = lookAt(unescapeLayer(value), mounts) ?? lookAt(value, mounts)
        return directory === null ? [] : [{ role, mount, directory }]
      }),
    )
}

/** A directory that is open no longer; null for what cannot be found from here. */
export function lookAt(path: string, mounts: readonly Mount[]): Omit<OpenDirectory, 'fd'> | null {
  if (!path.startsWith('/')) return null
  try {
    const { fd, ...directory } = openDirectory(path, mounts)
    fs.closeSync(fd)
    return directory
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).code === 'string') return null // gone, or seen from another root
    throw error
  }
}

function nameAndValue(option: string): readonly [name: string, value: string] {
  const equals = option.indexOf('=')
  return equals < 0 ? [option, ''] : [option.slice(0, equals), option.slice(equals + 1)]
}
