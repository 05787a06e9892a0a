// A scenario as a file that people read: a line for each node and for each step.
import type { Tree } from '../fs/index.ts'
import { isDataOnly, type LowerTree, type Scenario } from './scenario.ts'

/** The text of a scenario file, with a line feed at its end; `parseScenario` reads it. */
export function formatScenario({
  schema,
  title,
  options,
  lower,
  upper,
  umask,
  userNamespace,
  steps,
}: Scenario): string {
  const fields = [
    `"schema": ${JSON.stringify(schema)}`,
    `"title": ${JSON.stringify(title)}`,
    `"options": ${oneLine(options)}`,
    `"lower": ${list(lower.map(formatLayer))}`,
    ...(upper === undefined ? [] : [`"upper": ${formatTree(upper, '  ')}`]),
    ...(umask === undefined ? [] : [`"umask": ${JSON.stringify(umask)}`]),
    ...(userNamespace === undefined ? [] : ['"userNamespace": true']),
    `"steps": ${list(steps.map(oneLine))}`,
  ]
  return `{\n${fields.map(field => `  ${field}`).join(',\n')}\n}\n`
}

function formatLayer(layer: LowerTree): string {
  return isDataOnly(layer) ? `{ "dataOnly": ${formatTree(layer.dataOnly, '    ')} }` : formatTree(layer, '    ')
}

function formatTree(tree: Tree, indent: string): string {
  const nodes = Object.entries(tree).map(([path, node]) => `${indent}  ${JSON.stringify(path)}: ${oneLine(node)}`)
  return nodes.length === 0 ? '{}' : `{\n${nodes.join(',\n')}\n${indent}}`
}

function list(items: readonly string[]): string {
  return items.length === 0 ? '[]' : `[\n${items.map(item => `    ${item}`).join(',\n')}\n  ]`
}

/** JSON with a space behind commas and colons, and inside of braces. */
function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}: ${oneLine(field)}`)
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}
