// `ovl explain WORD`: what an errno, option, mark, error code, finding or rule means. Texts are data of the rooms
// `explain`, `overlay` and `errors`; here is only which of them a word names.

import { type ErrorCode, errorCodes } from '../../errors/index.ts'
import { codeRules, findTerm, rulesBehind, type Term } from '../../explain/index.ts'
import { type FindingCode, findingCodes, type OverlayRule, overlayRules } from '../../overlay/index.ts'

/** A rule with its number. */
export type NumberedRule = OverlayRule & { readonly number: number }

/** What a word means. */
export type WordExplanation =
  | { readonly kind: 'term'; readonly term: Term; readonly rules: readonly NumberedRule[] }
  | {
      readonly kind: 'code'
      readonly code: ErrorCode
      readonly exitStatus: number
      readonly title: string
      readonly rules: readonly NumberedRule[]
    }
  | {
      readonly kind: 'finding'
      readonly code: FindingCode
      readonly severity: string
      readonly title: string
      readonly meaning: string
      readonly fix: string | null
      readonly rules: readonly NumberedRule[]
    }
  | { readonly kind: 'rule'; readonly rules: readonly NumberedRule[] }

/** Null when it is no word that ovl knows. */
export function explainWord(word: string): WordExplanation | null {
  return explainRule(word) ?? explainTerm(word) ?? explainCode(word.toUpperCase().replaceAll('-', '_'))
}

/** The rules of these numbers. */
export function rulesOf(numbers: readonly number[]): readonly NumberedRule[] {
  return [...new Set(numbers)].flatMap(number => {
    const rule = overlayRules[number]
    return rule === undefined ? [] : [{ number, ...rule }]
  })
}

/** `rule 124`, `rule124`, `#124` */
function explainRule(word: string): WordExplanation | null {
  const number = /^(?:rule\s*|#)(\d{1,3})$/i.exec(word.trim())?.[1]
  const rules = number === undefined ? [] : rulesOf([Number(number)])
  return rules.length === 0 ? null : { kind: 'rule', rules }
}

function explainTerm(word: string): WordExplanation | null {
  const term = findTerm(word)
  return term === null ? null : { kind: 'term', term, rules: rulesOf(rulesBehind(term)) }
}

function explainCode(word: string): WordExplanation | null {
  if (Object.hasOwn(errorCodes, word)) {
    const code = word as ErrorCode
    const { exit, title } = errorCodes[code]
    return { kind: 'code', code, exitStatus: exit, title, rules: rulesOf(codeRules[code] ?? []) }
  }
  if (!Object.hasOwn(findingCodes, word)) return null
  const code = word as FindingCode
  const { severity, title, meaning, fix, rules } = findingCodes[code]
  return { kind: 'finding', code, severity, title, meaning, fix, rules: rulesOf(rules) }
}
