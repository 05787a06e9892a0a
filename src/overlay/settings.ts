// Which settings an overlay has in the end: defaults of the module, what the option string says, what one setting
// implies for another, and which contradict each other (fs/overlayfs/params.c: ovl_fs_params_verify()).
import type { OverlaySettings } from './option-table.ts'
import type { OptionContext } from './options.ts'
import { refusal } from './refusal.ts'

/** Parameters of the kernel module: the settings of a mount that does not say otherwise. */
export type ModuleDefaults = {
  readonly redirect_dir: boolean
  readonly redirect_always_follow: boolean
  readonly index: boolean
  readonly nfs_export: boolean
  readonly xino_auto: boolean
  readonly metacopy: boolean
}

/** As most distributions build the kernel. */
export const usualDefaults: ModuleDefaults = {
  redirect_dir: false,
  redirect_always_follow: true,
  index: false,
  nfs_export: false,
  xino_auto: false,
  metacopy: false,
}

/** The settings that hold. What depends on the file systems of the layers may still fall back. */
export type OverlayConfig = {
  readonly redirectDir: 'on' | 'follow' | 'nofollow'
  readonly index: boolean
  readonly nfsExport: boolean
  readonly metacopy: boolean
  /** `auto` becomes on or null when the upper directory has been looked at. */
  readonly uuid: 'on' | 'off' | 'null' | 'auto'
  readonly xino: 'on' | 'off' | 'auto'
  readonly verity: 'on' | 'off' | 'require'
  readonly fsync: 'auto' | 'strict' | 'volatile'
  readonly userxattr: boolean
  readonly defaultPermissions: boolean
}

/** Something that is allowed and that a user may not expect. */
export type OverlayNote = { readonly about: string; readonly message: string }

/** What `resolveSettings` needs to know besides the settings. */
export type SettingsContext = OptionContext & {
  readonly hasUpper: boolean
  readonly defaults: ModuleDefaults
  /** The mounter may use trusted.* attributes: root in the first user namespace. */
  readonly hasTrustedXattrs: boolean
}

/** The settings that hold, and what was changed on the way. */
export type ResolvedSettings = { readonly config: OverlayConfig; readonly notes: readonly OverlayNote[] }

/** Errors: OVL_CONFLICTING_OPTIONS, OVL_NEEDS_TRUSTED_XATTRS. */
export function resolveSettings(settings: OverlaySettings, context: SettingsContext): ResolvedSettings {
  const notes: OverlayNote[] = []
  const draft = applyDefaults(settings, context.defaults)
  dropWithoutUpper(draft, settings, { ...context, notes })
  resolveMetacopy(draft, settings, { ...context, notes })
  resolveExport(draft, settings, { ...context, notes })
  resolveUserXattr(draft, settings, context)
  checkPrivilege(draft, settings, context)
  return { config: draft, notes }
}

/** What /proc/self/mountinfo shows of a config: settings that are not the default, in the kernel's words. */
export function shownSettings(config: OverlayConfig, defaults: ModuleDefaults): readonly string[] {
  const { redirectDir, index, uuid, nfsExport, xino, metacopy, fsync, verity } = config
  return [
    ...(config.defaultPermissions ? ['default_permissions'] : []),
    ...(redirectDir === defaultRedirect(defaults) ? [] : [`redirect_dir=${redirectDir}`]),
    ...(index === defaults.index ? [] : [`index=${onOff(index)}`]),
    ...(uuid === 'auto' ? [] : [`uuid=${uuid}`]),
    ...(nfsExport === defaults.nfs_export ? [] : [`nfs_export=${onOff(nfsExport)}`]),
    ...(xino === (defaults.xino_auto ? 'auto' : 'off') ? [] : [`xino=${xino}`]),
    ...(metacopy === defaults.metacopy ? [] : [`metacopy=${onOff(metacopy)}`]),
    ...(fsync === 'auto' ? [] : [`fsync=${fsync}`]),
    ...(config.userxattr ? ['userxattr'] : []),
    ...(verity === 'off' ? [] : [`verity=${verity}`]),
  ]
}

type Draft = { -readonly [Key in keyof OverlayConfig]: OverlayConfig[Key] }
type Step = SettingsContext & { readonly notes: OverlayNote[] }

function applyDefaults(settings: OverlaySettings, defaults: ModuleDefaults): Draft {
  const redirect = settings.redirect_dir
  return {
    redirectDir:
      redirect === undefined ? defaultRedirect(defaults) : redirect === 'off' ? followed(defaults) : redirect,
    index: isOn(settings.index, defaults.index),
    nfsExport: isOn(settings.nfs_export, defaults.nfs_export),
    metacopy: isOn(settings.metacopy, defaults.metacopy),
    uuid: settings.uuid ?? 'auto',
    xino: settings.xino ?? (defaults.xino_auto ? 'auto' : 'off'),
    verity: settings.verity ?? 'off',
    fsync: settings.fsync ?? 'auto',
    userxattr: settings.userxattr === true,
    defaultPermissions: settings.default_permissions === true,
  }
}

function dropWithoutUpper(draft: Draft, settings: OverlaySettings, { hasUpper, notes }: Step): void {
  if (hasUpper) return
  const drop = (about: string): void => void notes.push({ about, message: `${about} means nothing without upperdir` })
  if (settings.index === 'on') drop('index=on')
  draft.index = false
  if (draft.fsync === 'volatile') {
    drop('volatile')
    draft.fsync = 'auto'
  }
  if (draft.uuid === 'on') {
    drop('uuid=on')
    draft.uuid = 'null'
  }
  // The place of an upperdir counts as a file system of its own, and uuid=off needs a single one.
  if (draft.uuid === 'off') draft.uuid = 'null'
  // Nothing can be renamed, so following is all that "on" means.
  if (draft.redirectDir === 'follow') draft.redirectDir = 'on'
}

/** metacopy needs redirect_dir=on: what was said explicitly wins over what was not. */
function resolveMetacopy(draft: Draft, settings: OverlaySettings, { notes, target = null }: Step): void {
  if (!draft.metacopy || draft.redirectDir === 'on') return
  if (settings.redirect_dir === undefined) draft.redirectDir = 'on'
  else if (settings.metacopy === undefined) {
    draft.metacopy = false
    notes.push({ about: 'metacopy', message: `metacopy is off because of redirect_dir=${draft.redirectDir}` })
  } else
    throw conflict(`metacopy=on,redirect_dir=${draft.redirectDir}`, {
      fact: `metacopy=on needs redirect_dir=on, not redirect_dir=${settings.redirect_dir}`,
      hint: 'leave redirect_dir away: metacopy=on turns it on',
      target,
    })
}

/** nfs_export needs index=on and excludes metacopy. */
function resolveExport(draft: Draft, settings: OverlaySettings, step: Step): void {
  const { hasUpper, notes, target = null } = step
  const exportOff = (reason: string): void => {
    draft.nfsExport = false
    notes.push({ about: 'nfs_export', message: `nfs_export is off because of ${reason}` })
  }
  // Without upperdir, index=on counts as not said.
  const isIgnoredIndex = !hasUpper && settings.index === 'on'
  if (draft.nfsExport && !draft.index) {
    if (!hasUpper && draft.redirectDir !== 'nofollow') exportOff('redirect_dir: without upperdir it must be nofollow')
    else if (settings.index === undefined || isIgnoredIndex) draft.index = hasUpper
    else if (settings.nfs_export === undefined) exportOff('index=off')
    else throw conflict('nfs_export=on,index=off', { fact: 'nfs_export=on needs index=on, not index=off', target })
  }
  if (!draft.nfsExport || !draft.metacopy) return
  if (settings.metacopy === undefined) {
    draft.metacopy = false
    notes.push({ about: 'metacopy', message: 'metacopy is off because of nfs_export=on' })
  } else if (settings.nfs_export === undefined) exportOff('metacopy=on')
  else throw conflict('nfs_export=on,metacopy=on', { fact: 'nfs_export=on and metacopy=on exclude each other', target })
}

/** Attributes that any user may write are not trusted with redirects, and those features go unless asked for. */
function resolveUserXattr(draft: Draft, settings: OverlaySettings, { target = null }: SettingsContext): void {
  if (!draft.userxattr) return
  const exclude = (setting: string): Error =>
    conflict(`userxattr,${setting}`, { fact: `userxattr excludes ${setting}`, target })
  if (settings.redirect_dir !== undefined && draft.redirectDir !== 'nofollow')
    throw exclude(`redirect_dir=${draft.redirectDir}`)
  if (draft.metacopy && settings.metacopy !== undefined) throw exclude('metacopy=on')
  draft.redirectDir = 'nofollow'
  draft.metacopy = false
}

function checkPrivilege(draft: Draft, settings: OverlaySettings, context: SettingsContext): void {
  if (draft.userxattr || context.hasTrustedXattrs) return
  const needs = (setting: string): Error =>
    refusal(
      'OVL_NEEDS_TRUSTED_XATTRS',
      `${setting} needs trusted.* attributes, which only root outside user namespaces has`,
      {
        errno: 'EPERM',
        kernel: `${setting} requires permission to access trusted xattrs`,
        target: context.target ?? null,
        data: { option: setting },
      },
    )
  if (settings.redirect_dir !== undefined && draft.redirectDir !== 'nofollow') throw needs('redirect_dir')
  if (draft.metacopy && settings.metacopy !== undefined) throw needs('metacopy')
  if (draft.verity !== 'off') throw needs('verity')
}

type Conflict = { readonly fact: string; readonly hint?: string; readonly target: string | null }

function conflict(options: string, { fact, ...details }: Conflict): Error {
  return refusal('OVL_CONFLICTING_OPTIONS', fact, {
    ...details,
    errno: 'EINVAL',
    kernel: `conflicting options: ${options}`,
    data: { options },
  })
}

function defaultRedirect(defaults: ModuleDefaults): OverlayConfig['redirectDir'] {
  return defaults.redirect_dir ? 'on' : followed(defaults)
}

/** What redirect_dir=off means. */
function followed({ redirect_always_follow: follow }: ModuleDefaults): 'follow' | 'nofollow' {
  return follow ? 'follow' : 'nofollow'
}

function isOn(value: 'on' | 'off' | undefined, otherwise: boolean): boolean {
  return value === undefined ? otherwise : value === 'on'
}

function onOff(value: boolean): 'on' | 'off' {
  return value ? 'on' : 'off'
}
