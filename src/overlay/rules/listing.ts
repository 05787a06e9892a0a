// Listings and the identity of objects: rules 79 to 92.
import type { RuleTable } from './rule.ts'

/** Listings, inode numbers and link counts. */
export const listingRules: RuleTable = {
  79: {
    text: 'A merged directory lists the names of its lowest member first, in that one’s order, then the others from the top.',
    checks: ['E01', 'E02', 'E06'],
    source: 'readdir.c: ovl_dir_read_merged()',
  },
  80: {
    text: 'Positions in a merged listing are 1, 2, 3 and so on; hidden whiteouts take one too.',
    checks: ['E03', 'E09', 'E10'],
  },
  81: {
    text: 'A listing stays as it was when it was first read, until the directory is rewound.',
    checks: ['E07', 'E08'],
  },
  82: {
    text: 'A directory that merges with no other is listed as it is on the disk, whiteouts included, unless it has overlay.origin.',
    checks: ['E12', 'E13', 'D42', 'D43', 'D44'],
  },
  83: {
    text: 'Types in a listing are those of the topmost layer. Inode numbers agree with stat on one file system; on several they may not.',
    checks: ['E04', 'E05', 'E11', 'I15'],
  },
  84: {
    text: 'Listing a merged directory looks up every name of the upperdir in it; one that fails can fail the whole listing.',
    checks: ['L29b', 'L31'],
  },
  85: {
    text: 'On one file system the inode number is that of the lower file and stays so through copy-up and, by overlay.origin, through a new mount.',
    checks: ['I01', 'I02', 'I03', 'I05', 'I10', 'I11', 'C05', 'R34'],
  },
  86: {
    text: 'A copy of one name of a lower hard link has the number of the upper file.',
    checks: ['K09'],
  },
  87: {
    text: 'On several file systems without xino, directories are numbered by a counter, files by their own file system with a device number for each.',
    checks: ['I12', 'I13', 'I14', 'I15'],
  },
  88: {
    text: 'xino puts the number of the file system into the highest bits of inode numbers, which makes them unique under one device number.',
    checks: ['I16', 'F21', 'F22'],
  },
  89: {
    text: 'A merged directory has the link count 1, others their own: it changes when a directory is copied up.',
    checks: ['I04', 'I06', 'I09'],
  },
  90: {
    text: 'A file has the link count of the layer that it is read from: 1 for a copy of one name of a lower hard link, while the others keep the old count. With index=on the names are counted together.',
    checks: ['K08', 'K09', 'K10', 'K11', 'K15', 'F11'],
  },
  91: {
    text: 'The size of a directory is that of its topmost member; the blocks of a metacopy are those of its data.',
    checks: ['I07', 'L36', 'C41'],
  },
  92: {
    text: 'An open file that was deleted has the link count 1 if it is a lower one, 0 if it is an upper one.',
    checks: ['U04'],
  },
}
