// `ovl explain SOURCE PATH`: why a path looks as it does, and with --ops what operations on it would do.

import {
  type ExplainedLayer,
  explainPath,
  type OperationOutcome,
  type PathExplanation,
  tryOperations,
} from '../../explain/index.ts'
import type { ImageOptions } from '../image-options.ts'
import { type NumberedRule, rulesOf } from './explain-word.ts'
import { warnOfMergedCopy } from './merged-copy.ts'
import { type ExplainSource, openDirectories, openSource, type SourceDirectories } from './open-source.ts'

/** What is to be explained. */
export type ExplainPathCommandOptions = ImageOptions & {
  /** An image, a bundle or a mounted overlay; null: the directories. */
  readonly source: string | null
  readonly directories: SourceDirectories
  readonly path: string
  readonly operations: boolean
}

/** The answer. */
export type PathReport = PathExplanation & {
  readonly title: string
  readonly rulesText: readonly NumberedRule[]
  /** Null: not asked for. */
  readonly operations: readonly OperationOutcome[] | null
}

/** Errors: those of `openSource`. */
export async function explainPathOf(options: ExplainPathCommandOptions): Promise<PathReport> {
  const { source, directories, path } = options
  const opened = source === null ? openDirectories(directories) : await openSource(source, options)
  try {
    const { title, settings } = opened
    const explanation = explainPath(layersOf(opened), path, { settings })
    const outcomes = options.operations ? operationsOn(opened, explanation) : null
    if (source !== null) warnOfMergedCopy(source, explanation.path, options)
    const rules = [...explanation.rules, ...(outcomes ?? []).flatMap(outcome => outcome.rules)]
    return { title, ...explanation, operations: outcomes, rulesText: rulesOf(rules) }
  } finally {
    opened.close()
  }
}

function layersOf({ upper, lower }: ExplainSource): readonly ExplainedLayer[] {
  return upper === null ? lower : [upper, ...lower]
}

function operationsOn(
  { upper, lower, settings }: ExplainSource,
  { path, node, missingParent }: PathExplanation,
): readonly OperationOutcome[] {
  const type = node === null || node.type === 'whiteout' ? null : node.type
  return missingParent === null ? tryOperations({ upper, lower, settings }, { path, type }) : []
}
