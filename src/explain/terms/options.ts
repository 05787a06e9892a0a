// Mount options of overlayfs: what each does, by the rules that say so.
import type { Term } from '../term.ts'

/** Options, in the order of the kernel's documentation. */
export const optionTerms: readonly Term[] = [
  {
    kind: 'option',
    names: ['lowerdir', 'lowerdir+', 'lower'],
    title: 'the layers beneath, read only',
    meaning:
      'lowerdir=TOP:…:BOTTOM: the leftmost is on top. Layers of an image are counted from the base, so their order is the reverse.',
    rules: [23, 37, 42, 40, 31, 78],
    seeAlso: ['upperdir', 'datadir+'],
  },
  {
    kind: 'option',
    names: ['datadir+', 'data-only', 'datadir', 'data-only layer'],
    title: 'layers that hold data of metacopies and show no names',
    meaning: 'Given as datadir+=DIR, or behind “::” in lowerdir.',
    rules: [76, 153],
    seeAlso: ['metacopy', 'redirect'],
  },
  {
    kind: 'option',
    names: ['upperdir', 'upper'],
    title: 'the directory that takes all changes',
    meaning:
      'Changed and new objects are here, deletions as whiteouts. Without it the overlay is read-only. To keep it, its extended attributes and device nodes must be kept: cp, rsync and tar need their options for that.',
    rules: [26, 30, 52, 35, 62],
    seeAlso: ['workdir', 'whiteout', 'copy-up'],
  },
  {
    kind: 'option',
    names: ['workdir', 'work'],
    title: 'where objects are prepared before they appear in the upperdir',
    meaning:
      'Finished objects are moved from here to the upperdir by rename, so that nothing half-done ever shows. Deletions are not stored here.',
    rules: [26, 25, 48, 51],
    seeAlso: ['upperdir', 'index'],
  },
  {
    kind: 'option',
    names: ['redirect_dir'],
    title: 'whether lower directories can be renamed: on, follow, nofollow, off',
    meaning:
      'on: a renamed directory carries overlay.redirect, its content stays below. follow (the default): such directories are shown, new ones are not made and rename(2) gives EXDEV. off means follow on most kernels. An upperdir with redirects cannot be archived as it lies: the content is named, not there.',
    rules: [131, 133, 7, 120],
    seeAlso: ['EXDEV', 'redirect', 'metacopy'],
  },
  {
    kind: 'option',
    names: ['metacopy'],
    title: 'copy up metadata without data',
    meaning:
      'With on, chmod and chown of a lower file copy no data: the upper file is a hole of the full size with overlay.metacopy. The data follows with the first opening for writing. Without it a change of owner copies the whole file. Archived as it lies, such an upperdir lacks the data.',
    rules: [106, 9, 10, 75],
    seeAlso: ['overlay.metacopy', 'redirect_dir'],
  },
  {
    kind: 'option',
    names: ['index'],
    title: 'keep hard links of lower files together',
    meaning:
      'Without it, writing to one name of a lower hard link makes a file of its own: the other names keep the old content. With on, the names stay one file, by an index in the workdir.',
    rules: [103, 90, 35, 140],
    seeAlso: ['ESTALE', 'nfs_export', 'overlay.nlink'],
  },
  {
    kind: 'option',
    names: ['nfs_export'],
    title: 'file handles that survive a mount',
    meaning: 'Every copied-up object is in the index, deletions too.',
    rules: [11, 64],
    seeAlso: ['index'],
  },
  {
    kind: 'option',
    names: ['xino'],
    title: 'unique inode numbers across file systems',
    meaning: 'Where layers are on several file systems, their number goes into the highest bits of st_ino.',
    rules: [88, 14, 87],
    seeAlso: [],
  },
  {
    kind: 'option',
    names: ['userxattr'],
    title: 'marks under the prefix user.overlay, not trusted.overlay',
    meaning:
      'For mounts in a user namespace, which may not write trusted attributes. The kernel makes whiteout devices for them. An upperdir written with one prefix and mounted with the other shows hidden files again.',
    rules: [65, 12, 153],
    seeAlso: ['opaque', 'EPERM'],
  },
  {
    kind: 'option',
    names: ['uuid'],
    title: 'how the overlay is told from others: auto, on, off, null',
    meaning: 'auto writes 16 random bytes to a new upperdir, on the attribute overlay.uuid.',
    rules: [6],
    seeAlso: ['overlay.uuid'],
  },
  {
    kind: 'option',
    names: ['volatile', 'fsync'],
    title: 'when data is written to the disk: fsync=auto, strict, volatile',
    meaning: 'volatile never syncs: after a crash the upperdir must be thrown away.',
    rules: [50, 16],
    seeAlso: ['workdir'],
  },
  {
    kind: 'option',
    names: ['verity'],
    title: 'check the data of metacopies by fs-verity digests: off, on, require',
    meaning:
      'Needs metacopies with a digest and a file system with fs-verity: data without a digest of its own is refused (EIO) where the metacopy names one, with require also where it names none.',
    rules: [15],
    seeAlso: ['metacopy'],
  },
  {
    kind: 'option',
    names: ['default_permissions'],
    title: 'accepted, without effect',
    meaning: 'Older kernels checked permissions differently without it.',
    rules: [13],
    seeAlso: [],
  },
  {
    kind: 'option',
    names: ['override_creds', 'nooverride_creds'],
    title: 'whose permissions copy-ups need',
    meaning: 'By default those of whoever mounted.',
    rules: [20],
    seeAlso: [],
  },
]
