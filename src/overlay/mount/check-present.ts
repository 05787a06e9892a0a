// Which directories an overlay needs (fs/overlayfs/params.c, super.c: ovl_fill_super(), ovl_get_lowerstack()).
import { maxLayers, tooManyLayers } from '../options.ts'
import { refusal, shown } from '../refusal.ts'

/** The directories that were given, whatever they are. */
export type GivenDirectories = {
  readonly lower: readonly unknown[]
  readonly data: readonly unknown[]
  /** As the user wrote it; null: none. */
  readonly upper: string | null
  readonly hasWork: boolean
}

/** Errors: OVL_TOO_MANY_LAYERS, OVL_NO_LOWERDIR, OVL_NO_WORKDIR, OVL_TOO_FEW_LAYERS (rules 21-24, 37). */
export function checkPresent({ lower, data, upper, hasWork }: GivenDirectories, target: string | null): void {
  const shared = { errno: 'EINVAL', target } as const
  const count = lower.length + data.length
  if (count > maxLayers) throw tooManyLayers(count, { target })
  if (lower.length === 0) {
    const hasData = data.length > 0
    throw refusal('OVL_NO_LOWERDIR', hasData ? 'all lower layers are data-only' : 'there is no lowerdir', {
      ...shared,
      kernel: hasData ? 'at least one non-data lowerdir is required' : "missing 'lowerdir'",
      hint: 'an empty directory will do',
    })
  }
  if (upper !== null && !hasWork) {
    throw refusal('OVL_NO_WORKDIR', 'upperdir needs a workdir', {
      ...shared,
      kernel: "missing 'workdir'",
      hint: `make an empty directory on the same file system: workdir=${shown(`${upper}.work`)}`,
    })
  }
  if (upper !== null || count > 1) return
  throw refusal('OVL_TOO_FEW_LAYERS', 'one lower layer and no upperdir', {
    ...shared,
    kernel: 'at least 2 lowerdir are needed while upperdir nonexistent',
    hint: 'add upperdir and workdir, or a second lower layer; to see one directory elsewhere: mount --bind',
  })
}
