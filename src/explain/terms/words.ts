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
    rules: [93, 94, 98, 96, 109, 103],
    seeAlso: ['metacopy', 'index'],
  },
  {
    kind: 'word',
    names: ['merged', 'merge'],
    title: 'the view: all layers as one tree',
    meaning:
      'Takes no space of its own. Names of directories merge, nothing else does: mode, owner and times are those of the topmost.',
    rules: [68, 79],
    seeAlso: ['lowerdir', 'upperdir'],
  },
  {
    kind: 'word',
    names: ['hard link', 'hardlink', 'hard links', 'nlink'],
    title: 'several names of one file',
    meaning: 'Within a layer they are kept. Writing to one name of a lower file breaks the link, unless index=on.',
    rules: [103, 90, 140],
    seeAlso: ['index', 'copy-up'],
  },
  {
    kind: 'word',
    names: ['inode', 'st_ino', 'inode number', 'st_dev'],
    title: 'the number of a file, and what it survives',
    meaning: 'It does not change by copy-up; seen in upperdir or lowerdir directly, the number may be another.',
    rules: [85, 87, 88],
    seeAlso: ['xino', 'overlay.origin'],
  },
  {
    kind: 'word',
    names: ['native overlay diff', 'native diff'],
    title: 'whether an upperdir can be archived as it lies',
    meaning:
      'Docker reports false where redirect_dir or metacopy may be on: then content is named and not there, and a diff must follow the marks into the lower layers. `ovl diff` does.',
    rules: [133, 106],
    seeAlso: ['redirect_dir', 'metacopy'],
  },
  {
    kind: 'word',
    names: ['nesting', 'overlay on overlay', 'stacking'],
    title: 'an overlay whose layer is an overlay',
    meaning: 'As a lower layer, two deep. Never as upperdir.',
    rules: [36, 30, 159],
    seeAlso: ['upperdir'],
  },
  {
    kind: 'word',
    names: ['rootless', 'user namespace', 'unprivileged'],
    title: 'overlays without root',
    meaning: 'In a user namespace everybody may mount overlays and make whiteouts.',
    rules: [153, 12],
    seeAlso: ['userxattr'],
  },
]
