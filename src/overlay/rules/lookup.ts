// How names are found: rules 1, 2 and 68 to 78.
import type { RuleTable } from './rule.ts'

/** Lookup and merging. */
export const lookupRules: RuleTable = {
  1: {
    text: 'A name is looked for in the upper directory first, then in each lower one from the top. The walk ends at the first that is no directory, at a whiteout, or at an opaque directory.',
    checks: ['L01', 'L02', 'L03', 'L04', 'L05', 'L06', 'L07', 'L08', 'L12'],
    source: 'namei.c: ovl_lookup(), ovl_lookup_single()',
  },
  2: {
    text: 'In each layer: a whiteout ends the walk and leaves nothing; a file ends it, unless it is a metacopy whose data is further down; a directory is kept and the walk goes on, under another name if it has a redirect, and no further if it is opaque.',
    checks: ['L11', 'L12', 'L13', 'L14', 'L24', 'L25', 'L36', 'L44b'],
    source: 'namei.c: ovl_lookup(), ovl_lookup_layer()',
  },
  68: {
    text: 'Only directories merge, and only their names: mode, owner, times and attributes of a merged directory are those of its topmost member.',
    checks: ['L47', 'L48', 'L49'],
  },
  69: {
    text: 'What is no directory, or a whiteout, in a middle layer cuts off everything beneath. A directory above such a whiteout needs no mark.',
    checks: ['L08', 'L52'],
  },
  70: { text: 'A directory does not merge with a symlink to a directory in a lower layer.', checks: ['L53'] },
  71: {
    text: 'An opaque directory of a middle layer hides those beneath it and still merges with those above it.',
    checks: ['L12'],
  },
  72: { text: 'A redirect in a middle layer counts only for the layers beneath it.', checks: ['L34'] },
  73: {
    text: 'Where redirects are not followed, a directory with a redirect cannot be looked up (EPERM) and disappears from listings.',
    checks: ['L31'],
  },
  74: {
    text: 'A directory is known by its topmost lower one. Where two places show the same one, by redirects or beside its redirect, the second cannot be looked up while the first is in use (ESTALE).',
    checks: ['L26b'],
  },
  75: {
    text: 'A file with overlay.metacopy has its data beneath. Without metacopy=on it cannot be opened (EPERM), without data beneath neither (EIO).',
    checks: ['L35', 'L38', 'L40'],
  },
  76: {
    text: 'Data-only layers show no names. They are asked for data only, by absolute redirects, the first that has it; what is missing shows when the file is opened (ENOENT). Symlinks in them are not followed.',
    checks: ['L41', 'L42', 'L43', 'L44', 'L44b', 'M60'],
  },
  77: {
    text: 'FIFOs, sockets, symlinks and devices of lower layers show as they are; a device node opens the real device.',
    checks: ['L51'],
  },
  78: {
    text: 'Changing a layer while it is mounted is undefined. In practice content changes show, and names that were looked up before and did not exist stay away.',
    checks: ['G01', 'G02', 'G03'],
  },
}
