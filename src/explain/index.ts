export { codeRules } from './code-rules.ts'
export { findTerm, termNames, terms } from './find-term.ts'
export { type Circumstance, rulesBehind, type Term, type TermKind } from './term.ts'
