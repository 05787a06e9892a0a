// What this process may do to files: asked before work starts, to decide which owners, devices and attributes of an
// image can be kept, instead of failing in the middle.
import fs from 'node:fs'

/** A run of ids that a user namespace maps (user_namespaces(7)): `first` up to, not including, `first + count`. */
export type IdRange = { readonly first: number; readonly count: number }

/** Who this process is, and what the kernel lets it do to files. */
export type Privileges = {
  readonly uid: number
  readonly gid: number
  /** Effective capabilities, as "CAP_CHOWN". */
  readonly capabilities: ReadonlySet<string>
  /** False inside a user namespace, where devices and trusted.* stay forbidden whatever the capabilities say. */
  readonly inInitialUserNamespace: boolean
  /** Ids that exist here; a file can only be given to one of them. */
  readonly uids: readonly IdRange[]
  readonly gids: readonly IdRange[]
  /** May give files away, to any id that exists here. */
  readonly canChown: boolean
  /** May make character and block devices (whiteouts 0:0 and FIFOs need no privilege). */
  readonly canMakeDevices: boolean
  /** May set trusted.* attributes. */
  readonly canSetTrustedXattrs: boolean
  /** May set security.capability. */
  readonly canSetFileCapabilities: boolean
  /** May mount file systems in this mount namespace. */
  readonly canMount: boolean
}

/** Privileges of the calling thread, by the kernel's own words; nothing is tried out. */
export function probePrivileges(): Privileges {
  const uid = process.geteuid?.() ?? 0
  const gid = process.getegid?.() ?? 0
  const capabilities = effectiveCapabilities(readProc('thread-self/status') ?? '', uid)
  const initial = isInitialUserNamespace()
  return {
    uid,
    gid,
    capabilities,
    inInitialUserNamespace: initial,
    uids: parseIdMap(readProc('self/uid_map')),
    gids: parseIdMap(readProc('self/gid_map')),
    canChown: capabilities.has('CAP_CHOWN'),
    canMakeDevices: initial && capabilities.has('CAP_MKNOD'),
    canSetTrustedXattrs: initial && capabilities.has('CAP_SYS_ADMIN'),
    canSetFileCapabilities: capabilities.has('CAP_SETFCAP'),
    canMount: capabilities.has('CAP_SYS_ADMIN'),
  }
}

/** True when one of the ranges holds the id. */
export function isMappedId(ranges: readonly IdRange[], id: number): boolean {
  return ranges.some(({ first, count }) => id >= first && id < first + count)
}

/** Ids that exist in this user namespace, from a uid_map or gid_map; without one all do. */
export function parseIdMap(map: string | null): readonly IdRange[] {
  if (map === null) return [{ first: 0, count: 4294967295 }]
  return map
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
    .flatMap(([first, , count]) => (first !== undefined && count !== undefined ? [{ first, count }] : []))
}

/** Names of the bits of CapEff in /proc/PID/status. Without that line (other systems) root has all. */
export function effectiveCapabilities(status: string, uid: number): ReadonlySet<string> {
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1]
  if (hex === undefined) return new Set(uid === 0 ? capabilityNames : [])
  const bits = BigInt(`0x${hex}`)
  return new Set(capabilityNames.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) === 1n))
}

/** <linux/capability.h>, by bit. */
const capabilityNames = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
]

/** PROC_USER_INIT_INO of <linux/proc_ns.h>: an id map of all ids alone proves nothing, nested namespaces may have one. */
const initialUserNamespace = 'user:[4026531837]'

function isInitialUserNamespace(): boolean {
  try {
    return fs.readlinkSync('/proc/self/ns/user') === initialUserNamespace
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return true // a kernel without user namespaces has the one
  }
}

function readProc(name: string): string | null {
  try {
    return fs.readFileSync(`/proc/${name}`, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return null
  }
}
