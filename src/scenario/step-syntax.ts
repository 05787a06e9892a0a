// Reads a step: its operation, its arguments, and the options in an object at its end.
import { type Json, nearest, quote } from '../errors/index.ts'
import { type Credentials, user } from '../fs/index.ts'
import { ScenarioMistake } from './mistake.ts'
import type { Step } from './scenario.ts'
import { type Operation, stepTable } from './step-table.ts'

/** A step, understood. */
export type ReadStep = {
  readonly operation: Operation
  readonly values: readonly unknown[]
  /** Null: root. */
  readonly caller: Credentials | null
  readonly order: boolean
}

/** Reads a step. Errors: ScenarioMistake, without a place. */
export function readStep(step: Step): ReadStep {
  const [name, ...rest] = step
  const operation = stepTable.get(name)
  if (operation === undefined) throw unknownOperation(name)
  const [args, options] = splitOptions(rest)
  const values = operation.args.map((kind, index) => {
    const value = args[index]
    if (value === undefined) {
      if (kind.otherwise !== undefined) return kind.otherwise.value
      throw new ScenarioMistake('', `${name} needs ${operation.args.map(argument => argument.name).join(', ')}`)
    }
    const parsed = kind.parse(value)
    if (parsed === undefined)
      throw new ScenarioMistake('', `${kind.name} of ${name} is ${shownValue(value)}, not ${kind.expects}`)
    return parsed
  })
  if (args.length > operation.args.length) {
    throw new ScenarioMistake('', `${name} takes ${countOf(operation.args.length)}, got ${args.length}`)
  }
  return { operation, values, ...readOptions(name, options) }
}

type StepOptions = { readonly [key: string]: Json }

/** An object at the end holds options; one with base64 is content. */
function splitOptions(args: readonly Json[]): readonly [readonly Json[], StepOptions] {
  const last = args.at(-1)
  if (typeof last !== 'object' || last === null || Array.isArray(last) || 'base64' in last) return [args, {}]
  return [args.slice(0, -1), last as StepOptions]
}

function readOptions(name: string, options: StepOptions): Pick<ReadStep, 'caller' | 'order'> {
  for (const key of Object.keys(options)) {
    const fits = key === 'as' || (key === 'order' && name === 'readdir')
    if (!fits) throw new ScenarioMistake('', `${name} has no option ${quote(key)}`)
  }
  const { as, order } = options
  if (order !== undefined && typeof order !== 'boolean')
    throw new ScenarioMistake('', `order of ${name} is true or false`)
  return { caller: as === undefined ? null : readCaller(as), order: order === true }
}

const largestId = 2 ** 32 - 2

function readCaller(as: Json): Credentials {
  const fault = new ScenarioMistake('', '"as" is {"uid": NUMBER, "gid": NUMBER, "groups": [NUMBER, …]}')
  if (typeof as !== 'object' || as === null || Array.isArray(as)) throw fault
  const { uid, gid, groups, ...others } = as as StepOptions
  const list = groups ?? []
  if (!isId(uid) || !(gid === undefined || isId(gid)) || Object.keys(others).length > 0) throw fault
  if (!Array.isArray(list) || !list.every(isId)) throw fault
  return user(uid, gid ?? uid, list)
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largestId
}

function unknownOperation(name: unknown): ScenarioMistake {
  if (typeof name !== 'string') return new ScenarioMistake('', 'a step is ["operation", …arguments]')
  const near = nearest(name, [...stepTable.keys()])
  const hint = near === undefined ? '' : `; did you mean ${quote(near)}?`
  return new ScenarioMistake('', `unknown operation ${quote(name)}${hint}`)
}

function countOf(count: number): string {
  return count === 0 ? 'no argument' : count === 1 ? 'one argument' : `${count} arguments`
}

function shownValue(value: Json): string {
  const text = typeof value === 'string' ? quote(value) : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
