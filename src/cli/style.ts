// Colour, and only where it means something: added green, deleted red, changed yellow, markers dim. No text needs it
// to be understood.

import { styleText } from 'node:util'
import type { ColorMode } from './global-flags.ts'

const formatOf = {
  added: 'green',
  deleted: 'red',
  changed: 'yellow',
  marker: 'dim',
  heading: 'bold',
  bad: 'red',
} as const

/** What a colour says. */
export type Meaning = keyof typeof formatOf

/** Colours a text by its meaning, or returns it as it is. */
export type Style = (meaning: Meaning, text: string) => string

/** A stream, as far as colour is concerned. */
export type ColorTarget = { readonly isTTY?: boolean | undefined }
/** Environment variables. */
export type Environment = { readonly [name: string]: string | undefined }

/** A function that colours text, or leaves it alone where colour is unwanted. */
export function createStyle(mode: ColorMode, target: ColorTarget, env: Environment): Style {
  if (!wantsColor(mode, target, env)) return (_meaning, text) => text
  return (meaning, text) => styleText(formatOf[meaning], text, { validateStream: false })
}

/** True when colour belongs on this stream: `--color` decides, then NO_COLOR, TERM=dumb and whether it is a terminal. */
export function wantsColor(mode: ColorMode, target: ColorTarget, env: Environment): boolean {
  if (mode !== 'auto') return mode === 'always'
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false
  return target.isTTY === true && env['TERM'] !== 'dumb'
}
