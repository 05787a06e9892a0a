// What overlayfs writes to the disk: rules 54 to 67.
import type { RuleTable } from './rule.ts'

/** The format on disk. */
export const formatRules: RuleTable = {
  54: {
    text: 'A whiteout is a character device 0:0, whatever its mode and owner. A device of another number is a device.',
    checks: ['L03', 'L09', 'L10', 'D11'],
    source: 'util.c: ovl_is_whiteout()',
  },
  55: {
    text: 'All whiteouts that deletions of one mount leave are links of one inode; those that a rename leaves have their own.',
    checks: ['D28', 'R10'],
    source: 'dir.c: ovl_whiteout()',
  },
  56: {
    text: 'An empty regular file with overlay.whiteout is a whiteout to lookup, in any layer. Listings leave it out only in a lower layer other than the lowest, in a directory whose overlay.opaque is "x".',
    checks: ['L17', 'L18', 'L19', 'L20', 'L21', 'L22', 'L23'],
    source: 'util.c: ovl_path_check_xwhiteout_xattr()',
  },
  57: {
    text: 'overlay.opaque is "y" (the directory hides those beneath) or, in lower layers, "x"; other values are ignored, and so is "y" on the root of a layer.',
    checks: ['L11', 'L12', 'L13', 'L14', 'L50'],
  },
  58: {
    text: 'overlay.redirect is one name, for a sibling, or an absolute path of the overlay; another form fails with EINVAL, "." and ".." with EACCES. Without a target there is nothing to merge with. An opaque directory’s redirect is not read.',
    checks: ['L24', 'L25', 'L26', 'L27', 'L28', 'L29', 'L32'],
    source: 'util.c: ovl_get_redirect_xattr()',
  },
  59: {
    text: 'overlay.metacopy is empty or has at least four bytes; shorter values fail with EIO.',
    checks: ['L39'],
    source: 'util.c: ovl_check_metacopy_xattr()',
  },
  60: {
    text: 'overlay.origin is the file handle of the lower file that was copied up, or empty when that is unknown.',
    checks: ['F01', 'F02', 'F03', 'F04', 'F05', 'F20'],
    source: 'copy_up.c: ovl_encode_real_fh()',
  },
  61: {
    text: 'overlay.impure says that a directory of the upperdir holds copied-up objects, so that listing it must look up their inode numbers.',
    checks: ['D05', 'K04', 'R26', 'G06', 'G07'],
  },
  62: {
    text: 'Even reading writes: a directory of the upperdir that merges and has no origin gets overlay.origin when it is looked up, its parent overlay.impure; mounting writes overlay.uuid.',
    checks: ['G04', 'G05', 'L16b'],
    source: 'namei.c: ovl_fix_origin()',
  },
  63: {
    text: 'overlay.nlink of a file in the index is the difference of its link count to that of the upper ("U+1") or lower inode.',
    checks: ['K12', 'F10', 'F13', 'C33', 'C34'],
  },
  64: {
    text: 'An entry of the index is named by the origin of its file in hexadecimal: a link of the upper file, a directory with overlay.upper, or a whiteout when the last link is gone.',
    checks: ['K12', 'K13', 'F10', 'F11', 'F12'],
  },
  65: {
    text: 'The prefix is trusted.overlay., with userxattr user.overlay.; attributes under the other mean nothing and show as they are.',
    checks: ['L15', 'L16', 'X13'],
  },
  66: {
    text: 'An attribute overlay.X that a program sets in the mount is stored as overlay.overlay.X, so that it is no mark here and shows as overlay.X one level up.',
    checks: ['X01', 'X02', 'X03', 'X04', 'X05', 'N01'],
    source: 'xattrs.c: ovl_xattr_escape_name()',
  },
  67: {
    text: '.wh.NAME and .wh..wh..opq, the whiteouts of layer archives, are ordinary names.',
    checks: ['L46'],
  },
}
