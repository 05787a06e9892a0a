import { loadCommand } from '../../commands/index.ts'
import { exitStatus } from '../../errors/index.ts'
import { explanationToJson, renderExplanation } from '../render/explain.ts'
import type { Action } from '../spec.ts'
import { argumentAt } from './image-options.ts'

/** Prints what a word or a file means. */
export const explainAction: Action = async (call, session) => {
  const { explain } = await loadCommand.explain()
  const explanation = explain(argumentAt(call, 0))
  await session.answer('ovl.explain/1', {
    text: view => renderExplanation(explanation, view),
    json: () => explanationToJson(explanation),
  })
  return exitStatus.done
}
