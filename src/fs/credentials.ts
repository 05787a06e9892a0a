/**
 * Who asks. A caller is either capable, with every capability (root in the first user namespace), or has none: finer
 * sets are not told apart.
 */
export type Credentials = {
  /** fsuid and fsgid of the kernel: new objects belong to them. */
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
  readonly capable: boolean
  /** Permission bits that new objects do not get, where no default ACL decides. */
  readonly umask: number
}

/** Root, with umask 022. */
export const root: Credentials = { uid: 0, gid: 0, groups: [], capable: true, umask: 0o022 }

/** A user without capabilities, with umask 022; the group is the user's number. */
export function user(uid: number, gid: number = uid, groups: readonly number[] = []): Credentials {
  return { uid, gid, groups, capable: false, umask: 0o022 }
}
