// `ovl doctor --overlay`: what is wrong with the directories of an overlay, and mending it.

import { OvlError, quote } from '../errors/index.ts'
import { loadSystem, openLayerDirectory, type System } from '../host/index.ts'
import { readModuleDefaults } from '../mount/index.ts'
import { checkOverlay, type FindingCode, findingCodes, type Mend, type Severity } from '../overlay/index.ts'
import { checkWorkdir } from './overlay-check/check-workdir.ts'
import { type Directories, findMountPoint, findRefusal, readDirectories } from './overlay-check/directories.ts'
import { mendFinding } from './overlay-check/mend.ts'
import { openOriginFinder } from './overlay-check/origins.ts'

/** What may be changed: nothing, upperdir and workdir, or lower layers too. */
export type FixMode = 'no' | 'upper' | 'lower'

/** The directories, as the user wrote them. */
export type OverlayDoctorOptions = {
  readonly upper: string | null
  /** Each in the form of `lowerdir=`. */
  readonly lower: readonly string[]
  readonly work: string | null
  readonly userxattr: boolean
  readonly fix: FixMode
  /** Says what `fix` would do, and does nothing. */
  readonly dryRun: boolean
}

/** Something wrong, and what became of it. */
export type OverlayFinding = {
  readonly code: FindingCode
  readonly severity: Severity
  readonly role: 'upperdir' | 'lowerdir' | 'workdir' | 'overlay'
  /** As the user gave it; null of the overlay as a whole. */
  readonly directory: string | null
  readonly path: string
  readonly fact: string
  readonly mend: {
    readonly action: string
    /** `possible`: nobody asked for it. */
    readonly state: 'possible' | 'would be done' | 'done' | 'failed'
    readonly reason: string | null
  } | null
}

/** What `ovl doctor --overlay` finds. */
export type OverlayReport = Directories & {
  /** The mount point of an overlay that uses these directories now. */
  readonly mountedOn: string | null
  readonly findings: readonly OverlayFinding[]
  /** No error and no warning is left. */
  readonly ok: boolean
}

/**
 * Checks the directories of an overlay.
 *
 * Errors: USAGE, INPUT_NOT_FOUND, OVL_BAD_LOWERDIR; OVL_IN_USE when something mounted is to be mended; UNSUPPORTED
 * without koffi.
 */
export async function examineOverlay(options: OverlayDoctorOptions): Promise<OverlayReport> {
  const system = loadSystem()
  if (system === null) {
    const hint = 'npm install koffi'
    throw new OvlError('UNSUPPORTED', 'Cannot check an overlay: koffi is missing, and attributes cannot be read', {
      hint,
    })
  }
  const overlay = readDirectories(options)
  const mountedOn = findMountPoint(overlay, options.fix === 'lower')
  if (mountedOn !== null && options.fix !== 'no' && !options.dryRun) throw inUse(mountedOn)
  const raw = findAll(overlay, { system, isMounted: mountedOn !== null })
  const findings: OverlayFinding[] = []
  for (const finding of raw) findings.push(await mendOrTell(finding, { ...options, ...overlay, system }))
  const isLeft = ({ severity, mend }: OverlayFinding): boolean => severity !== 'note' && mend?.state !== 'done'
  return { ...overlay, mountedOn, findings, ok: !findings.some(isLeft) }
}

type RawFinding = Pick<OverlayFinding, 'code' | 'role' | 'directory' | 'path' | 'fact'> & { readonly mend: Mend | null }

function inUse(mountPoint: string): OvlError {
  return new OvlError('OVL_IN_USE', `Cannot mend the overlay: it is mounted on ${quote(mountPoint)}`, {
    facts: ['what changes below a mounted overlay is undefined'],
    hint: `ovl umount ${quote(mountPoint)}`,
    data: { mountPoint },
  })
}

function findAll(
  directories: Directories,
  { system, isMounted }: { system: System; isMounted: boolean },
): RawFinding[] {
  const { upper, lower, data, work, userxattr } = directories
  const findings: RawFinding[] = []
  const layers = upper === null ? lower : [upper, ...lower]
  const roleOf = (layer: number): 'upperdir' | 'lowerdir' => (upper !== null && layer === 0 ? 'upperdir' : 'lowerdir')
  const unreadable = new Set<string>()
  const open = (directory: string, layer: number): ReturnType<typeof openLayerDirectory> =>
    openLayerDirectory(directory, {
      system,
      userxattr,
      onUnreadable(path, errno) {
        if (unreadable.has(`${layer}:${path}`)) return
        unreadable.add(`${layer}:${path}`)
        const fact = `could not be looked at (${errno})`
        findings.push({ code: 'NOT_CHECKED', role: roleOf(layer), directory, path, fact, mend: null })
      },
    })
  const origins = openOriginFinder(lower, system)
  try {
    const { redirect_dir, redirect_always_follow, metacopy } = readModuleDefaults()
    const overlay = {
      layers: layers.map(open),
      dataLayers: data.map((directory, index) => open(directory, layers.length + index)),
      hasUpper: upper !== null,
      followsRedirects: !userxattr && (redirect_dir || redirect_always_follow || upper === null),
      metacopy: !userxattr && metacopy,
    }
    if (!isMounted) findings.push(...tellRefusal(directories))
    checkOverlay(overlay, {
      userxattr,
      originExists: origins.exists,
      report: ({ layer, ...finding }) =>
        findings.push({ ...finding, role: roleOf(layer), directory: layers[layer] ?? null }),
    })
    const [top] = lower
    if (work !== null && upper !== null && top !== undefined && !isMounted) {
      checkWorkdir({
        work,
        upper,
        lower: top,
        userxattr,
        system,
        origins,
        report: finding => findings.push({ ...finding, role: 'workdir', directory: work }),
      })
    }
  } finally {
    origins.close()
  }
  return findings
}

/** What the kernel would refuse; what the other checks say better is left to them. */
function tellRefusal(directories: Directories): RawFinding[] {
  const error = findRefusal(directories)
  if (error === null || error.code === 'OVL_VOLATILE_LEFTOVER') return []
  const reason = error.message.replace(/^Cannot mount overlay on \/: /, '')
  const fact = `the kernel would refuse to mount it: ${reason} (${error.code})`
  return [{ code: 'MOUNT_REFUSED', role: 'overlay', directory: null, path: '', fact, mend: null }]
}

type MendContext = Pick<OverlayDoctorOptions, 'fix' | 'dryRun'> & Directories & { readonly system: System }

async function mendOrTell({ mend, ...finding }: RawFinding, context: MendContext): Promise<OverlayFinding> {
  const { severity, fix: action } = findingCodes[finding.code]
  const told = { ...finding, severity }
  if (mend === null || action === null || finding.directory === null) return { ...told, mend: null }
  const isLower = finding.role === 'lowerdir'
  if (context.fix === 'no' || (isLower && context.fix !== 'lower')) {
    const reason = isLower ? 'lower layers may be shared with others: --fix=lower' : null
    return { ...told, mend: { action, state: 'possible', reason } }
  }
  if (context.dryRun) return { ...told, mend: { action, state: 'would be done', reason: null } }
  const reason = await mendFinding({
    mend,
    directory: finding.directory,
    path: finding.path,
    prefix: context.userxattr ? 'user.overlay.' : 'trusted.overlay.',
    upper: context.upper,
    system: context.system,
  })
  return { ...told, mend: { action, state: reason === null ? 'done' : 'failed', reason } }
}
