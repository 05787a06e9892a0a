// What each operation of a random step is given: mostly something that it can work with.
import type { Json } from '../../errors/index.ts'
import type { Prng } from './prng.ts'
import type { RandomPlaces } from './random-places.ts'
import { symlinkTarget } from './random-tree.ts'
import { plainXattrs, wrongXattrs } from './random-xattrs.ts'

/** What arguments are drawn from. */
export type Draw = {
  readonly prng: Prng
  readonly places: RandomPlaces
  /** Paths of the layers. */
  readonly paths: readonly string[]
  /** Tells the contents of one step from those of another. */
  readonly text: string
}

/** An operation on a path, with the arguments behind its name. */
export type PathOperation =
  | ('lstat' | 'stat' | 'readlink' | 'readdir' | 'listxattr' | 'statfs')
  | ('read' | 'write' | 'append' | 'truncate')
  | ('mkdir' | 'mknod' | 'symlink' | 'link' | 'unlink' | 'rmdir' | 'rename')
  | ('chmod' | 'chown' | 'lchown' | 'utimens')
  | ('getxattr' | 'setxattr' | 'removexattr')

const any = ({ places }: Draw): readonly Json[] => [places.any()]

/** Arguments for each operation. */
export const randomArguments: { readonly [name in PathOperation]: (draw: Draw) => readonly Json[] } = {
  lstat: any,
  stat: any,
  listxattr: any,
  statfs: any,
  readlink: ({ places }) => [places.existing('symlink')],
  readdir: ({ places }) => [places.existing('dir')],
  read: ({ places }) => [places.openable()],
  write: ({ prng, places, text }) => [prng.chance(50) ? places.openable() : places.made('file'), text],
  append: ({ places, text }) => [places.openable(), text],
  truncate: ({ prng, places }) => [places.openable(), prng.pick([0, 1, 5, 100, 9000])],
  mkdir: ({ prng, places }) => [
    places.made('dir'),
    prng.pick(['0755', '0755', '0777', '0700', '2775', '1777', '6000']),
  ],
  mknod,
  symlink: ({ prng, places, paths }) => [symlinkTarget(prng, { paths }), places.made('symlink')],
  link: ({ places }) => places.linked(),
  unlink: ({ places }) => [places.removed('file', 'symlink', 'special')],
  rmdir: ({ places }) => [places.removed('dir')],
  rename,
  chmod: ({ prng, places }) => [places.any(), prng.pick(['0644', '0600', '0755', '0000', '4755', '2755', '1777'])],
  chown: owner,
  lchown: owner,
  utimens: ({ prng, places }) => [
    places.any(),
    prng.pick(['now', 'omit', '5']),
    prng.pick(['omit', '7.5', '1234567890.000000001', 'now']),
  ],
  getxattr: ({ prng, places }) => [places.any(), attribute(prng)[0]],
  setxattr: ({ prng, places }) => [
    places.any(),
    ...attribute(prng),
    ...(prng.chance(25) ? [prng.pick(['CREATE', 'REPLACE'])] : []),
  ],
  removexattr: ({ prng, places }) => [places.any(), attribute(prng)[0]],
}

/** Arguments of open, behind the handle. */
export function openArguments({ prng, places }: Draw): readonly Json[] {
  const access = prng.pick(['O_RDONLY', 'O_RDONLY', 'O_WRONLY', 'O_RDWR'])
  const more = prng.weighted({
    '': 50,
    '|O_CREAT': 12,
    '|O_CREAT|O_EXCL': 8,
    '|O_TRUNC': 10,
    '|O_APPEND': 10,
    '|O_DIRECTORY': 5,
    '|O_NOFOLLOW': 5,
    '|O_NOATIME': 2,
    '|O_PATH': 3,
    '|O_TMPFILE': 3,
    '|O_TRUNC|O_APPEND|O_CREAT': 3,
  })
  const path = more.includes('O_CREAT') && prng.chance(60) ? places.made('file') : places.openable()
  return [path, access + more, prng.pick(['0644', '0666', '0600', '6777', '0000'])]
}

function mknod({ prng, places }: Draw): readonly Json[] {
  const type = prng.pick(['p', 'p', 's', 'c', 'b'])
  const device = type === 'c' || type === 'b' ? [prng.pick(['1:3', '0:1', '0:0'])] : []
  return [places.made('special'), type, prng.pick(['0644', '0666']), ...device]
}

function rename({ prng, places }: Draw): readonly Json[] {
  const flags = prng.chance(30)
    ? prng.pick([
        'NOREPLACE',
        'NOREPLACE',
        'EXCHANGE',
        'EXCHANGE',
        'EXCHANGE',
        'WHITEOUT',
        'NOREPLACE|EXCHANGE',
      ] as const)
    : ''
  return [...places.renamed(flags), ...(flags === '' ? [] : [flags])]
}

function owner({ prng, places }: Draw): readonly Json[] {
  return [places.any(), prng.pick([-1, 0, 1000, 1001]), prng.pick([-1, 0, 1000])]
}

function attribute(prng: Prng): readonly [string, Json] {
  const xattrs = prng.chance(15) ? wrongXattrs(prng) : plainXattrs(prng, prng.chance(50))
  const [entry] = Object.entries(xattrs)
  return entry ?? ['user.a', '1']
}
