// Canonical listings of trees (corpus: tools/listing.py) and what differs between two of them.

import { spawnSync } from 'node:child_process'
import { corpusPath } from './corpus.ts'

/** Columns of a listing after the path; bytes outside printable ASCII are written `\xHH`. */
export const listingColumns = [
  'type',
  'mode',
  'uid',
  'gid',
  'size',
  'sha256',
  'linkname',
  'mtime_s',
  'mtime_ns',
  'rdev',
  'xattrs',
  'hardlink_group',
] as const

/** A column of a listing. */
export type ListingColumn = (typeof listingColumns)[number]

/** path → column → text. */
export type Listing = ReadonlyMap<string, Readonly<Record<ListingColumn, string>>>

/** Lists a directory; needs the corpus, python3 and, to see everything, root. */
export function listTree(directory: string): Listing {
  const { stdout, stderr, status } = spawnSync('python3', ['-S', corpusPath('tools', 'listing.py'), directory], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  if (status !== 0) throw new Error(`Cannot list ${directory}: ${stderr}`)
  return parseListing(stdout)
}

/** Reads the text of a listing, such as a truth file of the corpus. */
export function parseListing(text: string): Listing {
  const rows = text.split('\n').filter(line => line !== '')
  return new Map(
    rows.map(row => {
      const [path = '', ...cells] = row.split('\t')
      const columns = listingColumns.map((column, index) => [column, cells[index] ?? ''])
      return [path, Object.fromEntries(columns) as Record<ListingColumn, string>]
    }),
  )
}

/** One line a difference: `etc/passwd mode 0644 | 0600`; `except` names path and column that may differ. */
export function listingDifferences(
  want: Listing,
  got: Listing,
  except: (path: string, column: ListingColumn) => boolean = () => false,
): readonly string[] {
  const missing = [...want.keys()].filter(path => !got.has(path)).map(path => `${path} is missing`)
  const extra = [...got.keys()].filter(path => !want.has(path)).map(path => `${path} should not be there`)
  const changed = [...want].flatMap(([path, columns]) => {
    const other = got.get(path)
    if (other === undefined) return []
    return listingColumns
      .filter(column => columns[column] !== other[column] && !except(path, column))
      .map(column => `${path} ${column} ${columns[column]} | ${other[column]}`)
  })
  return [...missing, ...extra, ...changed]
}
