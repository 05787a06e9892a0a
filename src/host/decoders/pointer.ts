import type { Koffi } from '../koffi.ts'

/** The address of bytes[offset], for a C struct. Valid as long as the caller keeps `bytes` (its memory never moves). */
export function pointerOf(koffi: Koffi, bytes: Uint8Array, offset: number): bigint {
  return koffi.address(bytes) + BigInt(offset)
}
