// The closed table of error codes: what a script may branch on, the exit status that goes with each code, and one
// line of explanation. `ovl help exit-status` and docs/errors.md are printed from it; a test fails when a code is
// thrown nowhere or documented nowhere.

/** Exit status of the process, by what went wrong (a summary is printed by `ovl help exit-status`). */
export const exitStatus = {
  done: 0,
  checkFailed: 1,
  usage: 2,
  notFound: 3,
  invalidInput: 4,
  machineCannot: 5,
  destinationInTheWay: 6,
  inputOutput: 7,
  bug: 70,
  interrupted: 130,
  terminated: 143,
} as const

/** One of the values of `exitStatus`. */
export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus]

type Row = { readonly exit: ExitStatus; readonly title: string }

/** code → exit status and a one-line title. Keys are stable: scripts depend on them. */
export const errorCodes = {
  USAGE: { exit: 2, title: 'the command line is not understood' },
  NEEDS_LOWER: { exit: 2, title: 'only with the lower layers at hand can that be done' },
  IMAGE_AMBIGUOUS: { exit: 2, title: 'the input holds several images and none was named' },

  INPUT_NOT_FOUND: { exit: 3, title: 'an input file or directory does not exist' },
  TAG_NOT_FOUND: { exit: 3, title: 'the input has no image of that name, digest or number' },
  PLATFORM_NOT_FOUND: { exit: 3, title: 'the image has no variant for that platform' },
  LAYER_NOT_FOUND: { exit: 3, title: 'the image has no layer of that number' },
  PATH_NOT_FOUND: { exit: 3, title: 'the image has no file of that path' },

  NOT_AN_IMAGE: { exit: 4, title: 'the input is no container image' },
  WRONG_FORMAT: { exit: 4, title: 'the input is an image of another format than the transport says' },
  TRUNCATED: { exit: 4, title: 'the input ends too early' },
  BAD_COMPRESSION: { exit: 4, title: 'compressed data is corrupt' },
  BAD_JSON: { exit: 4, title: 'a document is not valid JSON' },
  BAD_DOCUMENT: { exit: 4, title: 'a manifest, index or config breaks the image specification' },
  BLOB_MISSING: { exit: 4, title: 'a blob that a manifest names is not in the image' },
  DIGEST_MISMATCH: { exit: 4, title: 'a blob does not have the digest that names it' },
  SIZE_MISMATCH: { exit: 4, title: 'a blob does not have the size that its descriptor gives' },
  DIFF_ID_MISMATCH: { exit: 4, title: 'an uncompressed layer does not have the diff ID that the config gives' },
  RESERVED_NAME: { exit: 4, title: 'a file has a name that means a marker in a layer' },
  LAYER_COUNT_MISMATCH: { exit: 4, title: 'manifest and config disagree about the number of layers' },
  BAD_TAR: { exit: 4, title: 'a tar archive is malformed' },
  BAD_ENTRY: { exit: 4, title: 'an entry of a layer cannot be applied' },
  BAD_WHITEOUT: { exit: 4, title: 'a whiteout names no sibling' },
  BAD_HARD_LINK: { exit: 4, title: 'a hard link has no usable target' },
  UNSAFE_PATH: { exit: 4, title: 'a path is refused because it could leave the root' },
  LIMIT_EXCEEDED: { exit: 4, title: 'the input is larger than a limit allows' },
  BAD_USER: { exit: 4, title: 'the user of the image config cannot be found in the image' },
  BAD_SCENARIO: { exit: 4, title: 'a scenario, or a tree in one, cannot be understood' },

  NEEDS_PRIVILEGE: { exit: 5, title: 'this user may not do that here' },
  UNSUPPORTED: { exit: 5, title: 'this machine or this version of ovl cannot do that' },

  OVL_UNKNOWN_OPTION: { exit: 2, title: 'overlayfs has no option of that name' },
  OVL_BAD_VALUE: { exit: 2, title: 'an overlay option has a value that it cannot have' },
  OVL_BAD_LOWERDIR: { exit: 2, title: 'the colons of lowerdir cannot be understood' },
  OVL_DATA_LAYER_ORDER: { exit: 2, title: 'a lower layer stands behind a data-only layer' },
  OVL_LOWERDIR_MIXED: { exit: 2, title: 'a layer is given by itself behind a lowerdir with all of them' },
  OVL_CONFLICTING_OPTIONS: { exit: 2, title: 'two overlay options exclude each other' },
  OVL_UNESCAPED_COLON: { exit: 2, title: 'a colon in the name of a layer needs a backslash' },
  OVL_UNESCAPED_COMMA: { exit: 2, title: 'a comma in the name of a layer needs a backslash' },
  OVL_NO_LOWERDIR: { exit: 2, title: 'an overlay needs a lowerdir' },
  OVL_NO_WORKDIR: { exit: 2, title: 'an upperdir needs a workdir' },
  OVL_TOO_FEW_LAYERS: { exit: 2, title: 'an overlay without upperdir needs two lower layers' },

  OVL_LOWER_NOT_FOUND: { exit: 3, title: 'a lower layer does not exist' },
  OVL_UPPER_NOT_FOUND: { exit: 3, title: 'the upperdir does not exist' },
  OVL_WORKDIR_NOT_FOUND: { exit: 3, title: 'the workdir does not exist' },
  OVL_MOUNT_POINT_NOT_FOUND: { exit: 3, title: 'the directory to mount on does not exist' },

  OVL_NOT_A_DIRECTORY: { exit: 4, title: 'a layer or mount point is no directory' },
  OVL_WORKDIR_IS_UPPERDIR: { exit: 4, title: 'workdir and upperdir are the same directory' },
  OVL_WORKDIR_NESTED: { exit: 4, title: 'workdir and upperdir lie inside each other' },
  OVL_WORKDIR_OTHER_FS: { exit: 4, title: 'workdir is on another file system than upperdir' },
  OVL_WORKDIR_OTHER_MOUNT: { exit: 4, title: 'workdir is on another mount of the file system than upperdir' },
  OVL_LAYER_TWICE: { exit: 4, title: 'a directory has two parts in one overlay' },
  OVL_LAYERS_NESTED: { exit: 4, title: 'a lower layer lies inside another layer' },
  OVL_STALE_ORIGIN: { exit: 4, title: 'index=on, and the upperdir belongs to another lower layer' },
  OVL_STALE_INDEX: { exit: 4, title: 'index=on, and the workdir belongs to another upperdir' },
  OVL_VOLATILE_LEFTOVER: { exit: 4, title: 'the workdir was in use by a volatile mount that may have lost data' },

  OVL_LAYER_UNREACHABLE: { exit: 5, title: 'a layer cannot be opened' },
  OVL_LAYER_UNBINDABLE: { exit: 5, title: 'a layer lies on an unbindable mount' },
  OVL_CASEFOLD_MIXED: { exit: 5, title: 'some layers ignore the case of names and others do not' },
  OVL_UNSUPPORTED_FS: { exit: 5, title: 'the file system of a layer cannot be part of an overlay' },
  OVL_UPPER_READ_ONLY: { exit: 5, title: 'upperdir or workdir is on a read-only mount' },
  OVL_UPPER_ON_OVERLAY: { exit: 5, title: 'upperdir or workdir is on an overlay' },
  OVL_UPPER_REMOTE: { exit: 5, title: 'the file system of the upperdir lacks what overlayfs needs' },
  OVL_TOO_MANY_LAYERS: { exit: 5, title: 'more lower layers than the kernel takes' },
  OVL_TOO_DEEP: { exit: 5, title: 'an overlay upon an overlay upon an overlay' },
  OVL_OPTIONS_TOO_LONG: { exit: 5, title: 'the overlay options are longer than a mount call takes' },
  OVL_MOUNT_FAILED: { exit: 5, title: 'the kernel refuses an overlay for a reason of its own' },
  OVL_NEEDS_TRUSTED_XATTRS: { exit: 5, title: 'an overlay option needs attributes that this user may not use' },

  OVL_BUSY: { exit: 6, title: 'files on a mount are in use' },
  OVL_NOT_AN_OVERLAY: { exit: 6, title: 'something else is mounted there' },
  OVL_ALREADY_MOUNTED: { exit: 6, title: 'the bundle is mounted already' },
  OVL_IN_USE: { exit: 6, title: 'a directory is in use by another overlay' },

  DEST_EXISTS: { exit: 6, title: 'the destination exists already' },
  TAG_EXISTS: { exit: 6, title: 'the layout has another image of that name' },

  NO_SPACE: { exit: 7, title: 'the destination file system is full' },
  READ_FAILED: { exit: 7, title: 'an input cannot be read' },
  WRITE_FAILED: { exit: 7, title: 'an output cannot be written' },

  INTERRUPTED: { exit: 130, title: 'the run was interrupted' },
  BUG: { exit: 70, title: 'ovl has a bug' },
} as const satisfies Record<string, Row>

/** A code of the table; what `OvlError.code` holds. */
export type ErrorCode = keyof typeof errorCodes
