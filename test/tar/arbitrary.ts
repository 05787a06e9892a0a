// Random entries: names of any bytes and length, numbers around every limit, times far from today.

import fc from 'fast-check'
import { decodeName } from '../../src/path/index.ts'
import { type TarEntry, tarType } from '../../src/tar/index.ts'
import type { Packed } from './building.ts'

export type Abilities = {
  /** Names of bytes that are no UTF-8. */
  readonly anyBytes: boolean
  /** Attribute values of bytes that are no UTF-8. */
  readonly binaryXattrs: boolean
  /** Owners and times: of any size, what the fields of ustar hold, or only 18 bits of owner and 31 of time. */
  readonly numbers: 'any' | 'ustar' | 'small'
}

const everything: Abilities = { anyBytes: true, binaryXattrs: true, numbers: 'any' }

/** Members of an archive that stays within the abilities of some other implementation. */
export function arbitraryMembers(abilities: Abilities = everything): fc.Arbitrary<Packed[]> {
  return fc.array(arbitraryMember(abilities), { maxLength: 6 })
}

function arbitraryMember(abilities: Abilities): fc.Arbitrary<Packed> {
  return fc.oneof(
    fc.record({ entry: arbitraryEntry(abilities, [tarType.file, tarType.contiguous]), contents: arbitraryContents }),
    fc.record({ entry: arbitraryEntry(abilities, [tarType.hardLink, tarType.symlink]) }),
    fc.record({ entry: arbitraryEntry(abilities, [tarType.directory, tarType.fifo]) }),
    fc.record({ entry: arbitraryEntry(abilities, [tarType.charDevice, tarType.blockDevice]) }),
  )
}

function arbitraryEntry(abilities: Abilities, types: readonly number[]): fc.Arbitrary<TarEntry> {
  const isLink = types.includes(tarType.symlink)
  const isDevice = types.includes(tarType.charDevice)
  const owner = oneOf(...upTo(abilities, { small: [0, 1000, 262143], ustar: [2097151], any: [2097152, 4294967294] }))
  return fc.record({
    name: arbitraryPath(abilities),
    type: fc.constantFrom(...types),
    linkName: isLink ? arbitraryPath(abilities) : fc.constant(''),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: owner,
    gid: owner,
    mtimeSec: arbitraryTime(abilities),
    mtimeNsec: abilities.numbers === 'any' ? oneOf(0, 1, 500_000_000, 999_999_999, 123_000_000) : fc.constant(0),
    userName: arbitraryUser(abilities),
    groupName: arbitraryUser(abilities),
    devMajor: isDevice ? oneOf(0, 1, 4095) : fc.constant(0),
    devMinor: isDevice ? oneOf(...upTo(abilities, { small: [0, 1], ustar: [1048575], any: [] })) : fc.constant(0),
    xattrs: arbitraryXattrs(abilities),
  })
}

const arbitraryContents = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.constantFrom(511, 512, 513, 1024, 5000).map(size => new Uint8Array(size).fill(0x41)),
)

function arbitraryTime(abilities: Abilities): fc.Arbitrary<number> {
  const small = [0, 1, 1700000000]
  const ustar = [2 ** 31, 2 ** 32, 8 ** 11 - 1]
  const any = [-(8 ** 11), -(2 ** 31) - 1, -1, 8 ** 11, 2 ** 36]
  return oneOf(...upTo(abilities, { small, ustar, any }))
}

/** The numbers of a class and those of the smaller classes. */
function upTo({ numbers }: Abilities, values: { readonly [Class in Abilities['numbers']]: number[] }): number[] {
  if (numbers === 'small') return values.small
  return numbers === 'ustar' ? [...values.small, ...values.ustar] : [...values.small, ...values.ustar, ...values.any]
}

/** Relative paths without ".", ".." and empty components, which readers treat in ways of their own. */
function arbitraryPath(abilities: Abilities): fc.Arbitrary<string> {
  const short = fc.stringMatching(/^[a-z][a-z0-9._=%-]{0,12}$/)
  const long = fc.integer({ min: 90, max: 160 }).map(length => 'x'.repeat(length))
  const text = fc.constantFrom('café', '日本語', '😀', 'a b', '\ufeffbom')
  const bytes = fc
    .uint8Array({ minLength: 1, maxLength: 20 })
    .map(raw => `b${decodeName(raw.map(byte => (byte === 0 || byte === 0x2f ? 0xff : byte)))}`)
  const component = abilities.anyBytes ? fc.oneof(short, long, text, bytes) : fc.oneof(short, long, text)
  return fc.array(component, { minLength: 1, maxLength: 4 }).map(parts => parts.join('/'))
}

function arbitraryUser(abilities: Abilities): fc.Arbitrary<string> {
  const names = ['', 'root', 'u'.repeat(32)]
  return abilities.numbers === 'any' ? fc.constantFrom(...names, 'ü', 'u'.repeat(33)) : fc.constantFrom(...names)
}

function arbitraryXattrs(abilities: Abilities): fc.Arbitrary<Map<string, Uint8Array>> {
  const name = fc.constantFrom('user.a', 'user.ü', 'security.capability', 'trusted.overlay.opaque')
  const value = abilities.binaryXattrs
    ? fc.uint8Array({ maxLength: 30 })
    : fc.constantFrom('y', 'text=with\nlines', 'ä').map(text => new TextEncoder().encode(text))
  return fc.array(fc.tuple(name, value), { maxLength: 2 }).map(pairs => new Map(pairs))
}

function oneOf(...values: readonly number[]): fc.Arbitrary<number> {
  return fc.constantFrom(...values)
}
