/** What kind of thing a term is. */
export type TermKind = 'errno' | 'option' | 'mark' | 'word'

/** One circumstance: what is the case, and the rule of overlayfs that says so (docs/overlayfs/rules.md). */
export type Circumstance = { readonly text: string; readonly rule: number }

/** The numbers of all rules that a term rests on. */
export function rulesBehind({ circumstances = [], rules = [] }: Term): readonly number[] {
  return [...rules, ...circumstances.map(({ rule }) => rule)]
}

/** Something that `ovl explain` explains by itself, without looking at any file. */
export type Term = {
  readonly kind: TermKind
  /** The first is how it is written; others find it too. */
  readonly names: readonly string[]
  /** What it is, in one line. */
  readonly title: string
  /** What it means, a sentence or a few. */
  readonly meaning: string
  /** Of an errno: when it occurs, each by a rule. */
  readonly circumstances?: readonly Circumstance[]
  /** What there is to know about anything else: numbers of rules, whose texts say it. */
  readonly rules?: readonly number[]
  readonly seeAlso: readonly string[]
}
