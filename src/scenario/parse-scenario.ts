// Scenario files in, scenarios out. Whatever is wrong is named with its place: "steps[2]: …", "lower[0]."a/b": …".
import { nearest, OvlError, quote } from '../errors/index.ts'
import { settingFlags, settingValues } from '../overlay/index.ts'
import { parseTree } from '../fs/index.ts'
import { parseJson } from '../oci/index.ts'
import { checkHandles } from './check-handles.ts'
import {
  isDataOnly,
  type LowerTree,
  type Scenario,
  type ScenarioOptions,
  scenarioSchema,
  type Step,
} from './scenario.ts'
import { ScenarioMistake } from './mistake.ts'
import { readStep } from './step-syntax.ts'

/** Scenarios are written by people, or shrunk: this is far more than any needs. */
const maxFileBytes = 16 << 20

/**
 * Reads a scenario file. `where` names it in errors.
 * Errors: BAD_JSON, LIMIT_EXCEEDED, BAD_SCENARIO.
 */
export function parseScenario(bytes: Uint8Array, where: string): Scenario {
  return readScenario(parseJson(bytes, { where, maxBytes: maxFileBytes }), where)
}

/** The same for a document in memory. Errors: BAD_SCENARIO. */
export function readScenario(document: unknown, where = 'the scenario'): Scenario {
  try {
    return checkScenario(document, where)
  } catch (error) {
    if (!(error instanceof ScenarioMistake)) throw error
    const { place, fact } = error
    throw new OvlError('BAD_SCENARIO', `Cannot read ${where}: ${place === '' ? '' : `${place}: `}${fact}`, {
      data: { where, place },
    })
  }
}

function checkScenario(document: unknown, where: string): Scenario {
  const { schema, title, options, lower, upper, umask, userNamespace, steps, ...others } = objectAt('', document)
  if (schema !== scenarioSchema) {
    throw new ScenarioMistake('schema', `it is ${shown(schema)}, not "${scenarioSchema}"`)
  }
  refuseOthers('', others, ['schema', 'title', 'options', 'lower', 'upper', 'umask', 'userNamespace', 'steps'])
  if (title !== undefined && typeof title !== 'string') throw new ScenarioMistake('title', 'it is no text')
  if (umask !== undefined && !(typeof umask === 'string' && /^[0-7]{1,4}$/.test(umask))) {
    throw new ScenarioMistake('umask', `it is ${shown(umask)}, not an octal mask such as "022"`)
  }
  if (userNamespace !== undefined && typeof userNamespace !== 'boolean') {
    throw new ScenarioMistake('userNamespace', `it is ${shown(userNamespace)}, not true or false`)
  }
  return {
    schema,
    title: title ?? '',
    options: parseOptions(options ?? {}),
    lower: parseLower(lower, where),
    ...(upper === undefined ? {} : { upper: parseTree(upper, `upper of ${where}`) }),
    ...(umask === undefined ? {} : { umask }),
    ...(userNamespace === true ? { userNamespace } : {}),
    steps: parseSteps(steps ?? []),
  }
}

const flagNames: readonly string[] = settingFlags.filter(name => !name.endsWith('override_creds'))

function parseOptions(value: unknown): ScenarioOptions {
  const options = objectAt('options', value)
  for (const [name, setting] of Object.entries(options)) {
    const place = `options.${name}`
    if (flagNames.includes(name)) {
      if (typeof setting !== 'boolean') throw new ScenarioMistake(place, `it is ${shown(setting)}, not true or false`)
      continue
    }
    const values: readonly unknown[] | undefined = Object.hasOwn(settingValues, name)
      ? settingValues[name as keyof typeof settingValues]
      : undefined
    if (values === undefined) throw unknownKey('options', name, [...Object.keys(settingValues), ...flagNames])
    if (!values.includes(setting)) {
      throw new ScenarioMistake(place, `it is ${shown(setting)}, not one of ${values.join(', ')}`)
    }
  }
  return options
}

function parseLower(value: unknown, where: string): readonly LowerTree[] {
  const layers = listAt('lower', value).map((layer, index): LowerTree => {
    const place = `lower[${index}]`
    const tree = objectAt(place, layer) as LowerTree
    if (!isDataOnly(tree)) return parseTree(tree, `${place} of ${where}`)
    return { dataOnly: parseTree(tree.dataOnly, `${place}.dataOnly of ${where}`) }
  })
  if (layers.length === 0) throw new ScenarioMistake('lower', 'an overlay needs a lower layer')
  const firstData = layers.findIndex(isDataOnly)
  const late = layers.findIndex((layer, index) => firstData >= 0 && index > firstData && !isDataOnly(layer))
  if (late >= 0) throw new ScenarioMistake(`lower[${late}]`, 'data-only layers stand behind all others')
  return layers
}

function parseSteps(value: unknown): readonly Step[] {
  const steps = listAt('steps', value).map((step, index): Step => {
    const place = `steps[${index}]`
    const words = listAt(place, step)
    if (typeof words[0] !== 'string') throw new ScenarioMistake(place, 'a step is ["operation", …arguments]')
    return placed(place, () => {
      readStep(words as unknown as Step)
      return words as unknown as Step
    })
  })
  checkHandles(steps)
  return steps
}

function placed<T>(place: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof ScenarioMistake && error.place === '') throw new ScenarioMistake(place, error.fact)
    throw error
  }
}

function objectAt(place: string, value: unknown): { readonly [key: string]: unknown } {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as { [key: string]: unknown }
  throw new ScenarioMistake(place, `${place === '' ? 'the document' : 'it'} is ${shown(value)}, not an object`)
}

function listAt(place: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new ScenarioMistake(place, `it is ${shown(value)}, not a list`)
}

function refuseOthers(place: string, others: { readonly [key: string]: unknown }, known: readonly string[]): void {
  const [other] = Object.keys(others)
  if (other !== undefined) throw unknownKey(place, other, known)
}

function unknownKey(place: string, key: string, known: readonly string[]): ScenarioMistake {
  const near = nearest(key, known)
  const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${quote(near)}?`
  return new ScenarioMistake(place, `unknown key ${quote(key)}; ${hint}`)
}

function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'string' ? quote(value.slice(0, 60)) : JSON.stringify(value)
}
