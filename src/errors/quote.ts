// How untrusted text (names from archives, tags, user input) is shown: control characters never reach a terminal.

/**
 * Text in double quotes with control characters, quotes, backslashes and bytes that are no UTF-8 escaped, so that
 * a name from a hostile archive cannot move the cursor or forge a line.
 */
export function quote(text: string): string {
  return `"${escapeControls(text.replaceAll('\\', '\\\\').replaceAll('"', '\\"'))}"`
}

/** Text without quotes, safe to print: control characters and escaped bytes (U+DC80…U+DCFF) as `\xHH`. */
export function escapeControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  if (!/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/.test(text))
    return text
  let out = ''
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    if (code === 0x0a) out += '\\n'
    else if (code === 0x09) out += '\\t'
    else if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) out += `\\x${hex(code, 2)}`
    else if (code >= 0xdc80 && code <= 0xdcff) out += `\\x${hex(code - 0xdc00, 2)}`
    else if ((code >= 0xd800 && code <= 0xdfff) || isInvisible(code)) out += `\\u{${hex(code, 4)}}`
    else out += char
  }
  return out
}

/** Line separators and the marks that reorder text (bidi controls), which can disguise a name. */
function isInvisible(code: number): boolean {
  return (
    code === 0x2028 ||
    code === 0x2029 ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069)
  )
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0')
}
