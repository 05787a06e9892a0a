import type { MachineReport } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import { type Ability, isBeyondTrial, type OverlayTrial, type TimeTrial, type XattrTrial } from '../../host/index.ts'
import { jsonName } from '../../path/index.ts'
import { sizeText } from '../wording.ts'

/** The lines of `ovl doctor`. */
export function renderMachine(report: MachineReport): string[] {
  return [
    kernelLine(report),
    userLine(report),
    ...directoryLines(report),
    `tools: ${report.tools.map(({ name, path, version }) => (path === null ? `${name} no` : `${name} ${version ?? 'yes'}`)).join(', ')}`,
    decoderLine(report),
    ...report.problems.flatMap(({ message, hint }) => [
      `problem  ${escapeControls(message)}`,
      ...(hint === null ? [] : [`  hint: ${hint}`]),
    ]),
  ]
}

/** The JSON of `ovl doctor`. */
export function machineToJson(report: MachineReport): { readonly [key: string]: Json } {
  const { kernel, user, directory, tools, decoders, koffi, problems } = report
  const { privileges, ...rest } = user
  return {
    kernel: { ...kernel },
    user: {
      ...rest,
      uid: privileges.uid,
      gid: privileges.gid,
      capabilities: [...privileges.capabilities],
      inInitialUserNamespace: privileges.inInitialUserNamespace,
      subordinateUids: rest.subordinateUids.map(range => ({ ...range })),
      subordinateGids: rest.subordinateGids.map(range => ({ ...range })),
    },
    directory: directoryToJson(directory),
    tools: tools.map(tool => ({ ...tool })),
    decoders: decoders.map(decoder => ({ ...decoder })),
    koffi,
    problems: problems.map(problem => ({ ...problem })),
    ok: problems.length === 0,
  }
}

function directoryToJson({ path, realPath, space, trials, ...rest }: MachineReport['directory']): Json {
  const tried =
    trials === null
      ? null
      : {
          files: { ...trials.files },
          xattrs: { ...trials.xattrs },
          times: {
            nanoseconds: trials.times.nanoseconds,
            earliest: limitToJson(trials.times.earliest),
            latest: limitToJson(trials.times.latest),
          },
          overlay: { native: { ...trials.native }, userxattr: { ...trials.userxattr } },
        }
  const { mountPoint, ...sizes } = space
  return {
    path: jsonName(path),
    realPath: jsonName(realPath),
    space: { mountPoint: jsonName(mountPoint), ...sizes },
    ...rest,
    trials: tried,
  }
}

/** RFC 3339, or "none" where no limit was found. */
function limitToJson(seconds: number | null): Json {
  return seconds === null ? null : isBeyondTrial(seconds) ? 'none' : new Date(seconds * 1000).toISOString()
}

function kernelLine({ kernel }: MachineReport): string {
  const { state, parameters } = kernel.overlay
  const words = { loaded: 'yes', loadable: 'as a module that is not loaded', absent: 'no' } as const
  const settings = Object.entries(parameters ?? {}).map(([name, value]) => `${name}=${value}`)
  const shown = settings.length === 0 ? '' : `   module params: ${settings.join(' ')}`
  return `kernel ${kernel.release} (${kernel.arch})   overlay: ${words[state]}${shown}`
}

function userLine({ user, directory }: MachineReport): string {
  const { privileges, fuse, fusermount } = user
  const has = (name: string): string => `${name} ${privileges.capabilities.has(name) ? 'yes' : 'no'}`
  const inside = privileges.inInitialUserNamespace ? '' : ' (inside a user namespace)'
  const namespaces = directory.trials?.userxattr
  const ids = user.subordinateUids.reduce((sum, { count }) => sum + count, 0)
  return [
    `you: ${escapeControls(user.name ?? `uid ${privileges.uid}`)}${inside}, ${has('CAP_SYS_ADMIN')}, ${has('CAP_MKNOD')}`,
    `user namespaces: ${namespaces === undefined ? 'not tried' : namespaceText(namespaces)}${ids === 0 ? '' : `, ${ids} subordinate ids`}`,
    `FUSE: ${abilityText(fuse)}${fusermount === null ? ', no fusermount' : ''}`,
  ].join('   ')
}

function namespaceText({ namespace, mounts }: OverlayTrial): string {
  if (namespace.ok !== true) return abilityText(namespace)
  return mounts.ok === true ? 'yes (userxattr mounts work)' : `yes (userxattr mounts fail: ${mounts.reason ?? '?'})`
}

function directoryLines({ directory }: MachineReport): string[] {
  const { path, space, trials, restrictions } = directory
  const limits = restrictions.length === 0 ? '' : `, mounted ${restrictions.join(' ')}`
  const head = `${escapeControls(path)} (${space.type ?? 'unknown file system'}${limits})`
  const free = `${sizeText(space.freeBytes)} free`
  if (trials === null) return [`${head}: cannot be written to (${directory.writable.reason ?? '?'})   ${free}`]
  const { files, xattrs, times, native, userxattr } = trials
  return [
    `${head}: ${upperdirText(native, userxattr)}   ${free}`,
    `  d_type ${abilityText(files.entryTypes)}, trusted.* ${xattrText(xattrs.trusted)}, user.* ${xattrText(xattrs.user)}, whiteouts ${abilityText(files.whiteouts)}, whiteout rename ${abilityText(files.renameWhiteout)}, O_TMPFILE ${abilityText(files.temporaryFiles)}, file handles ${abilityText(files.fileHandles)}`,
    `  devices ${abilityText(files.devices)}, owners ${abilityText(files.owners)}, capabilities ${abilityText(xattrs.capabilities)}, hard links ${abilityText(files.hardLinks)}, reflinks ${abilityText(files.reflinks)}, exchange ${abilityText(files.renameExchange)}`,
    `  times ${timesText(times)}, nanoseconds ${abilityText(times.nanoseconds)}; names: case-sensitive ${abilityText(files.caseSensitive)}, any bytes ${abilityText(files.anyBytes)}`,
  ]
}

function upperdirText(native: OverlayTrial, userxattr: OverlayTrial): string {
  if (works(native)) return 'upperdir ok'
  if (works(userxattr)) return 'upperdir ok in a user namespace'
  const steps = native.mounts.ok === true ? native : userxattr.mounts.ok === true ? userxattr : null
  if (steps === null) return `no upperdir (${native.mounts.reason ?? '?'}; ${userxattr.mounts.reason ?? '?'})`
  const { whiteout, opaque, rename } = steps
  const broken = Object.entries({ whiteout, opaque, rename }).filter(([, { ok }]) => ok === false)
  return `poor upperdir: ${broken.map(([name, { reason }]) => `${name} fails (${reason ?? '?'})`).join(', ')}`
}

function works({ mounts, whiteout, opaque, rename }: OverlayTrial): boolean {
  return [mounts, whiteout, opaque, rename].every(({ ok }) => ok === true)
}

function abilityText({ ok, reason }: Ability): string {
  if (ok === true) return 'yes'
  const why = reason === null ? '' : ` (${escapeControls(reason)})`
  return `${ok === false ? 'no' : 'not tried'}${why}`
}

function xattrText(trial: XattrTrial): string {
  if (trial.ok !== true || trial.largestBytes === null) return abilityText(trial)
  return trial.largestBytes >= 65536 ? 'yes' : `yes (up to ${trial.largestBytes} bytes)`
}

function timesText({ earliest, latest }: TimeTrial): string {
  const hasLimit = [earliest, latest].some(seconds => seconds !== null && !isBeyondTrial(seconds))
  return hasLimit ? `${dateText(earliest)} to ${dateText(latest)}` : 'of any year'
}

function dateText(seconds: number | null): string {
  if (seconds === null) return '?'
  return isBeyondTrial(seconds) ? 'without limit' : new Date(seconds * 1000).toISOString().slice(0, 10)
}

function decoderLine({ decoders, koffi }: MachineReport): string {
  const parts = decoders.map(({ compression, name }) => `${compression} ${name ?? 'no'}`)
  return `decompression: ${parts.join(', ')}   koffi: ${koffi ?? 'not installed'}`
}
