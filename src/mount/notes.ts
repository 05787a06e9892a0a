// What works otherwise on this overlay than on an ordinary file system, said before anybody is surprised.
import fs from 'node:fs'
import { type OverlayConfig, type OverlayNote, type OverlayOptions, shown } from '../overlay/index.ts'
import type { OpenDirectory } from './directory.ts'
import type { OpenLayers } from './layers.ts'

/** What was decided about an overlay. */
export type Outcome = { readonly options: OverlayOptions; readonly config: OverlayConfig; readonly isReadOnly: boolean }

/** What works otherwise than on an ordinary file system. */
export function behaviourNotes({ upper, work }: OpenLayers, { options, config, isReadOnly }: Outcome): OverlayNote[] {
  if (upper === null) return [{ about: 'upperdir', message: 'without upperdir the overlay is read-only' }]
  const origin = options.settings.redirect_dir === undefined && !config.userxattr ? ' here (module default)' : ''
  const isPlain = !isReadOnly && upper.mount?.type !== 'ramfs'
  return [
    ...(isPlain && config.redirectDir !== 'on'
      ? [note('redirect_dir', `redirect_dir=${config.redirectDir}${origin}: renaming a lower directory returns EXDEV`)]
      : []),
    ...(isPlain && !config.index ? [note('index', 'index=off: hard links break on copy-up')] : []),
    ...(config.fsync === 'volatile'
      ? [note('fsync', 'volatile: nothing is synced, and after a crash the upperdir is lost')]
      : []),
    ...(upper.mount?.type === 'ramfs'
      ? [note('upperdir', 'ramfs has no extended attributes: a directory made where one was removed fails with EIO')]
      : []),
    ...(work !== null && !isWritable(work)
      ? [note('workdir', `workdir ${shown(work.path)} is not writable: the overlay will be read-only`)]
      : []),
  ]
}

function isWritable({ fd }: OpenDirectory): boolean {
  try {
    fs.accessSync(`/proc/self/fd/${fd}`, fs.constants.W_OK)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return false
    throw error
  }
}

function note(about: string, message: string): OverlayNote {
  return { about, message }
}
