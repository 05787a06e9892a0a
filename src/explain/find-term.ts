// `ovl explain WORD`: the term behind a word, however it is written.

import { errnoTerms } from './terms/errnos.ts'
import { markTerms } from './terms/marks.ts'
import { optionTerms } from './terms/options.ts'
import { wordTerms } from './terms/words.ts'
import type { Term } from './term.ts'

/** Every term; each text stands here once. */
export const terms: readonly Term[] = [...errnoTerms, ...optionTerms, ...markTerms, ...wordTerms]

/**
 * The term of that name, case aside; an option may have its value (`redirect_dir=on`), a layer marker its name
 * (`.wh.passwd`). Null: none.
 */
export function findTerm(text: string): Term | null {
  const word = text.trim()
  const [option = ''] = word.split('=')
  const marker = word.startsWith('.wh.') && word !== '.wh..wh..opq' ? '.wh.' : ''
  for (const wanted of [word, option, marker]) {
    const found = wanted === '' ? undefined : byName().get(wanted.toLowerCase())
    if (found !== undefined) return found
  }
  return null
}

/** Names of all terms, for "did you mean". */
export function termNames(): readonly string[] {
  return terms.flatMap(({ names }) => names.slice(0, 1))
}

let index: ReadonlyMap<string, Term> | null = null

function byName(): ReadonlyMap<string, Term> {
  index ??= new Map(terms.flatMap(term => term.names.map(name => [name.toLowerCase(), term] as const)).toReversed())
  return index
}
