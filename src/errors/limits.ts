// Every limit on hostile input, in one place (rule 29 of the layer rules). Each has a flag: `--limit entries=…`.

/** How much of each thing hostile input may make ovl read, keep or write. */
export type Limits = {
  /** Bytes of one extended header (PAX records, GNU long name): what Go's archive/tar accepts. */
  readonly paxBytes: number
  /** Bytes of one path after cleaning. Longer than PATH_MAX on purpose: such trees exist. */
  readonly pathBytes: number
  /** Entries of one image, all layers together. */
  readonly entries: number
  /** Bytes of one layer after decompression. */
  readonly sizeBytes: number
  /** Uncompressed bytes a compressed byte may become, counted once the layer is past `ratioFromBytes`. */
  readonly ratio: number
  readonly ratioFromBytes: number
  /** Bytes of one JSON document (index, manifest, config). */
  readonly jsonBytes: number
  /** Indexes inside indexes. */
  readonly indexNesting: number
}

/** Far above what real images need, far below what would hurt. */
export const defaultLimits: Limits = {
  paxBytes: 1 << 20,
  pathBytes: 64 << 10,
  entries: 10_000_000,
  sizeBytes: 2 ** 40,
  ratio: 1000,
  ratioFromBytes: 2 ** 30,
  jsonBytes: 16 << 20,
  indexNesting: 8,
}
