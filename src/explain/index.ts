export { codeRules } from './code-rules.ts'
export { findTerm, termNames, terms } from './find-term.ts'
export { type Circumstance, rulesBehind, type Term, type TermKind } from './term.ts'
export {
  explainPath,
  type ExplainPathOptions,
  type LayerView,
  type PathExplanation,
} from './path/explain-path.ts'
export { type ExplainedLayer, type NodeSummary } from './path/own-node.ts'
export { type OperationOutcome, type Stage, tryOperations } from './path/try-operations.ts'
