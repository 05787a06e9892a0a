// The options of overlayfs and what each may be set to (fs/overlayfs/params.c: ovl_parameter_spec), and the words of
// mount(8) that apply to every file system. Keys are the kernel's own names.

/** Settings with a closed set of values. */
export const settingValues = {
  redirect_dir: ['on', 'off', 'follow', 'nofollow'],
  index: ['on', 'off'],
  uuid: ['on', 'off', 'null', 'auto'],
  nfs_export: ['on', 'off'],
  xino: ['on', 'off', 'auto'],
  metacopy: ['on', 'off'],
  verity: ['on', 'off', 'require'],
  fsync: ['auto', 'strict', 'volatile'],
} as const

/** Settings that are words without a value. */
export const settingFlags = [
  'default_permissions',
  'userxattr',
  'volatile',
  'override_creds',
  'nooverride_creds',
] as const

/** The name of a setting with values. */
export type SettingName = keyof typeof settingValues

/** What the option string says, by the kernel's names; what it leaves open is absent. `volatile` stands in `fsync`. */
export type OverlaySettings = { readonly [Name in SettingName]?: (typeof settingValues)[Name][number] } & {
  readonly default_permissions?: true
  readonly userxattr?: true
  readonly override_creds?: boolean
}

/** Every name that an option string of overlayfs may hold, for "did you mean". */
export const optionNames: readonly string[] = [
  'lowerdir',
  'lowerdir+',
  'datadir+',
  'upperdir',
  'workdir',
  ...Object.keys(settingValues),
  ...settingFlags,
]

/** True for the name of a setting with values. */
export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settingValues, name)
}

/**
 * Words for every file system, with what each turns off: the last of two opposites wins. mount(8) and the kernel know
 * them; they are no options of overlayfs.
 */
export const genericFlags = {
  ro: ['rw'],
  rw: ['ro'],
  nosuid: ['suid'],
  suid: ['nosuid'],
  nodev: ['dev'],
  dev: ['nodev'],
  noexec: ['exec'],
  exec: ['noexec'],
  noatime: ['atime', 'relatime', 'strictatime'],
  atime: ['noatime'],
  relatime: ['noatime', 'norelatime', 'strictatime'],
  norelatime: ['relatime'],
  strictatime: ['noatime', 'nostrictatime', 'relatime'],
  nostrictatime: ['strictatime'],
  nodiratime: ['diratime'],
  diratime: ['nodiratime'],
  nosymfollow: ['symfollow'],
  symfollow: ['nosymfollow'],
  sync: ['async'],
  async: ['sync'],
  dirsync: [],
  lazytime: ['nolazytime'],
  nolazytime: ['lazytime'],
  silent: ['loud'],
  loud: ['silent'],
} as const

/** A word for every file system. */
export type GenericFlag = keyof typeof genericFlags

/** True for a word that every file system takes. */
export function isGenericFlag(name: string): name is GenericFlag {
  return Object.hasOwn(genericFlags, name)
}

/** Words of fstab, which mount(8) keeps from the kernel; they change nothing. */
export function isFstabWord(name: string): boolean {
  return /^(?:defaults|auto|noauto|nofail|_netdev|user|nouser|users|nousers|owner|noowner|group|nogroup|comment|[xX]-.*)$/.test(
    name,
  )
}

/** Options that a security module takes, where there is one (SELinux, Smack). */
export function isSecurityOption(name: string): boolean {
  return /^(?:(?:fs|def|root)?context|seclabel|smackfs(?:def|floor|hat|root|transmute))$/.test(name)
}
