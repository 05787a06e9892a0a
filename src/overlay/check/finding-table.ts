// Everything that can be wrong with the directories of an overlay: a closed table, as that of the errors. The numbers
// are those of the rules of overlayfs in docs/overlayfs/rules.md; docs/doctor.md is printed from this table.

/** How bad it is: an error makes something fail, a warning is lost or shows wrongly, a note is good to know. */
export type Severity = 'error' | 'warning' | 'note'

type Row = {
  readonly severity: Severity
  /** What is the case, in one line. */
  readonly title: string
  /** What follows from it and what to do. */
  readonly meaning: string
  readonly rules: readonly number[]
  /** What `--fix` does; null where only the owner of the files can decide. */
  readonly fix: string | null
}

/** code → what it means. Keys are stable: scripts depend on them. */
export const findingCodes = {
  MOUNT_REFUSED: {
    severity: 'error',
    title: 'the kernel would not mount these directories',
    meaning: 'The reason is an error code of `ovl mount`.',
    rules: [],
    fix: null,
  },
  WHITEOUT_USELESS: {
    severity: 'warning',
    title: 'a whiteout hides nothing',
    meaning:
      'No layer beneath has the name. The kernel makes no such whiteout, so the layers may be others than those it was made for, or another program wrote it.',
    rules: [54, 56, 124],
    fix: 'the whiteout is removed',
  },
  WHITEOUT_LISTED: {
    severity: 'warning',
    title: 'a whiteout shows in listings',
    meaning:
      'Its directory merges with no other, and such a directory is listed as it is: the name shows, but opening it fails, and the directory cannot be removed.',
    rules: [56, 82],
    fix: 'the whiteout is removed',
  },
  WHITEOUT_XATTR_LISTED: {
    severity: 'warning',
    title: 'a whiteout made of an attribute hides a file, but its name still shows',
    meaning:
      'Such whiteouts are hidden from listings only in a lower layer other than the lowest, and only in a directory whose overlay.opaque is "x".',
    rules: [56],
    fix: null,
  },
  WHITEOUT_IGNORED: {
    severity: 'warning',
    title: 'overlay.whiteout on something that cannot be a whiteout',
    meaning: 'Only an empty regular file with this attribute is one; this shows as the file that it is.',
    rules: [56],
    fix: 'the attribute is removed',
  },
  AUFS_WHITEOUT: {
    severity: 'warning',
    title: 'a whiteout in the form of layer archives',
    meaning:
      'The kernel takes .wh.NAME and .wh..wh..opq for ordinary files: they show, and hide nothing. `ovl unpack` translates them.',
    rules: [67],
    fix: null,
  },
  OPAQUE_ON_ROOT: {
    severity: 'warning',
    title: 'the root of a layer is marked opaque',
    meaning: 'The kernel ignores it: the layers beneath show. Leave them out of lowerdir to hide them.',
    rules: [57],
    fix: 'the mark is removed',
  },
  OPAQUE_USELESS: {
    severity: 'note',
    title: 'an opaque directory hides nothing',
    meaning:
      'No layer beneath has a directory of that name. The kernel itself leaves such marks when a new directory is moved, or with redirect_dir, metacopy, index or xino on.',
    rules: [57, 120, 132],
    fix: 'the mark is removed',
  },
  OPAQUE_IGNORED: {
    severity: 'warning',
    title: 'a value of overlay.opaque that means nothing here',
    meaning:
      'Only the one byte "y" makes a directory opaque; "x" counts in lower layers other than the lowest, and says that the directory holds whiteouts made of attributes.',
    rules: [56, 57],
    fix: 'the mark is removed',
  },
  REDIRECT_INVALID: {
    severity: 'error',
    title: 'overlay.redirect is malformed',
    meaning:
      'It must be one name, or an absolute path of the overlay. The directory cannot be opened, and listing its parent may fail.',
    rules: [58, 84],
    fix: null,
  },
  REDIRECT_NO_TARGET: {
    severity: 'warning',
    title: 'a redirect leads to nothing',
    meaning: 'No layer beneath has a directory there, so only what lies in the redirected one itself shows.',
    rules: [58],
    fix: null,
  },
  REDIRECT_TWICE: {
    severity: 'error',
    title: 'a redirect leads to a directory that shows elsewhere, too',
    meaning:
      'While it is in use at one place, it cannot be opened at the other (ESTALE). A rename leaves a whiteout at the old name; without it, or with a second redirect, there are two.',
    rules: [74],
    fix: null,
  },
  REDIRECT_REFUSED: {
    severity: 'error',
    title: 'a redirect in an overlay that follows none',
    meaning: 'With userxattr redirects are not followed: the directory cannot be opened (EPERM) and is not listed.',
    rules: [12, 73],
    fix: null,
  },
  REDIRECT_IGNORED: {
    severity: 'note',
    title: 'a redirect that is not read',
    meaning: 'An opaque directory merges with nothing, and beneath the lowest layer there is nothing to lead to.',
    rules: [57, 58],
    fix: null,
  },
  METACOPY_NO_DATA: {
    severity: 'error',
    title: 'a file holds metadata only, and no layer beneath has its data',
    meaning: 'Opening it fails (EIO; ENOENT where the data should be in a data-only layer).',
    rules: [59, 75, 76],
    fix: null,
  },
  METACOPY_INVALID: {
    severity: 'error',
    title: 'overlay.metacopy is malformed',
    meaning: 'It must be empty or have at least four bytes. Opening the file fails (EIO).',
    rules: [59],
    fix: null,
  },
  METACOPY_OFF: {
    severity: 'warning',
    title: 'files hold metadata only, and metacopy is off',
    meaning: 'Their data is beneath, but without the mount option metacopy=on opening them fails (EPERM).',
    rules: [75],
    fix: null,
  },
  ORIGIN_STALE: {
    severity: 'warning',
    title: 'overlay.origin names a file that is gone',
    meaning:
      'The lower layers were replaced or copied since. Inode numbers change at the next mount; with index=on it is refused.',
    rules: [60, 85],
    fix: 'the attribute is emptied, which says "copied up, from an unknown file"',
  },
  ORIGIN_INVALID: {
    severity: 'warning',
    title: 'overlay.origin is malformed',
    meaning: 'The kernel ignores it.',
    rules: [60],
    fix: 'the attribute is emptied, which says "copied up, from an unknown file"',
  },
  PREFIX_OTHER: {
    severity: 'warning',
    title: 'marks under a prefix that does not count',
    meaning:
      'Overlays use trusted.overlay.*, or with userxattr user.overlay.*; the other, and that of fuse-overlayfs, means nothing.',
    rules: [65],
    fix: null,
  },
  WORK_VOLATILE: {
    severity: 'error',
    title: 'the workdir was in use by a volatile mount',
    meaning:
      'Such a mount writes nothing to the disk by itself; if the machine stopped since, files may be empty or torn. The kernel refuses to mount until the marker is removed.',
    rules: [50],
    fix: 'if the machine has not been started since: everything is written to the disk, then the marker is removed',
  },
  WORK_LEFTOVER: {
    severity: 'note',
    title: 'files are left in the workdir',
    meaning: 'Something that was being made when the overlay ended. The kernel removes it at the next mount.',
    rules: [48, 49],
    fix: 'they are removed',
  },
  WORK_LEFTOVER_DEEP: {
    severity: 'error',
    title: 'a tree is left in the workdir that the kernel cannot remove',
    meaning: 'It removes two levels; what is deeper makes the next mount read-only.',
    rules: [48],
    fix: 'it is removed',
  },
  WORK_FOREIGN: {
    severity: 'note',
    title: 'the workdir holds files that are not of overlayfs',
    meaning: 'They stay as they are, but a workdir is nobody else’s place: make sure that it is the right directory.',
    rules: [48],
    fix: null,
  },
  INDEX_FOREIGN: {
    severity: 'error',
    title: 'the index belongs to another upperdir or other lower layers',
    meaning: 'A mount with index=on is refused (ESTALE); with index=off it works, and hard links break on change.',
    rules: [51, 64],
    fix: null,
  },
  INDEX_ENTRY_STALE: {
    severity: 'warning',
    title: 'an entry of the index is for a file that is gone',
    meaning: 'The kernel removes it at the next mount with index=on.',
    rules: [64],
    fix: null,
  },
  INDEX_ENTRY_INVALID: {
    severity: 'warning',
    title: 'an entry of the index is malformed',
    meaning:
      'Its name must be the overlay.origin of its file in hexadecimal, its overlay.nlink a difference such as "U+1".',
    rules: [63, 64],
    fix: null,
  },
  NOT_CHECKED: {
    severity: 'note',
    title: 'something could not be looked at',
    meaning: 'Run it as root, or as the owner of the files.',
    rules: [],
    fix: null,
  },
} as const satisfies Record<string, Row>

/** A code of the table. */
export type FindingCode = keyof typeof findingCodes

/** How a finding of this code is mended without changing what the overlay shows. */
export type Mend =
  /** Unlinks a whiteout. */
  | { readonly kind: 'unlink' }
  /** Removes a mark that the kernel does not heed. */
  | { readonly kind: 'remove-mark'; readonly mark: string }
  /** Sets overlay.origin to nothing: "copied up, from an unknown file". */
  | { readonly kind: 'empty-mark'; readonly mark: string }
  /** Removes a tree below the workdir. */
  | { readonly kind: 'remove-tree' }
  /** Writes the upperdir to its disk, then removes the marker of a volatile mount. */
  | { readonly kind: 'sync-and-remove' }

/** Something wrong at a path of a layer. */
export type LayerFinding = {
  readonly code: FindingCode
  /** 0 is the top-most: the upperdir, if there is one. */
  readonly layer: number
  /** Below the root of the layer; "" is the root. */
  readonly path: string
  /** What follows the path in a sentence: `is opaque, and no layer beneath has such a directory`. */
  readonly fact: string
  readonly mend: Mend | null
}
