// Finds the directories of an overlay in the file systems they are given in, with what lies above them
// (fs/overlayfs/params.c: ovl_parse_layer(), ovl_mount_dir_check(); rules 26-30, 46).
import { errnoNumbers, FsError } from '../../errors/index.ts'
import type { FileSystem, Inode, SuperBlock } from '../../fs/index.ts'
import type { LayerRole } from '../options.ts'
import type { DirectorySet, PlacedDirectory } from './check-relations.ts'
import { cannotOpen, describeByPath, notADirectory, upperOnOverlay, upperReadOnly } from './refusals.ts'

/** A directory to be used by an overlay. */
export type LayerSource = { readonly fs: FileSystem; readonly path: string }

/** A directory that was found. */
export type Place = PlacedDirectory & {
  readonly superBlock: SuperBlock
  readonly root: Inode
  /** Identities of the directories it lies in, up to the root of its file system as that shows itself. */
  readonly above: readonly string[]
}

/** All directories of an overlay that were found; `lower` top-most first. */
export type Places = DirectorySet<Place>

/** OVERLAYFS_SUPER_MAGIC: f_type of an overlay. */
export const overlayMagic = 0x794c7630

/**
 * Follows symlinks, as the kernel does for layers.
 *
 * Errors: OVL_LOWER_NOT_FOUND, OVL_UPPER_NOT_FOUND, OVL_WORKDIR_NOT_FOUND, OVL_LAYER_UNREACHABLE, OVL_NOT_A_DIRECTORY,
 * and for upper and work OVL_UPPER_ON_OVERLAY, OVL_UPPER_READ_ONLY.
 */
export function openPlace(role: LayerRole, { fs, path }: LayerSource): Place {
  const { superBlock } = fs
  const chain = resolve(role, { fs, path })
  const root = chain.at(-1) ?? superBlock.root
  if (root.type !== 'dir') throw notADirectory({ role, path }, null)
  const place: Place = {
    role,
    path,
    superBlock,
    root,
    identity: identityOf(superBlock, root),
    above: chain
      .slice(0, -1)
      .map(inode => identityOf(superBlock, inode))
      .toReversed(),
  }
  if (role === 'upperdir' || role === 'workdir') checkWritable(place)
  return place
}

/** The same for the same object, through whichever file system it is reached. */
export function identityOf(superBlock: SuperBlock, inode: Inode): string {
  const { dev, ino } = superBlock.stat(inode)
  return `${dev}:${ino}`
}

/** True when `inner` lies in `outer`, or is it. */
export function isPlaceBelow(inner: Place, outer: Place): boolean {
  return inner.identity === outer.identity || inner.above.includes(outer.identity)
}

function checkWritable(place: Place): void {
  const { superBlock } = place
  const about = { target: null, ...describeByPath([place]) }
  if (superBlock.kind === 'overlay' || superBlock.statfs().type === overlayMagic) throw upperOnOverlay(place, about)
  if (superBlock.readOnly) throw upperReadOnly(place, about)
}

/** The object of a path and all above it, from the root on. */
function resolve(role: LayerRole, { fs, path }: LayerSource): readonly Inode[] {
  try {
    // For the caller's permissions, and the limits of paths; what it allows is then walked without asking again.
    fs.stat(path)
    return walk(fs.superBlock, path)
  } catch (error) {
    if (!(error instanceof FsError)) throw error
    const reason = { errno: error.code, number: -errnoNumbers[error.code], target: null, cause: error }
    throw cannotOpen({ role, path }, reason) ?? error
  }
}

function walk(superBlock: SuperBlock, path: string): readonly Inode[] {
  const chain: Inode[] = [superBlock.root]
  const pending = path.split('/').toReversed()
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (chain.length > 1) chain.pop()
      continue
    }
    const child = superBlock.lookup(chain.at(-1) ?? superBlock.root, name)
    if (child === null) throw new FsError('ENOENT', 'open', path)
    if (child.type !== 'symlink') {
      chain.push(child)
      continue
    }
    const target = superBlock.readlink(child)
    if (target.startsWith('/')) chain.splice(1)
    pending.push(...target.split('/').toReversed())
  }
  return chain
}
