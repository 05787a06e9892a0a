// Random images, dense in what makes layers depend on each other: few names, every type of entry, markers anywhere.

import fc from 'fast-check'
import type { TarCaseEntry } from './make-tar.ts'

const names = ['a', 'b', 'c'] as const
const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))
const target = fc.oneof(
  path,
  path.map(text => `/${text}`),
  path.map(text => `../${text}`),
  fc.tuple(path, path).map(([up, down]) => `${up}/../${down}`),
)
const mtime = fc.constantFrom(1_600_000_000, 1_700_000_000)
const mode = fc.constantFrom('0700', '0711', '0755')

const entry: fc.Arbitrary<TarCaseEntry> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('file'), name: path, mode, mtime, content: fc.constantFrom('x', 'yy') }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('dir'), name: path, mode, mtime }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('symlink'), name: path, mtime, linkname: target }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('hardlink'), name: path, linkname: path }) },
  { weight: 2, arbitrary: path.map((p): TarCaseEntry => ({ type: 'file', name: p.replace(/([^/]+)$/, '.wh.$1') })) },
  { weight: 1, arbitrary: path.map((p): TarCaseEntry => ({ type: 'file', name: `${p}/.wh..wh..opq` })) },
)
const rootEntry: fc.Arbitrary<TarCaseEntry> = fc.constantFrom<TarCaseEntry>(
  { type: 'dir', name: './', mode: '0711' },
  { type: 'file', name: '.wh..wh..opq' },
)
const layer = fc
  .tuple(fc.array(entry, { maxLength: 7 }), fc.option(rootEntry, { freq: 8 }))
  .map(([entries, first]): readonly TarCaseEntry[] => (first === null ? entries : [...entries, first]))

/** One to four layers, base first; some are refused (a link to nothing, a loop of symlinks). */
export const randomLayers: fc.Arbitrary<readonly (readonly TarCaseEntry[])[]> = fc.array(layer, {
  minLength: 1,
  maxLength: 4,
})
