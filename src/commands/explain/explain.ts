// `ovl explain`: one word, or one file of a layer's directory.

import { OvlError, quote } from '../../errors/index.ts'
import { termNames } from '../../explain/index.ts'
import { explainFile, type FileExplanation } from './explain-file.ts'
import { explainWord, type WordExplanation } from './explain-word.ts'

/** What `ovl explain SUBJECT` found. */
export type Explanation = WordExplanation | FileExplanation

/**
 * Explains a word; what is no word is a path on this machine (`./redirect` is one in any case).
 * Errors: USAGE with words that there are, READ_FAILED.
 */
export function explain(subject: string): Explanation {
  const found = explainWord(subject) ?? explainFile(subject)
  if (found !== null) return found
  throw new OvlError('USAGE', `Cannot explain ${quote(subject)}: no such word, and no such file`, {
    facts: [`words: ${termNames().join(', ')}`, 'error codes of ovl, findings of ovl doctor, and “rule N”'],
    hint: 'ovl explain SOURCE PATH explains a path in an image, a bundle or a mounted overlay',
    data: { subject },
  })
}
