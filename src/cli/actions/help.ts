import { exitStatus, nearest, OvlError, quote } from '../../errors/index.ts'
import { renderCommandHelp, renderOverview } from '../help.ts'
import type { Action } from '../spec.ts'
import { topics } from '../topics.ts'
import { commandTree } from '../tree/index.ts'

/** Prints the overview, a page about one command, or a topic. Errors: USAGE for an unknown word. */
export const helpAction: Action = async (call, session) => {
  await session.print(helpLines(call.positionals[0]))
  return exitStatus.done
}

function helpLines(word: string | undefined): readonly string[] {
  if (word === undefined) return renderOverview(commandTree)
  if (word === 'topics') return topics.map(topic => `${topic.name.padEnd(12)}  ${topic.summary}`)
  const spec = commandTree.find(each => each.name === word || each.aliases?.includes(word))
  if (spec !== undefined) return renderCommandHelp(spec)
  const topic = topics.find(each => each.name === word)
  if (topic !== undefined) return topic.lines()
  const known = [...commandTree.flatMap(each => [each.name, ...(each.aliases ?? [])]), ...topics.map(each => each.name)]
  const near = nearest(word, known)
  throw new OvlError(
    'USAGE',
    `No help for ${quote(word)}.${near === undefined ? '' : ` Did you mean ${quote(near)}?`}`,
    {
      hint: `there is help for ${known.join(', ')}`,
    },
  )
}
