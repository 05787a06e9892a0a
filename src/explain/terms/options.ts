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
    circumstances: [
      { text: 'one is enough with an upperdir, two are needed without', rule: 23 },
      { text: 'at most 500', rule: 37 },
      { text: 'a colon in a name is written \\:, a comma \\,', rule: 42 },
      { text: 'with many layers the option string is cut at 4095 bytes: use lowerdir+, or relative paths', rule: 40 },
      { text: 'no directory twice, none inside another', rule: 31 },
      { text: 'they must not be changed while they are mounted', rule: 78 },
    ],
    seeAlso: ['upperdir', 'datadir+'],
  },
  {
    kind: 'option',
    names: ['datadir+', 'data-only', 'datadir', 'data-only layer'],
    title: 'layers that hold data of metacopies and show no names',
    meaning: 'Given as datadir+=DIR, or behind “::” in lowerdir.',
    circumstances: [
      { text: 'found by absolute redirects of metacopies only', rule: 76 },
      { text: 'refused in a user namespace', rule: 153 },
    ],
    seeAlso: ['metacopy', 'redirect'],
  },
  {
    kind: 'option',
    names: ['upperdir', 'upper'],
    title: 'the directory that takes all changes',
    meaning:
      'Changed and new objects are here, deletions as whiteouts. Without it the overlay is read-only. To keep it, its extended attributes and device nodes must be kept: cp, rsync and tar need their options for that.',
    circumstances: [
      { text: 'needs a workdir on the same file system', rule: 26 },
      { text: 'cannot be on another overlay, NFS or FAT', rule: 30 },
      { text: 'should have extended attributes', rule: 52 },
      { text: 'belongs to its lower layers: with index=on others are refused', rule: 35 },
      { text: 'even mounting and reading write attributes to it', rule: 62 },
    ],
    seeAlso: ['workdir', 'whiteout', 'copy-up'],
  },
  {
    kind: 'option',
    names: ['workdir', 'work'],
    title: 'where objects are prepared before they appear in the upperdir',
    meaning:
      'Finished objects are moved from here to the upperdir by rename, so that nothing half-done ever shows. Deletions are not stored here.',
    circumstances: [
      { text: 'same file system and mount as upperdir', rule: 26 },
      { text: 'neither inside it nor around it', rule: 25 },
      { text: 'its directory work is emptied at every mount', rule: 48 },
      { text: 'with index=on the index is here', rule: 51 },
    ],
    seeAlso: ['upperdir', 'index'],
  },
  {
    kind: 'option',
    names: ['redirect_dir'],
    title: 'whether lower directories can be renamed: on, follow, nofollow, off',
    meaning:
      'on: a renamed directory carries overlay.redirect, its content stays below. follow (the default): such directories are shown, new ones are not made and rename(2) gives EXDEV. off means follow on most kernels.',
    circumstances: [
      { text: 'without on, renaming a lower directory gives EXDEV', rule: 131 },
      { text: 'what a redirect says', rule: 133 },
      { text: 'off is follow where the module says so', rule: 7 },
      { text: 'new directories in merged ones are opaque from the start', rule: 120 },
      { text: 'an upperdir with redirects cannot be archived as it lies: the content is named, not there', rule: 133 },
    ],
    seeAlso: ['EXDEV', 'redirect', 'metacopy'],
  },
  {
    kind: 'option',
    names: ['metacopy'],
    title: 'copy up metadata without data',
    meaning:
      'With on, chmod and chown of a lower file copy no data: the upper file is a hole of the full size with overlay.metacopy. The data follows with the first opening for writing. Without it a change of owner copies the whole file.',
    circumstances: [
      { text: 'what the copy holds', rule: 106 },
      { text: 'sets redirect_dir=on', rule: 9 },
      { text: 'refused together with another redirect_dir', rule: 10 },
      { text: 'a later mount without metacopy=on cannot open such files', rule: 75 },
      { text: 'what is archived from the upperdir lacks the data: fetch it from the lower layer', rule: 106 },
    ],
    seeAlso: ['overlay.metacopy', 'redirect_dir'],
  },
  {
    kind: 'option',
    names: ['index'],
    title: 'keep hard links of lower files together',
    meaning:
      'Without it, writing to one name of a lower hard link makes a file of its own: the other names keep the old content. With on, the names stay one file, by an index in the workdir.',
    circumstances: [
      { text: 'without index links break', rule: 103 },
      { text: 'link counts are those of all names together', rule: 90 },
      { text: 'the upperdir is bound to its lower layers (ESTALE) and to one mount (EBUSY)', rule: 35 },
      { text: 'rename between two names of one file does nothing, as POSIX asks', rule: 140 },
    ],
    seeAlso: ['ESTALE', 'nfs_export', 'overlay.nlink'],
  },
  {
    kind: 'option',
    names: ['nfs_export'],
    title: 'file handles that survive a mount',
    meaning: 'Every copied-up object is in the index, deletions too.',
    circumstances: [
      { text: 'sets index=on, refuses metacopy=on', rule: 11 },
      { text: 'directories and deleted files have entries in the index', rule: 64 },
    ],
    seeAlso: ['index'],
  },
  {
    kind: 'option',
    names: ['xino'],
    title: 'unique inode numbers across file systems',
    meaning: 'Where layers are on several file systems, their number goes into the highest bits of st_ino.',
    circumstances: [
      { text: 'how many bits', rule: 88 },
      { text: 'ignored where all layers are on one file system', rule: 14 },
      { text: 'without it, files have a device number for each file system', rule: 87 },
    ],
    seeAlso: [],
  },
  {
    kind: 'option',
    names: ['userxattr'],
    title: 'marks in user.overlay. instead of trusted.overlay.',
    meaning:
      'For mounts in a user namespace, which may not write trusted attributes. The kernel makes whiteout devices for them.',
    circumstances: [
      {
        text: 'the other prefix means nothing: an upperdir written with one and mounted with the other shows deleted files again',
        rule: 65,
      },
      { text: 'no redirects and no metacopies', rule: 12 },
      { text: 'what a user namespace may do', rule: 153 },
    ],
    seeAlso: ['opaque', 'EPERM'],
  },
  {
    kind: 'option',
    names: ['uuid'],
    title: 'how the overlay is told from others: auto, on, off, null',
    meaning: 'auto writes 16 random bytes to a new upperdir, on the attribute overlay.uuid.',
    circumstances: [{ text: 'what auto comes to', rule: 6 }],
    seeAlso: ['overlay.uuid'],
  },
  {
    kind: 'option',
    names: ['volatile', 'fsync'],
    title: 'when data is written to the disk: fsync=auto, strict, volatile',
    meaning: 'volatile never syncs: after a crash the upperdir must be thrown away.',
    circumstances: [
      { text: 'the workdir is refused afterwards', rule: 50 },
      { text: 'auto syncs the data of a copy before it shows', rule: 16 },
    ],
    seeAlso: ['workdir'],
  },
  {
    kind: 'option',
    names: ['verity'],
    title: 'check the data of metacopies by fs-verity digests: off, on, require',
    meaning: 'Needs metacopies with a digest and a file system with fs-verity.',
    circumstances: [{ text: 'accepted even where nothing can be verified', rule: 15 }],
    seeAlso: ['metacopy'],
  },
  {
    kind: 'option',
    names: ['default_permissions'],
    title: 'accepted, without effect',
    meaning: 'Older kernels checked permissions differently without it.',
    circumstances: [{ text: 'shown in mountinfo, read nowhere', rule: 13 }],
    seeAlso: [],
  },
  {
    kind: 'option',
    names: ['override_creds', 'nooverride_creds'],
    title: 'whose permissions copy-ups need',
    meaning: 'By default those of whoever mounted.',
    circumstances: [{ text: 'never shown', rule: 20 }],
    seeAlso: [],
  },
]
