// Reads a JSON document from bytes. JSON.parse decides; only when it refuses, a scan of our own finds line and column,
// because the engine's messages differ between versions and do not always have a position.

import { OvlError } from '../errors/index.ts'

/**
 * Parses the bytes of a document. `where` names it in errors ("index.json in img.tar").
 * Errors: BAD_JSON with line and column (1-based; columns count characters); LIMIT_EXCEEDED beyond `maxBytes`.
 */
export function parseJson(bytes: Uint8Array, options: { readonly where: string; readonly maxBytes: number }): unknown {
  const { where, maxBytes } = options
  if (bytes.length > maxBytes) throw tooLarge(where, bytes.length, maxBytes)
  const text = decode(bytes, where)
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    const mistake = findMistake(text)
    const { line, column } = lineAndColumn(text, mistake.at)
    throw new OvlError(
      'BAD_JSON',
      `Cannot read ${where}: not valid JSON at line ${line} column ${column}: ${mistake.what}`,
      { data: { where, line, column }, cause },
    )
  }
}

/** The refusal of a document that is too large to read. */
export function tooLarge(where: string, sizeBytes: number, maxBytes: number): OvlError {
  return new OvlError('LIMIT_EXCEEDED', `Cannot read ${where}: ${sizeBytes} bytes are too many for a JSON document`, {
    facts: [`limit ${maxBytes} bytes`],
    data: { where, sizeBytes, limit: maxBytes },
  })
}

function decode(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new OvlError('BAD_JSON', `Cannot read ${where}: not valid JSON: it is not UTF-8 text`, {
      data: { where },
      cause,
    })
  }
}

type Mistake = { readonly at: number; readonly what: string }

const token =
  /[ \t\n\r]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![\w.+-]))/y // oxlint-disable-line no-control-regex -- JSON strings hold no control characters

/** What the grammar allows next. */
type Expect = 'value' | 'value or ]' | 'name' | 'name or }' | 'colon' | 'comma or ]' | 'comma or }' | 'end'

/** Finds where a text stops being JSON. Without recursion, so nesting costs no stack. */
function findMistake(text: string): Mistake {
  const open: string[] = []
  let expect: Expect = 'value'
  let at = 0
  for (;;) {
    token.lastIndex = at
    const match = token.exec(text)
    if (match === null) return unreadable(text, at, expect)
    const [whole, mark, string] = match
    const start = at + whole.length - (mark ?? string ?? match[3] ?? '').length
    const next = advance(expect, mark ?? (string === undefined ? 'scalar' : 'string'), open)
    if (next === null) return { at: start, what: `expected ${expect === 'end' ? 'nothing more' : expect}` }
    expect = next
    at += whole.length
  }
}

function advance(expect: Expect, found: string, open: string[]): Expect | null {
  const after = (): Expect => (open.length === 0 ? 'end' : open.at(-1) === '[' ? 'comma or ]' : 'comma or }')
  if (found === ':') return expect === 'colon' ? 'value' : null
  if (found === ',') return expect === 'comma or ]' ? 'value' : expect === 'comma or }' ? 'name' : null
  if (found === ']' || found === '}') {
    if (!expect.endsWith(` or ${found}`)) return null
    open.pop()
    return after()
  }
  if (expect === 'name' || expect === 'name or }') return found === 'string' ? 'colon' : null
  if (expect !== 'value' && expect !== 'value or ]') return null
  if (found !== '{' && found !== '[') return after()
  open.push(found)
  return found === '[' ? 'value or ]' : 'name or }'
}

function unreadable(text: string, from: number, expect: Expect): Mistake {
  const at = from + (/^[ \t\n\r]*/.exec(text.slice(from))?.[0].length ?? 0)
  const rest = text.slice(at, at + 1)
  if (rest === '') return { at, what: text.trim() === '' ? 'the file is empty' : 'the file ends early' }
  // A string or word that the end of the file cuts off is not a wrong character.
  if (rest === '"' && /^"(?:[^"\\]|\\.)*\\?$/s.test(text.slice(at))) {
    return { at: text.length, what: 'the file ends early' }
  }
  if (/^(?:-|t|tr|tru|f|fa|fal|fals|n|nu|nul)$/.test(text.slice(at, at + 8))) {
    return { at: text.length, what: 'the file ends early' }
  }
  return { at, what: expect === 'end' ? 'expected nothing more' : `expected ${expect}` }
}

function lineAndColumn(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at)
  const lines = before.split('\n')
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 }
}
