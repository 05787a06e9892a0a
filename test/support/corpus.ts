// The corpus of public images, odd tar files and case tables that stands beside a checkout. It is not part of the
// project (its files come from public repositories), so tests that need it skip where it is absent.

import fs from 'node:fs'
import path from 'node:path'
import { skipUnless } from './probe.ts'

/** Directory of the corpus, or null. `OVL_CORPUS` names it; the default is `../shared` beside the checkout. */
export const corpus: string | null = findCorpus(process.env['OVL_CORPUS'] ?? '../shared')

/** Skips the test or suite of this context where there is no corpus: `before(needsCorpus)`. */
export function needsCorpus(this: Mocha.Context): void {
  skipUnless(this, corpus !== null, 'no corpus (OVL_CORPUS or ../shared)', { optional: true })
}

/** A path inside the corpus, for tests that called `needsCorpus`. */
export function corpusPath(...names: readonly string[]): string {
  if (corpus === null) throw new Error('Cannot name a file of the corpus: there is none')
  return path.join(corpus, ...names)
}

function findCorpus(directory: string): string | null {
  const absolute = path.resolve(directory)
  return fs.existsSync(path.join(absolute, 'cases', 'layer-edges.json')) ? absolute : null
}
