// The value of overlay.protattr: flags of chattr(1) that an upper file must not have itself, since overlayfs could not
// write to it then (fs/overlayfs/util.c: ovl_check_protattr(), ovl_set_protattr(); rules 63, 105).
import { FS_APPEND_FL, FS_IMMUTABLE_FL } from '../../fs/index.ts'

/** Letters for the flags, `null` when there is nothing to store. */
export function formatProtattr(flags: number): Uint8Array | null {
  const letters = `${(flags & FS_APPEND_FL) === 0 ? '' : 'a'}${(flags & FS_IMMUTABLE_FL) === 0 ? '' : 'i'}`
  return letters === '' ? null : new TextEncoder().encode(letters)
}

/** The flags that a value stands for; null for one with other letters, which counts for nothing. */
export function parseProtattr(value: Uint8Array): number | null {
  if (value.length === 0 || value.length > maxBytes) return null
  let flags = 0
  for (const letter of value) {
    if (letter === letterA) flags |= FS_APPEND_FL
    else if (letter === letterI) flags |= FS_IMMUTABLE_FL
    else return null
  }
  return flags
}

const maxBytes = 32
const letterA = 0x61
const letterI = 0x69
