// Words for what overlayfs does.
import type { Term } from '../term.ts'

/** Words of the field. */
export const wordTerms: readonly Term[] = [
  {
    kind: 'word',
    names: ['copy-up', 'copyup', 'copy up'],
    title: 'a lower file is copied to the upperdir before it is changed',
    meaning:
      'The whole file, however small the change: a chown of a file of 1 GiB writes 1 GiB, unless metacopy=on. Its parents are copied too, without their content, which is why diffs list directories that nobody touched.',
    circumstances: [
      { text: 'what triggers it, O_RDWR without a write included', rule: 93 },
      { text: 'what does not', rule: 94 },
      { text: 'what the copy keeps', rule: 98 },
      { text: 'parents first', rule: 96 },
      { text: 'descriptors that were open for reading see the new content', rule: 109 },
      { text: 'hard links break', rule: 103 },
    ],
    seeAlso: ['metacopy', 'index'],
  },
  {
    kind: 'word',
    names: ['merged', 'merge'],
    title: 'the view: all layers as one tree',
    meaning:
      'Takes no space of its own. Names of directories merge, nothing else does: mode, owner and times are those of the topmost.',
    circumstances: [
      { text: 'what merges', rule: 68 },
      { text: 'a layer archive without an entry for a directory: its attributes must be taken from below', rule: 68 },
      { text: 'the order of listings', rule: 79 },
    ],
    seeAlso: ['lowerdir', 'upperdir'],
  },
  {
    kind: 'word',
    names: ['hard link', 'hardlink', 'hard links', 'nlink'],
    title: 'several names of one file',
    meaning: 'Within a layer they are kept. Writing to one name of a lower file breaks the link, unless index=on.',
    circumstances: [
      { text: 'links break', rule: 103 },
      { text: 'counts', rule: 90 },
      { text: 'rename between two names', rule: 140 },
    ],
    seeAlso: ['index', 'copy-up'],
  },
  {
    kind: 'word',
    names: ['inode', 'st_ino', 'inode number', 'st_dev'],
    title: 'the number of a file, and what it survives',
    meaning: 'It does not change by copy-up; seen in upperdir or lowerdir directly, the number may be another.',
    circumstances: [
      { text: 'one file system', rule: 85 },
      { text: 'several', rule: 87 },
      { text: 'with xino', rule: 88 },
    ],
    seeAlso: ['xino', 'overlay.origin'],
  },
  {
    kind: 'word',
    names: ['native overlay diff', 'native diff'],
    title: 'whether an upperdir can be archived as it lies',
    meaning:
      'Docker reports false where redirect_dir or metacopy may be on: then content is named and not there, and a diff must follow the marks into the lower layers. `ovl diff` does.',
    circumstances: [
      { text: 'a renamed directory has its content below', rule: 133 },
      { text: 'a metacopy has its data below', rule: 106 },
    ],
    seeAlso: ['redirect_dir', 'metacopy'],
  },
  {
    kind: 'word',
    names: ['nesting', 'overlay on overlay', 'stacking'],
    title: 'an overlay whose layer is an overlay',
    meaning: 'As a lower layer, two deep. Never as upperdir.',
    circumstances: [
      { text: 'two deep', rule: 36 },
      { text: 'not as upperdir', rule: 30 },
      { text: 'what shows through', rule: 159 },
    ],
    seeAlso: ['upperdir'],
  },
  {
    kind: 'word',
    names: ['rootless', 'user namespace', 'unprivileged'],
    title: 'overlays without root',
    meaning: 'In a user namespace everybody may mount overlays and make whiteouts.',
    circumstances: [
      { text: 'what works there', rule: 153 },
      { text: 'userxattr', rule: 12 },
    ],
    seeAlso: ['userxattr'],
  },
]
