// Open files are names, so a misspelt one would only show as EBADF on every runner alike.
import { quote } from '../errors/index.ts'
import { ScenarioMistake } from './mistake.ts'
import type { Step } from './scenario.ts'
import { stepTable } from './step-table.ts'

/** Every handle is opened before it is used, and closed before it is opened again. Errors: ScenarioMistake. */
export function checkHandles(steps: readonly Step[]): void {
  /** Where each was opened; a closed one stays known, since it may be used to see EBADF. */
  const opened = new Map<string, { readonly index: number; isOpen: boolean }>()
  steps.forEach(([name, first], index) => {
    if (typeof first !== 'string' || stepTable.get(name)?.args[0]?.name !== 'handle') return
    const known = opened.get(first)
    const place = `steps[${index}]`
    if (name === 'open') {
      if (known?.isOpen === true) {
        throw new ScenarioMistake(place, `${quote(first)} was opened by steps[${known.index}] and not closed since`)
      }
      opened.set(first, { index, isOpen: true })
      return
    }
    if (known === undefined) throw new ScenarioMistake(place, `no step before it opens ${quote(first)}`)
    if (name === 'close') known.isOpen = false
  })
}
