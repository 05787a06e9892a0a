// What an image config leaves open and a runtime has to know. Reasons: docs/adr/0002-bundle-defaults.md.

import type { RuntimeMount } from './runtime-spec.ts'

/** Value of `ociVersion`. */
export const runtimeSpecVersion = '1.2.0'

/** Host name of the container, unless one is given. */
export const defaultHostname = 'ovl'

/** Entries that an image's own Env replaces by name. */
export const defaultEnv: readonly string[] = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'TERM=xterm',
]

/** For an image that names no program. */
export const defaultArgs: readonly string[] = ['sh']

/** What Docker, Podman and containerd give: enough for entrypoints that change owners and then drop to a user. */
export const defaultCapabilities: readonly string[] = [
  'CAP_AUDIT_WRITE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
]

/** 1024 can be set by anybody; a higher hard limit could not be raised to by an ordinary user. */
export const defaultRlimits = [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }] as const

/** Namespaces that every container gets; a user namespace only when asked for. */
export const defaultNamespaces: readonly string[] = ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup']

const noExecutables = ['nosuid', 'noexec', 'nodev'] as const

/** The file systems that config-linux.md asks for, and those that programs expect. */
export const defaultMounts: readonly RuntimeMount[] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: noExecutables },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: [...noExecutables, 'mode=1777', 'size=65536k'],
  },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: noExecutables },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...noExecutables, 'ro'] },
  {
    destination: '/sys/fs/cgroup',
    type: 'cgroup',
    source: 'cgroup',
    options: [...noExecutables, 'relatime', 'ro'],
  },
]

/** What /sys becomes where the network namespace is the host's: sysfs cannot be mounted there by an ordinary user. */
export const hostSysMount: RuntimeMount = {
  destination: '/sys',
  type: 'none',
  source: '/sys',
  options: ['rbind', ...noExecutables, 'ro'],
}

/** Kernel interfaces that tell about the host or change it. */
export const maskedPaths: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
]

/** Kernel settings that a container may read. */
export const readonlyPaths: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
]
