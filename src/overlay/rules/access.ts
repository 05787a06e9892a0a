// Permissions, read-only mounts, nesting: rules 150 to 160.
import type { RuleTable } from './rule.ts'

/** Who may do what, and what the VFS answers. */
export const accessRules: RuleTable = {
  150: {
    text: 'Two checks: the caller against the merged mode, owner and ACL, and whoever mounted against the real file. What the first refuses copies nothing up.',
    checks: ['P01', 'P02', 'P03', 'P04', 'P05', 'P09', 'P10', 'P15'],
  },
  151: {
    text: 'Whiteouts and copies are made as whoever mounted; new objects belong to the caller.',
    checks: ['P03', 'P06', 'P07', 'P08'],
  },
  152: {
    text: 'Sticky directories and protected hard links are judged by the merged attributes.',
    checks: ['P09', 'P13'],
  },
  153: {
    text: 'A user namespace may mount overlays and make whiteouts. Marks then need userxattr; redirect_dir=on, metacopy=on and data-only layers are refused (EPERM).',
    checks: ['P16', 'P17', 'P18', 'P19'],
  },
  154: {
    text: 'statfs gives the magic 0x794c7630 and the space of the upper file system, of the top lower one without upperdir.',
    checks: ['S01', 'S02', 'S03'],
  },
  155: {
    text: 'Syncing a lower file does nothing; with volatile no sync does anything.',
    checks: ['S04', 'S05'],
  },
  156: {
    text: 'On a read-only overlay making what exists is EEXIST, removing or renaming anything EROFS, even a name that does not exist.',
    checks: ['Y01', 'Y02', 'Y03', 'Y04', 'Y05', 'Y06', 'Y07', 'Y08', 'Y09', 'Y11', 'Y12', 'Y13', 'Y14', 'Y19', 'Y23'],
  },
  157: {
    text: 'Paths, trailing slashes, "." and "..", and at most 40 symlinks in one path are the business of the VFS, as everywhere.',
    checks: ['V01', 'V02', 'V08', 'V09', 'V10', 'V13', 'V16', 'V19', 'V34', 'V35'],
  },
  158: {
    text: 'Names are bytes, up to 255; paths have up to 4095.',
    checks: ['V28', 'V29', 'V32', 'V33', 'L45'],
  },
  159: {
    text: 'An overlay may be a lower layer of another, whose view has no marks of the first; escaped attributes and attribute whiteouts pass through.',
    checks: ['M88', 'N01', 'N02', 'N03', 'N04'],
  },
  160: { text: 'Changes in an outer overlay never reach the inner one.', checks: ['N03'] },
}
