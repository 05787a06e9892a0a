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
  LAYER_COUNT_MISMATCH: { exit: 4, title: 'manifest and config disagree about the number of layers' },
  BAD_TAR: { exit: 4, title: 'a tar archive is malformed' },
  BAD_ENTRY: { exit: 4, title: 'an entry of a layer cannot be applied' },
  BAD_WHITEOUT: { exit: 4, title: 'a whiteout names no sibling' },
  BAD_HARD_LINK: { exit: 4, title: 'a hard link has no usable target' },
  UNSAFE_PATH: { exit: 4, title: 'a path is refused because it could leave the root' },
  LIMIT_EXCEEDED: { exit: 4, title: 'the input is larger than a limit allows' },
  BAD_USER: { exit: 4, title: 'the user of the image config cannot be found in the image' },

  NEEDS_PRIVILEGE: { exit: 5, title: 'this user may not do that here' },
  UNSUPPORTED: { exit: 5, title: 'this machine or this version of ovl cannot do that' },

  DEST_EXISTS: { exit: 6, title: 'the destination exists already' },

  NO_SPACE: { exit: 7, title: 'the destination file system is full' },
  READ_FAILED: { exit: 7, title: 'an input cannot be read' },
  WRITE_FAILED: { exit: 7, title: 'an output cannot be written' },

  INTERRUPTED: { exit: 130, title: 'the run was interrupted' },
  BUG: { exit: 70, title: 'ovl has a bug' },
} as const satisfies Record<string, Row>

/** A code of the table; what `OvlError.code` holds. */
export type ErrorCode = keyof typeof errorCodes
