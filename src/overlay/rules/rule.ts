/** A rule of overlayfs: what the kernel does, and what shows it. */
export type OverlayRule = {
  readonly text: string
  /** Ids of the checks that measured it on Linux 6.18 (docs/overlayfs/checks.md); none: read in the kernel's source. */
  readonly checks: readonly string[]
  /** Where the kernel decides it: "fs/overlayfs/" file and function. */
  readonly source?: string
}

/** Rules by their number. */
export type RuleTable = { readonly [number: number]: OverlayRule }
