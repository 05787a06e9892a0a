// config.json of a bundle from the config of an image (image-spec conversion.md): what the image says, on top of
// defaults for everything that it cannot say.

import { OvlError, quote, type Warn } from '../errors/index.ts'
import { formatPlatform, type ImageConfig } from '../oci/index.ts'
import { createAnnotations } from './annotations.ts'
import { createEnv } from './environment.ts'
import { toHostID, type UserNamespace } from './id-map.ts'
import type { RootfsReader } from './rootfs-reader.ts'
import {
  defaultArgs,
  defaultCapabilities,
  defaultHostname,
  defaultMounts,
  defaultNamespaces,
  defaultRlimits,
  hostSysMount,
  maskedPaths,
  readonlyPaths,
  runtimeSpecVersion,
} from './runtime-defaults.ts'
import type { RuntimeConfig, RuntimeLinux, RuntimeMount, RuntimeUser } from './runtime-spec.ts'
import { type ResolvedUser, resolveUser } from './user.ts'
import { volumeMounts } from './volumes.ts'

/** What config.json depends on besides the image config. */
export type RuntimeConfigOptions = {
  /** Where the root file system is, relative to the bundle. */
  readonly rootPath: 'rootfs' | 'merged'
  /** The unpacked image, for users, groups and volumes; null when there is none. */
  readonly rootfs: RootfsReader | null
  /** The process gets a terminal; only where the runtime will be started from one. Default false. */
  readonly terminal?: boolean
  readonly hostname?: string
  /** Default none: ids of the container are ids of the host. */
  readonly userNamespace?: UserNamespace | null
  /** Mounts that only this host can tell, see `hostResolvConf`. */
  readonly hostMounts?: readonly RuntimeMount[]
  readonly warn?: Warn
}

/**
 * The runtime configuration for an image. Warnings: CONFIG_USER, IMAGE_DOCUMENT. Errors: UNSUPPORTED for an image of
 * another operating system, BAD_USER, BAD_DOCUMENT for fields that no runtime could use.
 */
export function createRuntimeConfig(image: ImageConfig, options: RuntimeConfigOptions): RuntimeConfig {
  requireLinux(image)
  requireNoNul(image)
  const warn = options.warn ?? ignore
  const namespace = options.userNamespace ?? null
  const user = resolveUser(image.process.user, { rootfs: options.rootfs, warn })
  const mounts = [...baseMounts(namespace), ...(options.hostMounts ?? [])]
  const mounted = mounts.map(({ destination }) => destination)
  const volumes = volumeMounts(image.process.volumes, {
    rootfs: options.rootfs,
    userNamespace: namespace,
    mounted,
    warn,
  })
  return {
    ociVersion: runtimeSpecVersion,
    process: {
      terminal: options.terminal ?? false,
      user: runtimeUser(user, { namespace, warn }),
      args: processArgs(image, warn),
      env: createEnv(image.process.env, user.home),
      cwd: workingDirectory(image, warn),
      capabilities: { bounding: defaultCapabilities, effective: defaultCapabilities, permitted: defaultCapabilities },
      rlimits: defaultRlimits,
      noNewPrivileges: true,
    },
    root: { path: options.rootPath },
    hostname: options.hostname ?? defaultHostname,
    mounts: [...mounts, ...volumes],
    annotations: createAnnotations(image),
    linux: linuxSection(namespace),
  }
}

/** Old images do not say what they are for; they are from before there was anything but Linux. */
function requireLinux({ platform }: ImageConfig): void {
  if (platform.os === 'linux' || platform.os === '') return
  const name = formatPlatform(platform)
  throw new OvlError('UNSUPPORTED', `Cannot make a bundle of a ${name} image: only Linux images run on Linux`, {
    hint: 'choose another platform with --platform, or unpack without config.json with --no-config',
    data: { platform: name },
  })
}

/** The system calls that get these end at a NUL: what comes after it would silently be lost. */
function requireNoNul({ process }: ImageConfig): void {
  const { entrypoint, cmd, env, workingDir, volumes } = process
  const bad = [...entrypoint, ...cmd, ...env, workingDir, ...volumes].find(text => text.includes('\0'))
  if (bad === undefined) return
  throw new OvlError('BAD_DOCUMENT', `Cannot use the image config: ${quote(bad)} holds a NUL byte`, {
    hint: 'unpack without config.json with --no-config',
  })
}

function processArgs({ process }: ImageConfig, warn: Warn): readonly string[] {
  const args = [...process.entrypoint, ...process.cmd]
  if (args.length > 0) return args
  const message = `the image names no program to run: config.json starts ${quote(defaultArgs.join(' '))}`
  warn({ code: 'IMAGE_DOCUMENT', message })
  return defaultArgs
}

/** "cwd … MUST be an absolute path" (runtime-spec config.md). */
function workingDirectory({ process }: ImageConfig, warn: Warn): string {
  const { workingDir } = process
  if (workingDir === '') return '/'
  if (workingDir.startsWith('/')) return workingDir
  warn({ code: 'IMAGE_DOCUMENT', message: `working directory ${quote(workingDir)} is not absolute: taken from /` })
  return `/${workingDir}`
}

type NamespaceContext = { readonly namespace: UserNamespace | null; readonly warn: Warn }

/**
 * A runtime refuses ids that the user namespace does not have. Root is always there (see `userNamespace`), so a
 * bundle that runs as root is made rather than one that does not run, and a warning says so.
 */
function runtimeUser(user: ResolvedUser, { namespace, warn }: NamespaceContext): RuntimeUser {
  if (namespace === null) return withGroups(user.uid, user.gid, user.additionalGids)
  const uid = toHostID(namespace.uidMappings, user.uid) === null ? 0 : user.uid
  const gid = toHostID(namespace.gidMappings, user.gid) === null ? 0 : user.gid
  if (uid !== user.uid || gid !== user.gid) warn({ code: 'CONFIG_USER', message: notMapped(user, { uid, gid }) })
  // setgroups(2) is closed to user namespaces that an ordinary user made (user_namespaces(7)).
  const gids = namespace.rootless ? [] : user.additionalGids.filter(id => toHostID(namespace.gidMappings, id) !== null)
  return withGroups(uid, gid, gids)
}

type Ids = { readonly uid: number; readonly gid: number }

function notMapped(wanted: Ids, used: Ids): string {
  const wants = `user ${wanted.uid}:${wanted.gid} of the image has no ids on this host`
  return `${wants}: the container runs as ${used.uid}:${used.gid} (--uid-map and --gid-map map more)`
}

function withGroups(uid: number, gid: number, additionalGids: readonly number[]): RuntimeUser {
  return additionalGids.length === 0 ? { uid, gid } : { uid, gid, additionalGids }
}

/** Without a network namespace of its own the container cannot mount sysfs and gets the host's, read-only. */
function baseMounts(namespace: UserNamespace | null): readonly RuntimeMount[] {
  return defaultMounts.map(mount => {
    if (mount.destination === '/sys' && namespace?.rootless === true) return hostSysMount
    if (mount.destination !== '/dev/pts' || namespace === null || hasTtyGroup(namespace)) return mount
    return { ...mount, options: (mount.options ?? []).filter(option => option !== 'gid=5') }
  })
}

/** Group 5 is "tty", to which terminals belong. */
function hasTtyGroup({ gidMappings, rootless }: UserNamespace): boolean {
  return !rootless && toHostID(gidMappings, 5) !== null
}

/** An ordinary user has no cgroup to put a container in, and no way to connect a network namespace to anything. */
function linuxSection(namespace: UserNamespace | null): RuntimeLinux {
  const rootless = namespace?.rootless === true
  const kept = defaultNamespaces.filter(type => !rootless || (type !== 'network' && type !== 'cgroup'))
  const types = namespace === null ? kept : [...kept, 'user']
  return {
    ...(namespace === null ? {} : { uidMappings: namespace.uidMappings, gidMappings: namespace.gidMappings }),
    namespaces: types.map(type => ({ type })),
    ...(rootless ? {} : { resources: { devices: [{ allow: false, access: 'rwm' }] } }),
    maskedPaths,
    readonlyPaths,
  }
}

function ignore(): void {
  // a caller that gives no `warn` does not want to know
}
