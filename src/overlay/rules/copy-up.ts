// Copy-up, open files and changes of attributes: rules 93 to 116 and 142 to 149.
import type { RuleTable } from './rule.ts'

/** What copies a file up, what the copy keeps, and what open files see. */
export const copyUpRules: RuleTable = {
  93: {
    text: 'A file is copied up by opening it for writing or with O_TRUNC, even if nothing is written; by chmod, chown, utimes and truncate, even to the same value; by setting or removing an attribute; by link and rename. Its directory is by making or removing a name.',
    checks: ['O02', 'O03', 'O04', 'O05', 'O06', 'C15', 'C16', 'C18', 'C19', 'C20', 'C28', 'K01', 'R01', 'C62'],
    source: 'copy_up.c: ovl_maybe_copy_up(); inode.c: ovl_setattr()',
  },
  94: {
    text: 'Reading, stat, access, locks, fsync, a failed O_EXCL, removing an attribute that is not there, and opening a FIFO or device for writing copy nothing up.',
    checks: ['O01', 'O07', 'O09', 'O16', 'O17', 'O18', 'C17', 'C21', 'C23', 'C25', 'C26', 'C31'],
  },
  95: {
    text: 'Replacing an attribute that is not there fails with ENODATA, and the file has been copied up by then.',
    checks: ['C22'],
  },
  96: {
    text: 'Missing parents are copied up first, from the top. If the copy fails, for want of space, the parents stay and nothing half-done shows.',
    checks: ['D02', 'C38'],
    source: 'copy_up.c: ovl_copy_up_flags()',
  },
  97: { text: 'Of a directory only itself is copied up, never what is in it.', checks: ['D02', 'C24'] },
  98: {
    text: 'A copy keeps type, device number, link target, mode with suid and sgid, owner, access and modification time to the nanosecond, attributes, ACLs and holes. It has a new inode, change time and no other names.',
    checks: ['C01', 'C02', 'C03', 'C04', 'C07', 'C09', 'C10', 'C11', 'C12', 'D03', 'X07'],
  },
  99: {
    text: 'Data is shared by reflink where the file system can, otherwise copied without the holes and, unless the mount is volatile, written to the disk.',
    checks: ['C10', 'F15xfs', 'F15btrfs'],
    source: 'copy_up.c: ovl_copy_up_file()',
  },
  100: {
    text: 'Opening with O_TRUNC copies no data; truncate(2) copies all of it first.',
    checks: ['O05', 'O06', 'A04'],
  },
  101: {
    text: 'A copy is made in the workdir, or as a file without a name, and appears in the upperdir when it is complete.',
    checks: ['C38'],
    source: 'copy_up.c: ovl_copy_up_tmpfile(), ovl_copy_up_workdir()',
  },
  102: {
    text: 'A copy carries overlay.origin, except one name of a lower hard link without index=on, and its directory overlay.impure.',
    checks: ['D05', 'C13', 'C14', 'K09'],
  },
  103: {
    text: 'Writing to one name of a lower hard link breaks the link: the others keep the old content. With index=on the names stay one file.',
    checks: ['K09', 'K10', 'K11', 'K12', 'K13', 'K14'],
  },
  104: {
    text: 'Opening for writing without writing leaves an identical copy, in directories that are identical too: what changed is told by comparing contents.',
    checks: ['C60', 'C61'],
  },
  105: {
    text: 'Immutable and append-only are never set on the upper file: overlay.protattr keeps them and the overlay enforces them. Those of a lower file hold as well.',
    checks: ['C33', 'C34', 'C35', 'C36', 'C37'],
  },
  106: {
    text: 'With metacopy=on a change of metadata copies no data: the upper file is a hole of the full size with overlay.metacopy. The first opening for writing copies the data into it.',
    checks: ['C40', 'C41', 'C42', 'C43', 'C44', 'C45', 'C46', 'C51'],
  },
  107: {
    text: 'Renaming or linking a metacopy gives it overlay.redirect, which stays when the data has been copied.',
    checks: ['C47', 'C48', 'C49', 'C50'],
  },
  108: {
    text: 'Copy-up happens with the permissions of who mounted. An owner that the user namespace does not map fails with EOVERFLOW.',
    checks: ['P03'],
    source: 'copy_up.c: ovl_copy_up_one()',
  },
  109: {
    text: 'A descriptor that was opened for reading before the copy-up reads the new content afterwards; a mapping that was made before keeps the old.',
    checks: ['O21', 'O22', 'O23'],
  },
  110: {
    text: 'Writing through a symlink copies up its target only. O_CREAT through a symlink that leads nowhere makes the target.',
    checks: ['O13', 'O20'],
  },
  111: { text: 'A file of O_TMPFILE has no name until it is linked, also over a whiteout.', checks: ['O25', 'O26'] },
  112: {
    text: 'A program that runs cannot be opened for writing (ETXTBSY), one of a lower layer neither, whatever the kernel’s documentation says.',
    checks: ['O27', 'O28'],
  },
  113: { text: 'Locks belong to the file of the overlay and survive the copy-up.', checks: ['O34'] },
  114: {
    text: 'Seeking data and holes, fallocate, copy_file_range and reflinks reach the real file.',
    checks: ['O29', 'O30', 'O32'],
  },
  115: {
    text: 'Reading a file or directory of a lower layer never changes its access time.',
    checks: ['A05', 'A06', 'A08'],
  },
  116: {
    text: 'Writing as root keeps suid and sgid and drops security.capability; writing as another owner clears suid and sgid.',
    checks: ['C08', 'P14', 'P14b'],
  },
  142: { text: 'Changing the root of the mount changes the upperdir itself.', checks: ['A12'] },
  143: {
    text: 'truncate of a directory is EISDIR, to a negative size EINVAL; chown clears suid and sgid of files; a symlink has no mode to change (EOPNOTSUPP).',
    checks: ['A01', 'A02', 'A03', 'A10', 'A11'],
  },
  144: { text: 'Setting the times of a lower directory copies it up.', checks: ['A07', 'A09'] },
  145: {
    text: 'The overlay’s own attributes are hidden in the mount; getting, setting and removing such a name means the escaped one.',
    checks: ['X01', 'X02', 'X03', 'X04', 'X05', 'X13'],
  },
  146: {
    text: 'A name that becomes longer than 255 bytes by escaping is refused (EOPNOTSUPP); a symlink has no user attributes (EPERM).',
    checks: ['X06', 'X09', 'X10'],
  },
  147: {
    text: 'Asked for the size of its list of attributes, the overlay counts the hidden ones too.',
    checks: ['X11', 'X12'],
  },
  148: { text: 'trusted attributes show to the administrator only.', checks: ['P12'] },
  149: { text: 'Attributes of layers beneath the topmost one are never mixed in.', checks: ['L47'] },
}
