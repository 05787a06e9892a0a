// The command of mount(8) that does the same.
import { shortOptionText } from './option-text.ts'
import type { MountPlan } from './preflight.ts'
import { shellQuote } from './shell-quote.ts'

/**
 * A line for a shell. Names are absolute where the kernel takes a string that long, else below a common directory; null
 * when even those are too long for one string, which only the newer mount interface avoids.
 */
export function mountCommand(plan: MountPlan): string | null {
  const generic = plan.options.generic.map(flag => `${flag},`).join('')
  const command = (text: string): string =>
    `mount -t overlay overlay -o ${shellQuote(`${generic}${text}`)} ${shellQuote(plan.target.realPath)}`
  const short = shortOptionText(plan, () => 0)
  if (short === null || short.directory === '/proc/self/fd') return null
  return short.directory === '/' ? command(short.text) : `cd ${shellQuote(short.directory)} && ${command(short.text)}`
}
