// What a directory is good for: everything is tried in a workspace in it, which is removed afterwards.
import fs from 'node:fs'
import path from 'node:path'
import { freeSpace, type Space } from '../free-space.ts'
import { hostPath, ovlName } from '../host-path.ts'
import { findMount, readMounts } from '../mounts.ts'
import { removeTree } from '../remove-tree.ts'
import { loadSystem } from '../system/system.ts'
import { type Ability, able, unable, untried } from './ability.ts'
import { type TimeTrial, tryTimes, tryXattrs, type XattrTrial } from './attribute-trials.ts'
import { type FileTrials, tryFiles } from './file-trials.ts'
import { type OverlayTrial, tryOverlay } from './overlay-trial.ts'

/** What a directory and its file system can do. */
export type DirectoryProbe = {
  /** As it was asked for. */
  readonly path: string
  readonly realPath: string
  readonly space: Space
  /** Options of the mount that limit what files can do: "ro", "nodev", "nosuid", "noexec". */
  readonly restrictions: readonly string[]
  /** The flag of a directory of ext4 or f2fs whose names ignore case; null where it cannot be told. */
  readonly isCasefolded: boolean | null
  readonly writable: Ability
  /** Null in a directory that cannot be written to. */
  readonly trials: DirectoryTrials | null
}

/** What was tried in a directory. */
export type DirectoryTrials = {
  readonly files: FileTrials
  readonly xattrs: { readonly trusted: XattrTrial; readonly user: XattrTrial; readonly capabilities: XattrTrial }
  readonly times: TimeTrial
  /** An overlay with upperdir here, mounted by this user. */
  readonly native: OverlayTrial
  /** The same in a user namespace, with userxattr. */
  readonly userxattr: OverlayTrial
}

/** How to make the workspace. */
export type DirectoryProbeOptions = {
  /** Makes an empty directory in the given one. Errors: those of node:fs where it cannot be written to. */
  readonly makeWorkspace: (directory: string) => string
  /** May mount; otherwise only the user namespace is tried. */
  readonly canMount: boolean
}

/** Probes a directory. Errors: ENOENT, ENOTDIR, EACCES of the directory itself. */
export async function probeDirectory(directory: string, options: DirectoryProbeOptions): Promise<DirectoryProbe> {
  const realPath = ovlName(fs.realpathSync.native(hostPath(directory), { encoding: 'buffer' }))
  const mount = findMount(readMounts(), realPath)
  const shared = {
    path: directory,
    realPath,
    space: freeSpace(realPath),
    restrictions: ['ro', 'nodev', 'nosuid', 'noexec'].filter(word => mount?.options.includes(word) === true),
    isCasefolded: isCasefolded(realPath),
  }
  let workspace: string
  try {
    workspace = options.makeWorkspace(realPath)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (typeof code !== 'string') throw error
    return { ...shared, writable: unable(code), trials: null }
  }
  try {
    return { ...shared, writable: able, trials: await runTrials(workspace, options) }
  } finally {
    await removeTree(workspace)
  }
}

async function runTrials(workspace: string, { canMount }: DirectoryProbeOptions): Promise<DirectoryTrials> {
  const files = path.join(workspace, 'files')
  fs.mkdirSync(hostPath(files))
  return {
    files: tryFiles(files),
    xattrs: {
      trusted: tryXattrs(files, 'trusted'),
      user: tryXattrs(files, 'user'),
      capabilities: tryXattrs(files, 'security'),
    },
    times: tryTimes(files),
    native: canMount ? await tryOverlay(workspace, 'native') : notAllowed,
    userxattr: await tryOverlay(workspace, 'userxattr'),
  }
}

const mayNot = untried('this user may not mount')
const notAllowed: OverlayTrial = { namespace: mayNot, mounts: mayNot, whiteout: mayNot, opaque: mayNot, rename: mayNot }

/** FS_CASEFOLD_FL */
const casefoldFlag = 0x40000000

function isCasefolded(directory: string): boolean | null {
  const fd = fs.openSync(hostPath(directory), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  try {
    const flags = loadSystem()?.inodeFlags(fd) ?? null
    return flags === null ? null : (flags & casefoldFlag) !== 0
  } finally {
    fs.closeSync(fd)
  }
}
