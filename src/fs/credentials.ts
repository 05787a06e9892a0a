/**
 * Who asks. A caller is either capable, with every capability, or has none: finer sets are not told apart. What
 * capabilities count for depends on the user namespace.
 */
export type Credentials = {
  /** fsuid and fsgid of the kernel: new objects belong to them. */
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
  readonly capable: boolean
  /** Permission bits that new objects do not get, where no default ACL decides. */
  readonly umask: number
  /**
   * The ids that the caller's user namespace has, as the file system knows them: capabilities count over objects whose
   * owner and group are among them, and not for trusted.* attributes, devices, flags of chattr(1) and file handles.
   * Absent: the first user namespace, where they count for everything.
   */
  readonly namespace?: readonly IDRange[]
}

/** Ids of users and groups from `first` on. */
export type IDRange = { readonly first: number; readonly count: number }

/** Root, with umask 022. */
export const root: Credentials = { uid: 0, gid: 0, groups: [], capable: true, umask: 0o022 }

/** A user without capabilities, with umask 022; the group is the user's number. */
export function user(uid: number, gid: number = uid, groups: readonly number[] = []): Credentials {
  return { uid, gid, groups, capable: false, umask: 0o022 }
}

/** Root of a user namespace that has these ids: the first of them, with umask 022. At least one range. */
export function rootOfNamespace(namespace: readonly IDRange[]): Credentials {
  const id = namespace[0]?.first ?? 65_534
  return { uid: id, gid: id, groups: [], capable: true, umask: 0o022, namespace }
}

/** capable(): capabilities that count outside of every namespace. */
export function isPrivileged({ capable, namespace }: Credentials): boolean {
  return capable && namespace === undefined
}

/** capable_wrt_inode_uidgid(): capabilities that count for an object of these. */
export function isCapableOver(
  { capable, namespace }: Credentials,
  of: { readonly uid: number; readonly gid: number },
): boolean {
  return capable && (namespace === undefined || (isAmong(namespace, of.uid) && isAmong(namespace, of.gid)))
}

/** make_kuid(): whether the caller can name an id. */
export function canName({ namespace }: Credentials, id: number): boolean {
  return namespace === undefined || isAmong(namespace, id)
}

function isAmong(ranges: readonly IDRange[], id: number): boolean {
  return ranges.some(({ first, count }) => id >= first && id < first + count)
}
