import type { LayerVerdict, Verification } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import { renderTable } from '../table.ts'
import { countText, digestText } from '../wording.ts'
import type { View } from './view.ts'

/** A line for each layer and one for the image. */
export function renderVerification({ title, ok, layers }: Verification, view: View): string[] {
  const rows = layers.map(verdict => [
    `layer ${verdict.number}`,
    digestCell(verdict, view),
    verdict.ok ? 'ok' : view.style('bad', 'FAILED'),
    verdict.ok ? okText(verdict) : faultText(verdict, { ...view, title }),
  ])
  const bad = layers.filter(verdict => !verdict.ok).length
  const count = `${bad} of ${countText(layers.length, 'layer')}`
  const summary = ok ? `${countText(layers.length, 'layer')} ok` : `${count} bad`
  return [...renderTable([{}, {}, {}, {}], rows), `${escapeControls(title)}: ${summary}`]
}

/** The JSON of `ovl verify`. */
export function verificationToJson({ title, ok, layers }: Verification): { readonly [key: string]: Json } {
  return { image: title, ok, layers: layers.map(verdictToJson) }
}

function digestCell({ digest, diffID }: LayerVerdict, { noTrunc }: View): string {
  const name = digest ?? diffID
  return name === null ? '–' : digestText(name, noTrunc)
}

function okText({ digest, diffIDOk, treeOk }: LayerVerdict): string {
  const parts = [
    ...(digest === null ? [] : ['digest ok']),
    diffIDOk === null ? 'no diff ID' : 'diff ID ok',
    ...(treeOk === true ? ['tree ok'] : treeOk === null ? ['tree not checked'] : []),
  ]
  return parts.join(', ')
}

function faultText(verdict: LayerVerdict, { noTrunc, title }: View & { readonly title: string }): string {
  const { found, digestOk } = verdict
  const [first, ...others] = verdict.faults
  if (first === undefined) return ''
  const more = others.length === 0 ? '' : `   and ${others.map(fault => fault.code).join(', ')}`
  if (found !== null && digestOk === false && verdict.digest !== null) {
    const sizeFault = verdict.faults.some(fault => fault.code === 'SIZE_MISMATCH')
    const size = `${found.sizeBytes} bytes, size ${sizeFault ? 'differs' : 'agrees'}`
    return `digest is ${digestText(found.digest, noTrunc)} (${size})`
  }
  // Image and layer are named by the line already: only the fact is left to say.
  const named = first.message.indexOf(`${title}: `)
  const fact = named < 0 ? first.message : first.message.slice(named + title.length + 2)
  return `${escapeControls(fact)}   [${first.code}]${more}`
}

function verdictToJson(verdict: LayerVerdict): Json {
  const { found, faults, ...rest } = verdict
  return { ...rest, found: found === null ? null : { ...found }, faults: faults.map(fault => ({ ...fault.toJSON() })) }
}
