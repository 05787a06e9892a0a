/** What kind of thing a term is. */
export type TermKind = 'errno' | 'option' | 'mark' | 'word'

/** One circumstance: what is the case, and the rule of overlayfs that says so (docs/overlayfs/rules.md). */
export type Circumstance = { readonly text: string; readonly rule: number }

/** Something that `ovl explain` explains by itself, without looking at any file. */
export type Term = {
  readonly kind: TermKind
  /** The first is how it is written; others find it too. */
  readonly names: readonly string[]
  /** What it is, in one line. */
  readonly title: string
  /** What it means, a sentence or a few. */
  readonly meaning: string
  /** When it occurs, or what there is to know about it; each rests on a rule. */
  readonly circumstances: readonly Circumstance[]
  readonly seeAlso: readonly string[]
}
