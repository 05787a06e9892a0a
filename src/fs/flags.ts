// Numbers of Linux's uapi that calls take, as on x86 (asm-generic/fcntl.h, linux/fs.h, linux/xattr.h). They are the
// emulator's own vocabulary: a host whose numbers differ translates at its boundary.

/** Access mode: read. */
export const O_RDONLY = 0
/** Access mode: write. */
export const O_WRONLY = 1
/** Access mode: both. */
export const O_RDWR = 2
/** Mask of the access mode. */
export const O_ACCMODE = 3
/** Make the file when there is none. */
export const O_CREAT = 0o100
/** With O_CREAT: fail when there is something. */
export const O_EXCL = 0o200
/** Empty the file. */
export const O_TRUNC = 0o1000
/** Write at the end. */
export const O_APPEND = 0o2000
/** Fail unless it is a directory. */
export const O_DIRECTORY = 0o200000
/** Fail when it is a symlink. */
export const O_NOFOLLOW = 0o400000
/** Leave the access time. */
export const O_NOATIME = 0o1000000
/** Only name the object. */
export const O_PATH = 0o10000000
/** Includes the bit of O_DIRECTORY, as in the kernel. */
export const O_TMPFILE = 0o20000000 | O_DIRECTORY

/** Fail when the new name is taken. */
export const RENAME_NOREPLACE = 1
/** Both names stay, with each other's object. */
export const RENAME_EXCHANGE = 2
/** Leave a whiteout at the old name. */
export const RENAME_WHITEOUT = 4

/** Fail when the attribute exists. */
export const XATTR_CREATE = 1
/** Fail when it does not. */
export const XATTR_REPLACE = 2

/** Do not grow the file. */
export const FALLOC_FL_KEEP_SIZE = 1
/** Free the range; with FALLOC_FL_KEEP_SIZE. */
export const FALLOC_FL_PUNCH_HOLE = 2

/** chattr +i: nothing changes. */
export const FS_IMMUTABLE_FL = 0x10
/** chattr +a: only appending. */
export const FS_APPEND_FL = 0x20

/** Permission to execute, or to search a directory. */
export const MAY_EXEC = 1
/** Permission to write. */
export const MAY_WRITE = 2
/** Permission to read. */
export const MAY_READ = 4
