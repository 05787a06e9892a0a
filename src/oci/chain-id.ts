import type { Digest } from './digest.ts'

/**
 * The chain IDs of a stack of layers, base first: what stores name an applied stack by. `sha256` gives the digest in
 * lower-case hexadecimal of a text's bytes. Source: image-spec config.md, "Layer ChainID".
 */
export function chainIDs(diffIDs: readonly Digest[], sha256: (text: string) => string): readonly Digest[] {
  const chain: Digest[] = []
  let parent: Digest | null = null
  for (const diffID of diffIDs) {
    parent = parent === null ? diffID : `sha256:${sha256(`${parent} ${diffID}`)}`
    chain.push(parent)
  }
  return chain
}
