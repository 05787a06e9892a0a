// What the files of a file system can be and carry, tried with real ones in a workspace of its own.
import fs from 'node:fs'
import path from 'node:path'
import { hostPath } from '../host-path.ts'
import { AT_FDCWD, RENAME_EXCHANGE, RENAME_NOREPLACE } from '../system/files.ts'
import { loadSystem, type System } from '../system/system.ts'
import { type Ability, tryOut, untried } from './ability.ts'

/** What a file system can do. Each was tried; null in `ok` where it could not be. */
export type FileTrials = {
  /** readdir(3) tells types. */
  readonly entryTypes: Ability
  readonly hardLinks: Ability
  readonly symlinks: Ability
  readonly fifos: Ability
  /** A character device 1:3. */
  readonly devices: Ability
  /** A character device 0:0, which needs no privilege since Linux 5.8. */
  readonly whiteouts: Ability
  readonly renameWhiteout: Ability
  readonly renameExchange: Ability
  readonly renameNoReplace: Ability
  /** ioctl(FICLONE): copies that share their blocks. */
  readonly reflinks: Ability
  /** open(O_TMPFILE) */
  readonly temporaryFiles: Ability
  /** File handles: overlay.origin, index and nfs_export need them. */
  readonly fileHandles: Ability
  /** A file may belong to another user. */
  readonly owners: Ability
  /** Names that differ in case only are different files. */
  readonly caseSensitive: Ability
  /** Names of bytes that are no UTF-8. */
  readonly anyBytes: Ability
  /** Names of 255 bytes. */
  readonly longNames: Ability
}

/** Tries everything in `workspace`, an empty directory; what it makes stays there. */
export function tryFiles(workspace: string): FileTrials {
  const trials = new Trials(workspace)
  return {
    entryTypes: trials.withSystem(system => knowsTypes(system, workspace)),
    hardLinks: tryOut(() => fs.linkSync(trials.file(), trials.fresh())),
    symlinks: tryOut(() => fs.symlinkSync('target', trials.fresh())),
    fifos: trials.withSystem(system => trials.makeNode(system, S_IFIFO, 0, 0)),
    devices: trials.withSystem(system => trials.makeNode(system, S_IFCHR, 1, 3)),
    whiteouts: trials.withSystem(system => trials.makeNode(system, S_IFCHR, 0, 0)),
    renameWhiteout: trials.withSystem(system => {
      const from = trials.file()
      system.renameat2(AT_FDCWD, from, AT_FDCWD, trials.fresh(), RENAME_WHITEOUT)
      const left = fs.lstatSync(from)
      return left.isCharacterDevice() && left.rdev === 0
    }),
    renameExchange: trials.withSystem(system =>
      system.renameat2(AT_FDCWD, trials.file(), AT_FDCWD, trials.file(), RENAME_EXCHANGE),
    ),
    renameNoReplace: trials.withSystem(system =>
      system.renameat2(AT_FDCWD, trials.file(), AT_FDCWD, trials.fresh(), RENAME_NOREPLACE),
    ),
    reflinks: trials.withSystem(system => clones(system, trials.file(), trials.file()), 'not on this file system'),
    temporaryFiles: tryOut(() => openTemporaryFile(workspace)),
    fileHandles: trials.withSystem(system => hasHandles(system, trials.file())),
    owners: tryOut(() => fs.chownSync(trials.file(), 1, 1)),
    caseSensitive: tryOut(() => !fs.existsSync(trials.file('Case').replace(/Case$/, 'cASE')), 'it is not'),
    anyBytes: tryOut(() => fs.writeFileSync(hostPath(path.join(workspace, 'caf\udce9')), '')),
    longNames: tryOut(() => fs.writeFileSync(path.join(workspace, 'n'.repeat(255)), '')),
  }
}

const [S_IFIFO, S_IFCHR] = [0o10000, 0o20000]
const RENAME_WHITEOUT = 4
const O_TMPFILE = 0o20200000

class Trials {
  readonly #workspace: string
  #count = 0

  constructor(workspace: string) {
    this.#workspace = workspace
  }

  /** A path that is free. */
  fresh(): string {
    return path.join(this.#workspace, `f${this.#count++}`)
  }

  /** A new file with one block. */
  file(name?: string): string {
    const file = name === undefined ? this.fresh() : path.join(this.#workspace, name)
    fs.writeFileSync(hostPath(file), Buffer.alloc(4096, 'x'))
    return file
  }

  makeNode(system: System, type: number, major: number, minor: number): void {
    system.mknodat(AT_FDCWD, this.fresh(), { mode: type | 0o600, major, minor })
  }

  withSystem(trial: (system: System) => boolean | void, whenFalse?: string): Ability {
    const system = loadSystem()
    return system === null ? untried('needs koffi') : tryOut(() => trial(system), whenFalse)
  }
}

/** Everything but the entries "." and "..", of which some file systems say nothing. */
function knowsTypes(system: System, workspace: string): boolean {
  const directory = path.join(workspace, 'types')
  fs.mkdirSync(hostPath(directory))
  fs.writeFileSync(hostPath(path.join(directory, 'file')), '')
  const fd = fs.openSync(hostPath(directory), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  try {
    return (system.entryTypes(fd).get('file') ?? 0) !== 0
  } finally {
    fs.closeSync(fd)
  }
}

function clones(system: System, from: string, to: string): boolean {
  const source = fs.openSync(hostPath(from), 'r')
  const target = fs.openSync(hostPath(to), 'r+')
  try {
    return system.cloneFile(source, target)
  } finally {
    fs.closeSync(source)
    fs.closeSync(target)
  }
}

/** What overlayfs does with it, a link, is left out: only privileged processes may make one from a descriptor. */
function openTemporaryFile(directory: string): void {
  const fd = fs.openSync(hostPath(directory), O_TMPFILE | fs.constants.O_RDWR, 0o600)
  fs.closeSync(fd)
}

function hasHandles(system: System, file: string): boolean {
  const fd = fs.openSync(hostPath(file), 'r')
  try {
    return system.fileHandle(fd) !== null
  } finally {
    fs.closeSync(fd)
  }
}
