// The syntax of the option string of overlayfs (fs/overlayfs/params.c: ovl_next_opt(), ovl_unescape(),
// ovl_parse_param_split_lowerdirs()), byte for byte. Strings are ovl names; all special characters are ASCII.

/** One option of a string: `name` alone (value null) or `name=value`, the value still escaped. */
export type RawOption = { readonly name: string; readonly value: string | null }

/**
 * Splits at commas that have no backslash before them; the backslash stays in the value. Empty options are dropped,
 * and, as the kernel does, those without a name (`=x`).
 */
export function splitOptions(text: string): readonly RawOption[] {
  return splitUnescaped(text, ',').flatMap(item => {
    const equals = item.indexOf('=')
    if (item === '' || equals === 0) return []
    return equals < 0 ? { name: item, value: null } : { name: item.slice(0, equals), value: item.slice(equals + 1) }
  })
}

/** `\x` is x, for any x; a backslash at the end is dropped. For lowerdir, upperdir and workdir, not for lowerdir+. */
export function unescapeLayer(value: string): string {
  return value.replaceAll(/\\([^]?)/g, '$1')
}

/** Why a `lowerdir=` cannot be split. */
export type LowerdirFault = 'leading colon' | 'trailing colon' | 'three colons' | 'layer after data layer'

/** The layers of a `lowerdir=`, unescaped, top-most first. */
export type Lowerdir = { readonly lower: readonly string[]; readonly data: readonly string[] }

/** Splits `top:next::data` at unescaped colons; `::` starts a data-only layer. An empty value has no layers. */
export function splitLowerdir(value: string): Lowerdir | LowerdirFault {
  if (value === '') return { lower: [], data: [] }
  if (value.startsWith(':')) return 'leading colon'
  const parts = splitUnescaped(value, ':')
  if (parts.at(-1) === '') return 'trailing colon'
  const lower: string[] = []
  const data: string[] = []
  for (let i = 0; i < parts.length; i++) {
    const isData = parts[i] === ''
    if (isData && parts[++i] === '') return 'three colons'
    if (!isData && data.length > 0) return 'layer after data layer'
    const layers = isData ? data : lower
    layers.push(unescapeLayer(parts[i] ?? ''))
  }
  return { lower, data }
}

/** A path as it stands in `lowerdir=`. */
export function escapeLower(path: string): string {
  return path.replaceAll(/[\\:,]/g, '\\$&')
}

/** A path as it stands in `upperdir=` or `workdir=`, where a colon means nothing. */
export function escapeUpper(path: string): string {
  return path.replaceAll(/[\\,]/g, '\\$&')
}

/** A backslash takes the character behind it along, whatever that is. */
function splitUnescaped(text: string, separator: string): string[] {
  const parts: string[] = []
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === separator) {
      parts.push(text.slice(start, i))
      start = i + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}
