// The part of the runtime specification's config.json (runtime-spec 1.2, config.md and config-linux.md) that ovl
// writes. Field names are the document's own.

/** config.json (config.md). */
export type RuntimeConfig = {
  readonly ociVersion: string
  readonly process: RuntimeProcess
  readonly root: { readonly path: string; readonly readonly?: boolean }
  readonly hostname: string
  readonly mounts: readonly RuntimeMount[]
  readonly annotations: { readonly [key: string]: string }
  readonly linux: RuntimeLinux
}

/** `process` (config.md, "Process"). */
export type RuntimeProcess = {
  readonly terminal: boolean
  readonly user: RuntimeUser
  readonly args: readonly string[]
  /** `NAME=value`, each name once. */
  readonly env: readonly string[]
  readonly cwd: string
  readonly capabilities: { readonly [set in CapabilitySet]?: readonly string[] }
  readonly rlimits: readonly { readonly type: string; readonly hard: number; readonly soft: number }[]
  readonly noNewPrivileges: boolean
}

/** The five sets of capabilities(7). */
export type CapabilitySet = 'bounding' | 'effective' | 'inheritable' | 'permitted' | 'ambient'

/** `process.user` (config.md, "POSIX-platform User"). */
export type RuntimeUser = {
  readonly uid: number
  readonly gid: number
  readonly additionalGids?: readonly number[]
}

/** One of `mounts` (config.md, "Mounts"). */
export type RuntimeMount = {
  readonly destination: string
  readonly type: string
  readonly source: string
  readonly options?: readonly string[]
}

/** `size` ids of the container from `containerID` on are the host's from `hostID` on. */
export type IdMapping = { readonly containerID: number; readonly hostID: number; readonly size: number }

/** `linux` (config-linux.md). */
export type RuntimeLinux = {
  readonly uidMappings?: readonly IdMapping[]
  readonly gidMappings?: readonly IdMapping[]
  readonly namespaces: readonly { readonly type: string }[]
  readonly resources?: { readonly devices: readonly { readonly allow: boolean; readonly access: string }[] }
  readonly maskedPaths: readonly string[]
  readonly readonlyPaths: readonly string[]
}
