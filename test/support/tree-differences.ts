// What differs between two directories, by ovl's own comparison: content, owners, modes, times, attributes, hard links.

import { openHostFs } from '../../src/host/index.ts'
import { diffTrees } from '../../src/layer/index.ts'

/** One line of JSON for each path that differs; directories above a difference alone are left out. */
export function treeDifferences(a: string, b: string): readonly string[] {
  const [before, after] = [openHostFs(a), openHostFs(b)]
  try {
    return diffTrees(before, after).changes.flatMap(({ isParent, ...rest }) =>
      isParent === true && Object.keys(rest).length <= 3 ? [] : [JSON.stringify(rest)],
    )
  } finally {
    before.close()
    after.close()
  }
}
