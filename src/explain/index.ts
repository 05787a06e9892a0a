export { findTerm, termNames, terms } from './find-term.ts'
export type { Circumstance, Term, TermKind } from './term.ts'
