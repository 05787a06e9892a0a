// The rules of overlayfs that ovl follows, each text once: the emulator cites them by number, `ovl doctor` and
// `ovl explain` print them, docs/overlayfs/rules.md is made from them.
import { accessRules } from './access.ts'
import { changingRules } from './changing.ts'
import { copyUpRules } from './copy-up.ts'
import { formatRules } from './format.ts'
import { listingRules } from './listing.ts'
import { lookupRules } from './lookup.ts'
import { mountingRules } from './mounting.ts'
import type { RuleTable } from './rule.ts'

export type { OverlayRule, RuleTable } from './rule.ts'

/** Every rule, by its number. */
export const overlayRules: RuleTable = {
  ...lookupRules,
  ...mountingRules,
  ...formatRules,
  ...listingRules,
  ...copyUpRules,
  ...changingRules,
  ...accessRules,
}
