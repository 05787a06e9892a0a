// Things worth telling that do not stop the work. They travel through one callback; whoever shows them decides
// which are printed at once and which are counted ("one warning a run").

/** What a warning is about; stable, so that scripts can filter `warnings[].code` in JSON output. */
export type WarningCode =
  | 'DOTDOT_PATH' // ".." in a name, resolved inside the root
  | 'DUPLICATE_ENTRY' // the last entry of a name wins
  | 'AUFS_METADATA' // a reserved .wh..wh.* name, dropped
  | 'CHAR_DEVICE_WHITEOUT' // a character device 0:0 taken as a whiteout
  | 'PARENT_SYMLINK_HIDDEN' // an implied directory hides a symlink of a lower layer
  | 'OWNER_MINUS_ONE' // uid or gid -1 read as 0
  | 'UNKNOWN_ENTRY_TYPE' // skipped because of --skip-unknown
  | 'GZIP_TRAILING_DATA' // bytes after the last gzip member
  | 'XATTR_SKIPPED' // an extended attribute that could not be kept
  | 'DEVICE_SKIPPED' // a device node that could not be made
  | 'TIME_CLAMPED' // a time that the file system cannot hold
  | 'OWNER_NOT_KEPT' // an owner that this user may not set
  | 'SPECIAL_FILE_SKIPPED' // a FIFO or other file that needs system calls that are missing here
  | 'SOCKET_LEFT_OUT' // a socket, for which a layer has no entry
  | 'MERGED_COPY' // a path that is another in the copy of a bundle than a mount would show
  | 'MEDIA_TYPE' // an unknown or mixed media type, ignored
  | 'IMAGE_DOCUMENT' // an oddity of manifest, index or config that the specification tolerates
  | 'CONFIG_USER' // the user of the config could not be looked up
  | 'LEFTOVER' // the workspace of a run that was killed
  | 'SPOOLED' // the archive had to be copied to a temporary file

/** Something that was not kept or not understood, and that did not stop the work. */
export type Warning = {
  readonly code: WarningCode
  readonly message: string
  /** 1-based layer number, where there is one. */
  readonly layer?: number
  readonly path?: string
}

/** Takes a warning; called at once, from the thread that does the work. */
export type Warn = (warning: Warning) => void
