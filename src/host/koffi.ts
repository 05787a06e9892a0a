// koffi is an optional dependency: where it is missing (npm --omit=optional, a platform without a prebuilt binary)
// ovl works without the system calls and libraries that Node does not offer. It is loaded when first needed: it
// costs 6 to 12 ms.
import { createRequire } from 'node:module'

/** The koffi module. */
export type Koffi = typeof import('koffi')
/** A loaded shared library. */
export type NativeLibrary = ReturnType<Koffi['load']>

let loaded: Koffi | null | undefined

/** The koffi module, or null where it is not installed. Synchronous and cached; works in worker threads. */
export function loadKoffi(): Koffi | null {
  if (loaded === undefined) loaded = requireKoffi()
  return loaded
}

function requireKoffi(): Koffi | null {
  try {
    return createRequire(import.meta.url)('koffi') as Koffi
  } catch {
    return null // not installed, or no binary for this platform: both mean "do without"
  }
}

/** Opens the first of these shared libraries that the dynamic linker finds, or null when there is none (or no koffi). */
export function openLibrary(koffi: Koffi | null, names: readonly string[]): NativeLibrary | null {
  if (koffi === null) return null
  for (const name of names) {
    try {
      return koffi.load(name)
    } catch {
      // not installed under this name: the next one, another distribution's, may be
    }
  }
  return null
}

/** Types of struct fields, as far as they are needed: `void *`, `size_t`, `uint32_t`, `uint64_t`. */
export type FieldType = 'pointer' | 'size' | 'uint32' | 'uint64'

/**
 * A C struct in memory that C may keep a pointer to: fields are written in place, nothing is converted per call.
 * Offsets follow the C rules for this machine's pointer size; all machines koffi runs on are little-endian.
 */
export type NativeStruct<Name extends string> = {
  /** Pass this as the `void *` argument. Keep the struct referenced as long as C uses it. */
  readonly memory: Uint8Array
  get(field: Name): number
  set(field: Name, value: number | bigint): void
}

/** Lays out a zeroed C struct with these fields, in order. */
export function allocateStruct<Name extends string>(
  koffi: Koffi,
  fields: readonly (readonly [Name, FieldType])[],
): NativeStruct<Name> {
  const word = koffi.sizeof('void *')
  const places = new Map<Name, { offset: number; wide: boolean }>()
  let end = 0
  for (const [name, type] of fields) {
    const size = type === 'uint32' ? 4 : type === 'uint64' ? 8 : word
    const align = type === 'uint64' ? koffi.alignof('uint64_t') : size
    const offset = Math.ceil(end / align) * align
    places.set(name, { offset, wide: size === 8 })
    end = offset + size
  }
  // An ArrayBuffer made first is never moved by the collector, other than the storage of a small typed array.
  const memory = new Uint8Array(new ArrayBuffer(Math.ceil(end / 8) * 8))
  const view = new DataView(memory.buffer)
  const place = (name: Name): { offset: number; wide: boolean } => places.get(name) ?? { offset: -1, wide: false }
  return {
    memory,
    get(field) {
      const { offset, wide } = place(field)
      return wide ? Number(view.getBigUint64(offset, true)) : view.getUint32(offset, true)
    },
    set(field, value) {
      const { offset, wide } = place(field)
      if (wide) view.setBigUint64(offset, BigInt(value), true)
      else view.setUint32(offset, Number(value), true)
    },
  }
}
