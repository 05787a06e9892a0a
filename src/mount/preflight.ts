// Every rule by which the kernel refuses an overlay, checked before the kernel sees it: the kernel's own answers are
// three errnos, with the reason in a log that most users cannot read. What the kernel accepts is accepted; what may
// surprise is noted.
import fs from 'node:fs'
import { type Mount, probePrivileges, readMounts } from '../host/index.ts'
import {
  checkPresent,
  type OverlayConfig,
  type OverlayNote,
  type OverlayOptions,
  refusal,
  resolveSettings,
  shown,
} from '../overlay/index.ts'
import { checkFilesystems } from './check-filesystems.ts'
import { checkRelations } from './check-relations.ts'
import { checkUse } from './check-use.ts'
import { type OpenDirectory, openDirectory } from './directory.ts'
import { type OpenLayers, openLayers } from './layers.ts'
import { readModuleDefaults } from './module.ts'
import { behaviourNotes } from './notes.ts'

/** An overlay that the kernel should accept, with its directories open. */
export type MountPlan = {
  readonly options: OverlayOptions
  readonly config: OverlayConfig
  readonly layers: OpenLayers
  readonly target: OpenDirectory
  readonly isReadOnly: boolean
  readonly notes: readonly OverlayNote[]
  /** Closes the directories. */
  close(): void
}

/** Whom the overlay is for. */
export type PreflightOptions = {
  /** False in a user namespace; the default is what this process may do. */
  readonly hasTrustedXattrs?: boolean
}

/**
 * Checks an overlay and opens its directories; the caller closes the plan. Nothing is written.
 *
 * Errors: every OVL_… code but those of the syntax.
 */
export function preflight(
  options: OverlayOptions,
  targetPath: string,
  { hasTrustedXattrs = mayUseTrustedXattrs() }: PreflightOptions = {},
): MountPlan {
  const hasUpper = options.upper !== null
  const defaults = readModuleDefaults()
  const resolved = resolveSettings(options.settings, { target: targetPath, hasUpper, defaults, hasTrustedXattrs })
  checkPresent({ ...options, hasWork: options.work !== null }, targetPath)
  checkSecurity(options, targetPath)
  const mounts = readMounts()
  const target = openTarget(targetPath, mounts)
  try {
    const layers = openLayers(options, { mounts, target: targetPath })
    try {
      const context = { target: targetPath, mounts, config: resolved.config }
      checkFilesystems(layers, context)
      const notes = [...resolved.notes, ...checkRelations(layers, context), ...checkUse(layers, context)]
      const isReadOnly = !hasUpper || options.generic.includes('ro')
      return {
        options,
        config: resolved.config,
        layers,
        target,
        isReadOnly,
        notes: [...notes, ...behaviourNotes(layers, { options, config: resolved.config, isReadOnly })],
        close() {
          layers.close()
          fs.closeSync(target.fd)
        },
      }
    } catch (error) {
      layers.close()
      throw error
    }
  } catch (error) {
    fs.closeSync(target.fd)
    throw error
  }
}

/** Somebody who may not mount at all gets the answer that root would get. */
function mayUseTrustedXattrs(): boolean {
  const { canMount, canSetTrustedXattrs } = probePrivileges()
  return canSetTrustedXattrs || !canMount
}

/** Labels are for a security module to read. */
function checkSecurity({ security }: OverlayOptions, target: string): void {
  const [option] = security
  if (option === undefined || fs.existsSync('/sys/fs/selinux') || fs.existsSync('/sys/fs/smackfs')) return
  throw refusal('OVL_UNKNOWN_OPTION', `${option.name} is for a security module, and none is active here`, {
    errno: 'EINVAL',
    kernel: `overlay: Unknown parameter '${option.name}'`,
    target,
    data: { option: option.name },
  })
}

function openTarget(path: string, mounts: readonly Mount[]): OpenDirectory {
  let target: OpenDirectory
  try {
    target = openDirectory(path, mounts)
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw error
    throw refusal('OVL_MOUNT_POINT_NOT_FOUND', 'there is no such directory', {
      errno,
      hint: `make it with: mkdir ${shown(path)}`,
      target: path,
      cause: error,
    })
  }
  if (target.isDirectory) return target
  fs.closeSync(target.fd)
  throw refusal('OVL_NOT_A_DIRECTORY', 'the mount point is not a directory', { errno: 'ENOTDIR', target: path })
}
