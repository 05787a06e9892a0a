// The workdir of an overlay that is not mounted: leftovers, the marker of a volatile mount, the index.
import fs from 'node:fs'
import { isCode, quote } from '../../errors/index.ts'
import { hostPath, openLayerDirectory, ovlName, type System } from '../../host/index.ts'
import { type FindingCode, type LayerNode, type Mend, parseOrigin } from '../../overlay/index.ts'
import type { OriginFinder } from './origins.ts'

/** A workdir and what belongs to it. */
export type WorkdirContext = {
  readonly work: string
  readonly upper: string
  /** The top-most lower directory. */
  readonly lower: string
  readonly userxattr: boolean
  readonly system: System
  readonly origins: OriginFinder
  readonly report: (finding: WorkFinding) => void
}

/** Something wrong at a path of the workdir. */
export type WorkFinding = {
  readonly code: FindingCode
  readonly path: string
  readonly fact: string
  readonly mend: Mend | null
}

/** Checks a workdir. Errors: those of node:fs when it cannot be listed. */
export function checkWorkdir(context: WorkdirContext): void {
  const names = listDirectory('', context) ?? []
  const foreign = names.filter(name => name !== 'work' && name !== 'index')
  if (foreign.length > 0) {
    const some = foreign.slice(0, 3).map(quote).join(', ')
    const fact = `holds ${some}${foreign.length > 3 ? ' …' : ''}, which overlayfs leaves alone`
    context.report({ code: 'WORK_FOREIGN', path: '', fact, mend: null })
  }
  if (names.includes('work')) checkLeftovers(context)
  if (names.includes('index')) checkIndex(context)
}

/** Levels of directories that ovl_workdir_cleanup() removes. */
const removableLevels = 2

function checkLeftovers(context: WorkdirContext): void {
  for (const name of listDirectory('work', context) ?? []) {
    const path = `work/${name}`
    if (name === 'incompat') {
      checkVolatile(context)
      continue
    }
    const mend: Mend = { kind: 'remove-tree' }
    const isDeep = hasLevel(`${context.work}/${path}`, removableLevels)
    if (isDeep) {
      const fact = 'is left over, and too deep for the kernel to remove: the next mount would be read-only'
      context.report({ code: 'WORK_LEFTOVER_DEEP', path, fact, mend })
    } else context.report({ code: 'WORK_LEFTOVER', path, fact: 'is left over', mend })
  }
}

/** True when there is something this many levels below a path. */
function hasLevel(path: string, levels: number): boolean {
  const stat = fs.lstatSync(hostPath(path), { throwIfNoEntry: false })
  if (stat === undefined) return false
  if (levels === 0) return true
  if (!stat.isDirectory()) return false
  return fs
    .readdirSync(hostPath(path), { encoding: 'buffer' })
    .some(name => hasLevel(`${path}/${ovlName(name)}`, levels - 1))
}

function checkVolatile(context: WorkdirContext): void {
  const features = (listDirectory('work/incompat', context) ?? []).filter(name => !name.startsWith('.'))
  for (const feature of features) {
    const path = `work/incompat/${feature}`
    if (feature !== 'volatile') {
      const fact = `is the marker of a feature that this version of ovl does not know; the kernel refuses to mount`
      context.report({ code: 'WORK_VOLATILE', path, fact, mend: null })
      continue
    }
    const markedAt = fs.lstatSync(hostPath(`${context.work}/${path}`)).ctimeMs
    const isOfThisRun = markedAt >= bootTimeMs()
    const when = isOfThisRun ? 'since the last start of this machine' : 'before the last start of this machine'
    const loss = isOfThisRun ? 'nothing needs to be lost' : 'files of the upperdir may be empty or torn'
    const fact = `was left by a volatile mount ${when}: ${loss}, and the kernel refuses to mount`
    context.report({ code: 'WORK_VOLATILE', path, fact, mend: isOfThisRun ? { kind: 'sync-and-remove' } : null })
  }
}

/** When the kernel started; the far future where /proc does not tell, so that nothing counts as later. */
function bootTimeMs(): number {
  const seconds = /^btime (\d+)$/m.exec(fs.readFileSync('/proc/stat', 'latin1'))?.[1]
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000
}

function checkIndex(context: WorkdirContext): void {
  const { system, userxattr, report, work } = context
  const onUnreadable = (path: string, errno: string): void =>
    report({
      code: 'NOT_CHECKED',
      path: path === '' ? 'index' : `index/${path}`,
      fact: `could not be looked at (${errno})`,
      mend: null,
    })
  const index = openLayerDirectory(`${work}/index`, { system, userxattr, onUnreadable })
  const root = index.look('')
  if (root === null) return
  checkOwner(root, context)
  for (const { name } of index.list('')) {
    // What begins so was being made when the overlay ended.
    if (name.startsWith('#')) continue
    const node = index.look(name)
    if (node === null) continue
    const fault = faultOf(name, node)
    const path = `index/${name}`
    if (fault !== null) report({ code: 'INDEX_ENTRY_INVALID', path, fact: fault, mend: null })
    else if (context.origins.exists(Buffer.from(name, 'hex')) === false)
      report({ code: 'INDEX_ENTRY_STALE', path, fact: 'is for a lower file that is gone', mend: null })
  }
}

/** overlay.upper of the index names the upperdir, overlay.origin of the upperdir the top-most lower root. */
function checkOwner(root: LayerNode, context: WorkdirContext): void {
  const { system, userxattr, upper, lower, report } = context
  const owner = root.marks.get('upper')
  if (owner !== undefined && isOther(owner, upper, system)) {
    const fact = `belongs to another upperdir than ${upper}`
    report({ code: 'INDEX_FOREIGN', path: 'index', fact, mend: null })
  }
  const reader = openLayerDirectory(upper, { system, userxattr, onUnreadable: () => undefined })
  const origin = reader.look('')?.marks.get('origin')
  if (origin !== undefined && isOther(origin, lower, system)) {
    const fact = `was made over another lower layer than ${lower}`
    report({ code: 'INDEX_FOREIGN', path: 'index', fact, mend: null })
  }
}

function isOther(stored: Uint8Array, directory: string, system: System): boolean {
  const handle = parseOrigin(stored)
  if (handle === null || handle === 'unknown') return false // the kernel writes it anew
  const fd = fs.openSync(hostPath(directory), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  try {
    const own = system.fileHandle(fd)
    return own !== null && (handle.type !== (own.type & 0xff) || Buffer.compare(handle.bytes, own.bytes) !== 0)
  } finally {
    fs.closeSync(fd)
  }
}

/** What is wrong with an entry: `<hex of the origin>`, a link of an upper file, a directory, or a whiteout. */
function faultOf(name: string, { type, marks }: LayerNode): string | null {
  const isHex = /^(?:[\da-f]{2})+$/.test(name)
  const handle = isHex ? parseOrigin(Buffer.from(name, 'hex')) : null
  if (handle === null || handle === 'unknown') return 'has a name that is no file handle'
  if (type === 'whiteout') return null
  if (type === 'directory') return marks.has('upper') ? null : 'is a directory without overlay.upper'
  const origin = marks.get('origin')
  if (origin === undefined || Buffer.from(origin).toString('hex') !== name)
    return 'is named after another file than its overlay.origin'
  const links = marks.get('nlink')
  const isDifference = links === undefined || /^[UL][+-]\d+$/.test(Buffer.from(links).toString('latin1'))
  return isDifference ? null : 'has an overlay.nlink that is no difference such as "U+1"'
}

function listDirectory(path: string, { work, report }: WorkdirContext): readonly string[] | null {
  try {
    const directory = hostPath(path === '' ? `${work}/.` : `${work}/${path}`)
    return fs.readdirSync(directory, { encoding: 'buffer' }).map(name => ovlName(name))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    // A plain file of that name: the kernel replaces it.
    if (isCode(error, 'ENOTDIR') || isCode(error, 'ENOENT')) return null
    report({ code: 'NOT_CHECKED', path, fact: `could not be listed (${code})`, mend: null })
    return null
  }
}
