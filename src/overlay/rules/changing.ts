// Making, linking, removing and renaming: rules 117 to 141.
import type { RuleTable } from './rule.ts'

/** What changes of names leave in the upperdir. */
export const changingRules: RuleTable = {
  117: {
    text: 'A new object is made in the upper directory, which is copied up first, with the caller’s owner, umask, inherited group and ACL.',
    checks: ['D01', 'D07', 'D09', 'C09', 'P07'],
  },
  118: {
    text: 'Over a whiteout of the upperdir the new object is made in the workdir and takes the whiteout’s place; nothing of what was there before shows through. A directory becomes opaque.',
    checks: ['D12', 'D13', 'D14', 'D15', 'D16', 'D17', 'D18', 'D19', 'K06'],
  },
  119: {
    text: 'Where the name is hidden by a whiteout of a lower layer, or exists nowhere, the object is simply made; a directory is not opaque.',
    checks: ['U03', 'D50', 'D51', 'D20'],
  },
  120: {
    text: 'With redirect_dir, metacopy, index, nfs_export or xino on, every directory that is made in a merged one is opaque from the start.',
    checks: ['D20', 'D21reon', 'D21meon', 'D21inon', 'D21nfon', 'D21xion', 'D21xito', 'D53'],
    source: 'dir.c: ovl_create_upper(); overlayfs.h: ovl_allow_offline_changes()',
  },
  121: {
    text: 'Nobody can make a character device 0:0 in the mount (EPERM): it would be a whiteout.',
    checks: ['D22', 'D23', 'D23b', 'N04', 'Y25'],
  },
  122: { text: 'The target of a symlink has 1 to 4095 bytes (ENOENT, ENAMETOOLONG).', checks: ['D45'] },
  123: {
    text: 'link(2) copies up the file and the directory of the new name, then links in the upperdir.',
    checks: ['K01', 'K02', 'K03', 'K04', 'K05', 'K06', 'K07'],
  },
  124: {
    text: 'Removing a name leaves a whiteout only if a layer beneath has it.',
    checks: ['D10', 'D24', 'D25', 'D26', 'D27', 'D38', 'U03', 'U06', 'R47'],
    source: 'namei.c: ovl_lower_positive()',
  },
  125: { text: 'The whiteout replaces the upper object in one step.', checks: ['D10', 'D35'] },
  126: {
    text: 'A directory is empty when its merged listing is; whiteouts are no entries. ENOTEMPTY comes before anything is copied up.',
    checks: ['D32', 'D34', 'D35', 'D36'],
  },
  127: {
    text: 'Removing a directory of the upperdir that holds whiteouts puts an empty opaque one in its place first.',
    checks: ['D35', 'D37', 'D39', 'U01'],
  },
  128: {
    text: 'A directory of the upperdir alone that holds a stray whiteout cannot be removed (ENOTEMPTY).',
    checks: ['D42', 'D43', 'D44', 'U02'],
  },
  129: { text: 'Removing a name copies its directory up and changes that one’s times.', checks: ['D40'] },
  130: {
    text: 'Changing a deleted lower file through its descriptor fails with EEXIST: its copy would need the name.',
    checks: ['U05'],
  },
  131: {
    text: 'A file is renamed by copying it up and moving the copy; a whiteout stays at the old name if a lower layer has it. A directory that exists in a lower layer is not renamed (EXDEV) unless redirect_dir=on; mv then copies it.',
    checks: [
      'R01',
      'R02',
      'R03',
      'R04',
      'R05',
      'R06',
      'R15',
      'R16',
      'R17',
      'R18',
      'R19',
      'R22',
      'R23',
      'R24',
      'R25',
      'R47',
    ],
    source: 'dir.c: ovl_rename()',
  },
  132: {
    text: 'A directory of the upperdir alone becomes opaque when it is moved into a merged one.',
    checks: ['R20', 'R21', 'R42'],
  },
  133: {
    text: 'With redirect_dir=on a directory of a lower layer is renamed without its content: it alone is copied up, and overlay.redirect says where the content is below, by name in the same directory, by an absolute path elsewhere.',
    checks: ['R33', 'R34', 'R35', 'R36', 'R37', 'R38', 'R41', 'R44'],
  },
  134: { text: 'An absolute redirect longer than 256 bytes is not made (EXDEV).', checks: ['R40'] },
  135: {
    text: 'Redirects are followed by default, but what has one is not renamed again without redirect_dir=on (EXDEV).',
    checks: ['R39'],
  },
  136: { text: 'Files get a redirect only with metacopy=on.', checks: ['R43', 'C47'] },
  137: {
    text: 'RENAME_EXCHANGE copies both up and swaps them, without whiteouts.',
    checks: ['R29', 'R30', 'R31', 'R32'],
  },
  138: { text: 'RENAME_NOREPLACE succeeds over a whiteout.', checks: ['R13', 'R17'] },
  139: {
    text: 'A rename that fails copies nothing up: file over directory EISDIR, directory over file ENOTDIR, into itself EINVAL.',
    checks: ['R12', 'R13', 'R14', 'R15', 'R16'],
  },
  140: {
    text: 'Renaming one name of a lower hard link to another removes the first, unlike POSIX; with index=on nothing happens.',
    checks: ['R08', 'R09'],
  },
  141: {
    text: 'A rename changes the times of both directories and keeps those of the object.',
    checks: ['R26', 'R28'],
  },
}
