// Marks: what overlayfs and layer archives write to say something about other layers.
import type { Term } from '../term.ts'

/** Marks on disk and in archives. */
export const markTerms: readonly Term[] = [
  {
    kind: 'mark',
    names: ['whiteout', 'char 0:0', 'character device 0:0', 'c 0 0', '0/0', '0:0'],
    title: 'a name that is deleted: character device 0:0',
    meaning:
      'Hides what all layers beneath have under this name. Made by removing a lower file in the mount, or by unpacking .wh.NAME of a layer archive. The bytes of what it hides are still in the layer beneath.',
    rules: [54, 124, 121, 82, 56, 55],
    seeAlso: ['.wh.', 'opaque'],
  },
  {
    kind: 'mark',
    names: ['.wh.', '.wh', '.wh.NAME', 'aufs whiteout'],
    title: 'a whiteout in a layer archive: .wh.NAME hides NAME of the layers below',
    meaning:
      'Only in archives of image layers (image-spec, layer.md, "Whiteouts"). Unpackers turn it into a deletion, or on overlayfs into a character device 0:0. In a directory that is mounted, the kernel takes it for an ordinary file: a layer that was unpacked with plain tar shows the deleted file and the marker.',
    rules: [67, 54],
    seeAlso: ['whiteout', '.wh..wh..opq'],
  },
  {
    kind: 'mark',
    names: ['.wh..wh..opq', 'opaque whiteout', '.wh..wh.'],
    title: 'the opaque marker of a layer archive: hides everything the layers below have in its directory',
    meaning:
      'Exactly this name, anywhere in the archive of the layer: entries of the same layer are not touched, whichever comes first. It is not a whiteout of “.wh..opq”. On overlayfs it becomes overlay.opaque of the directory.',
    rules: [67, 57],
    seeAlso: ['opaque', '.wh.'],
  },
  {
    kind: 'mark',
    names: ['overlay.opaque', 'opaque', 'trusted.overlay.opaque', 'user.overlay.opaque'],
    title: 'a directory that hides those beneath it: extended attribute overlay.opaque = "y"',
    meaning:
      'Nothing of the lower layers shows in it. Set by making a directory where a lower one was removed; a directory with a new name gets none by default.',
    rules: [57, 118, 132, 120, 65],
    seeAlso: ['.wh..wh..opq', 'whiteout', 'userxattr'],
  },
  {
    kind: 'mark',
    names: ['overlay.redirect', 'redirect', 'trusted.overlay.redirect', 'user.overlay.redirect'],
    title: 'where the content of a renamed object is in the layers beneath',
    meaning:
      'A name in the same directory, or an absolute path from the root of the overlay. A backup of the upperdir must keep it: the content is named there and nowhere else.',
    rules: [58, 133, 107, 73],
    seeAlso: ['redirect_dir', 'EXDEV'],
  },
  {
    kind: 'mark',
    names: ['overlay.metacopy', 'trusted.overlay.metacopy', 'user.overlay.metacopy'],
    title: 'a copy of the metadata alone: the data is in a layer beneath',
    meaning: 'The file is a hole of the right size; read outside the mount it is zeros.',
    rules: [106, 75, 59],
    seeAlso: ['metacopy'],
  },
  {
    kind: 'mark',
    names: ['overlay.origin', 'origin', 'trusted.overlay.origin', 'user.overlay.origin'],
    title: 'which lower object this one was copied up from: a file handle',
    meaning:
      'Keeps inode numbers the same over a copy-up and a new mount. What has one was copied up; what has none is new, or one name of a hard link.',
    rules: [60, 102, 62, 35],
    seeAlso: ['ESTALE', 'overlay.impure'],
  },
  {
    kind: 'mark',
    names: ['overlay.impure', 'impure', 'trusted.overlay.impure', 'user.overlay.impure'],
    title: 'a directory of the upperdir with copied-up objects in it',
    meaning: 'Listing it has to look up their inode numbers. It says nothing about content.',
    rules: [61],
    seeAlso: ['overlay.origin'],
  },
  {
    kind: 'mark',
    names: ['overlay.whiteout', 'trusted.overlay.whiteout', 'user.overlay.whiteout', 'xattr whiteout', 'xwhiteout'],
    title: 'a whiteout without a device: an empty file with this attribute',
    meaning:
      'For places where device nodes cannot be made. The kernel reads it and never makes it. Its directory needs overlay.opaque = "x" for the name to vanish from listings.',
    rules: [56],
    seeAlso: ['whiteout'],
  },
  {
    kind: 'mark',
    names: ['overlay.nlink', 'trusted.overlay.nlink'],
    title: 'the link count of a file in the index',
    meaning: 'Relative to that of the upper or the lower file.',
    rules: [63],
    seeAlso: ['index'],
  },
  {
    kind: 'mark',
    names: ['overlay.upper', 'trusted.overlay.upper'],
    title: 'the upper directory that an entry of the index stands for',
    meaning: 'A file handle.',
    rules: [63],
    seeAlso: ['index', 'nfs_export'],
  },
  {
    kind: 'mark',
    names: ['overlay.uuid', 'trusted.overlay.uuid'],
    title: 'the number of the overlay, 16 bytes on the root of the upperdir',
    meaning: 'Written by the first mount.',
    rules: [6],
    seeAlso: ['uuid'],
  },
  {
    kind: 'mark',
    names: ['overlay.protattr', 'trusted.overlay.protattr', 'chattr'],
    title: 'immutable and append-only, as the overlay keeps them',
    meaning: 'chattr +i in the mount writes this; the file itself stays changeable from outside.',
    rules: [105],
    seeAlso: ['EPERM'],
  },
  {
    kind: 'mark',
    names: ['overlay.overlay', 'trusted.overlay.overlay', 'escaped xattr'],
    title: 'an attribute of a program that looks like a mark, escaped',
    meaning: 'setfattr trusted.overlay.x in the mount stores trusted.overlay.overlay.x.',
    rules: [66],
    seeAlso: [],
  },
]
