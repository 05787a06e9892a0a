// Options, required directories and the workdir: rules 3 to 53.
import type { RuleTable } from './rule.ts'

/** Mounting. */
export const mountingRules: RuleTable = {
  3: {
    text: 'The options are lowerdir, lowerdir+, datadir+, upperdir, workdir, default_permissions, redirect_dir, index, uuid, nfs_export, userxattr, xino, metacopy, verity, fsync, volatile and override_creds.',
    checks: ['M01', 'M20', 'M36', 'M39'],
    source: 'params.c: ovl_parameter_spec',
  },
  4: {
    text: 'Without options: redirect_dir follows, index, metacopy, nfs_export, xino and verity are off, uuid and fsync are auto; as far as the parameters of the module do not say otherwise.',
    checks: ['M01'],
  },
  5: {
    text: '/proc/self/mountinfo shows the settings that are not the default, and directories as they were typed.',
    checks: ['M02', 'M47'],
    source: 'params.c: ovl_show_options()',
  },
  6: {
    text: 'uuid=auto takes overlay.uuid from the root of the upperdir. A new upperdir gets one of 16 random bytes; one that was used without (overlay.impure) stays without.',
    checks: ['M02', 'M03', 'M04on', 'M04nu', 'M04of', 'M05', 'F13', 'F14'],
    source: 'util.c: ovl_init_uuid_xattr()',
  },
  7: {
    text: 'redirect_dir=off means follow where the module parameter redirect_always_follow is set, as it usually is; only nofollow does not follow.',
    checks: ['M24', 'M24b', 'M24c'],
  },
  8: { text: 'Without upperdir, redirects that are followed count as redirect_dir=on.', checks: ['M05b'] },
  9: { text: 'metacopy=on alone sets redirect_dir=on.', checks: ['M22'] },
  10: {
    text: 'metacopy=on with a redirect_dir other than on is refused (EINVAL); without upperdir only nofollow is.',
    checks: ['M21off', 'M21fol', 'M21nof', 'M23', 'M23b'],
    source: 'params.c: ovl_fs_params_verify()',
  },
  11: {
    text: 'nfs_export=on sets index=on and is refused with index=off or metacopy=on (EINVAL); without upperdir it falls back to off where redirects are followed.',
    checks: ['M25', 'M26', 'M27', 'M28b'],
  },
  12: {
    text: 'userxattr sets redirect_dir=nofollow and metacopy=off, and refuses other values (EINVAL).',
    checks: ['M29on', 'M29fol', 'M29off', 'M30', 'M31', 'M32'],
  },
  13: { text: 'default_permissions is accepted and shown, and changes nothing.', checks: ['M33'] },
  14: { text: 'xino=on is ignored where all layers are on one file system.', checks: ['M34'] },
  15: {
    text: 'verity=on and require are accepted even where nothing can be verified. The data of a metacopy that names a digest is then EIO, with require also that of one that names none; and with require metadata is copied up with its data.',
    checks: ['M39'],
    source: 'util.c: ovl_validate_verity()',
  },
  16: {
    text: 'fsync=auto writes the data of a copied-up file to the disk before the copy shows, strict also directories and metadata, volatile nothing.',
    checks: ['M35', 'M36'],
  },
  17: {
    text: 'index, workdir, volatile and uuid=on mean nothing without upperdir and are ignored.',
    checks: ['M05', 'M11', 'M28', 'M37'],
  },
  18: {
    text: 'An unknown option or value is refused (EINVAL).',
    checks: ['M19', 'M20', 'M20b', 'M20c'],
  },
  19: { text: 'Of an option that is given twice the last one counts.', checks: ['M45', 'M46'] },
  20: {
    text: 'override_creds and nooverride_creds choose whose permissions copy-ups need; they are never shown.',
    checks: ['M38'],
  },
  21: { text: 'An upperdir needs a workdir (EINVAL).', checks: ['M06'] },
  22: { text: 'There must be a lowerdir (EINVAL).', checks: ['M07', 'M59'] },
  23: {
    text: 'Without upperdir there must be two lower layers (EINVAL); with one, a single lower layer is enough.',
    checks: ['M08'],
  },
  24: { text: 'Without upperdir the mount is read-only and stays so.', checks: ['M09', 'M10'] },
  25: {
    text: 'workdir and upperdir must be separate: neither the same nor one inside the other (EINVAL).',
    checks: ['M12', 'M13', 'M14'],
  },
  26: {
    text: 'workdir and upperdir must be on one file system, and under one mount of it (EINVAL): finished objects are moved from one to the other by rename.',
    checks: ['M15', 'M16'],
  },
  27: { text: 'A layer must be a directory (EINVAL).', checks: ['M17'] },
  28: {
    text: 'A layer must exist (ENOENT). mount(8) reports it as “special device overlay does not exist”.',
    checks: ['M18'],
  },
  29: { text: 'The upperdir must not be on a read-only mount (EINVAL).', checks: ['M90'] },
  30: {
    text: 'The upperdir must be on a file system that can hold one (EINVAL): no overlay, no NFS, no FAT. An overlay may be a lower layer.',
    checks: ['M89'],
  },
  31: {
    text: 'No directory may be used twice: not as two lower layers, not as lower and upper or work (ELOOP).',
    checks: ['M77', 'M80', 'M81'],
  },
  32: {
    text: 'No lower layer may be inside another one, or inside upperdir or workdir (ELOOP).',
    checks: ['M78', 'M79'],
  },
  33: {
    text: 'upperdir or workdir inside a lower layer is accepted; looking the directory up in the mount then fails with ELOOP.',
    checks: ['M82'],
  },
  34: {
    text: 'An upperdir or workdir that another mount uses is only warned about; with index=on it is refused (EBUSY).',
    checks: ['M83', 'M84'],
  },
  35: {
    text: 'With index=on an upperdir belongs to the lower layer that it was used with first: with another it is refused (ESTALE). Without index it is accepted.',
    checks: ['M86', 'M87'],
  },
  36: { text: 'Overlays stack two deep; the third is refused (EINVAL).', checks: ['M88'] },
  37: { text: 'There may be 500 lower layers (EINVAL beyond).', checks: ['M69', 'M70'] },
  38: {
    text: 'The reason for a refusal is in the kernel log, and with fsopen(2) on its descriptor; mount(8) shows the errno only.',
    checks: ['M70', 'M73'],
  },
  39: {
    text: 'Remounting changes ro and rw only; all other options are ignored, or refused by the new system calls.',
    checks: ['M43', 'M44', 'M76'],
  },
  40: {
    text: 'mount(2) cuts its options after 4095 bytes without an error. Cut inside lowerdir, the mount mostly fails with ENOENT; cut before upperdir, it succeeds read-only.',
    checks: ['M67', 'M68'],
  },
  41: { text: 'Options end at a comma that has no backslash before it.', checks: ['M49', 'M50'] },
  42: {
    text: 'lowerdir is split at colons without backslash, the topmost layer first; “::” starts data-only layers.',
    checks: ['M47', 'M48', 'M56', 'M57', 'M58', 'M60', 'M61'],
  },
  43: {
    text: 'In lowerdir, upperdir and workdir a backslash makes the next character literal.',
    checks: ['M47', 'M49', 'M51', 'M52', 'M53', 'M54', 'M55'],
  },
  44: {
    text: 'lowerdir+ and datadir+ take one directory each, literally; they cannot follow lowerdir.',
    checks: ['M63', 'M63b', 'M64', 'M64b', 'M64c', 'M75'],
  },
  45: {
    text: 'fsconfig(2) takes at most 255 bytes a value: each layer by lowerdir+, or by its descriptor.',
    checks: ['M69', 'M71', 'M72'],
  },
  46: {
    text: 'Relative paths start at the working directory; symlinks in paths of layers are followed.',
    checks: ['M65', 'M66'],
  },
  47: { text: 'Empty options between commas are ignored.', checks: ['M62', 'M62b'] },
  48: {
    text: 'At mount the directory work in the workdir is emptied, two levels deep, and made anew with mode 000; if that fails the mount is read-only. Other names in the workdir are left alone.',
    checks: ['M91', 'M92', 'M93', 'M94'],
    source: 'super.c: ovl_workdir_create()',
  },
  49: {
    text: 'What is being made lies in the workdir as #N and is moved into the upperdir when it is complete; a whiteout that all deletions share may stay there after unmount.',
    checks: ['W01', 'D28', 'D30', 'D31'],
    source: 'dir.c: ovl_lookup_temp()',
  },
  50: {
    text: 'A volatile mount makes work/incompat/volatile in the workdir. It stays after unmount, and no later mount is accepted while it is there (EINVAL).',
    checks: ['M40', 'M41', 'M42'],
  },
  51: {
    text: 'With index=on the workdir holds index. overlay.origin of the upperdir is the file handle of the topmost lower root, overlay.upper of index that of the upperdir.',
    checks: ['M85'],
  },
  52: {
    text: 'An upperdir without extended attributes is accepted with warnings: what needs a mark then fails with EIO (a directory over a whiteout), attributes are lost in copy-up, redirect_dir, metacopy and index are off.',
    checks: ['M97', 'M98', 'M99', 'G08'],
    source: 'super.c: ovl_make_workdir()',
  },
  53: { text: 'tmpfs serves as upperdir, with user attributes too.', checks: ['M95', 'M96'] },
}
