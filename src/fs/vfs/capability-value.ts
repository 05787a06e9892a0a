// The value of security.capability, which the kernel checks and translates: cap_convert_nscap() and
// cap_inode_getsecurity() of security/commoncap.c, for the first user namespace.

const revisionMask = 0xff000000
const effectiveFlag = 0x000001
const revision2 = 0x02000000
const revision3 = 0x03000000
const bytes2 = 20
const bytes3 = 24

/** Whether a value can be stored: revision 2 of 20 bytes, or revision 3 of 24, which ends in the uid of its root. */
export function isCapabilityValue(value: Uint8Array): boolean {
  if (value.length < 4) return false
  const revision = (magicOf(value) & revisionMask) >>> 0
  return (value.length === bytes2 && revision === revision2) || (value.length === bytes3 && revision === revision3)
}

/** What getxattr(2) answers for a stored value: revision 2 for one that belongs to root. Null: EINVAL. */
export function shownCapability(value: Uint8Array): Uint8Array | null {
  if (!isCapabilityValue(value)) return null
  if (value.length === bytes2 || viewOf(value).getUint32(bytes2, true) !== 0) return value
  const shown = value.slice(0, bytes2)
  viewOf(shown).setUint32(0, revision2 | (magicOf(value) & effectiveFlag), true)
  return shown
}

function magicOf(value: Uint8Array): number {
  return viewOf(value).getUint32(0, true)
}

function viewOf(value: Uint8Array): DataView {
  return new DataView(value.buffer, value.byteOffset, value.byteLength)
}
