// A container that an ordinary user starts shares the network of the host, and so needs the host's name servers:
// /etc/resolv.conf is bound into it, read-only.

import * as fs from 'node:fs'
import { isCode } from '../errors/index.ts'
import type { RuntimeMount } from './runtime-spec.ts'

const path = '/etc/resolv.conf'

/** Flags of a mount that a user namespace may not clear in its copy (mount_namespaces(7), "locked"). */
const lockedFlags = new Set(['nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime'])

/** The mount for config.json, none where the host has no such file. */
export function hostResolvConf(): readonly RuntimeMount[] {
  const source = resolved(path)
  if (source === null) return []
  const flags = mountFlags(fs.readFileSync('/proc/self/mountinfo', 'utf8'), source)
  return [{ destination: path, type: 'none', source, options: ['rbind', 'ro', ...flags] }]
}

/**
 * The lockable flags of the mount that holds an absolute path without links; `mountinfo` as in proc(5). The last of
 * several mounts on one point is the one that counts.
 */
export function mountFlags(mountinfo: string, source: string): readonly string[] {
  let best = { point: '', flags: '' }
  for (const line of mountinfo.split('\n')) {
    const [, , , , point, flags] = line.split(' ')
    if (point === undefined || flags === undefined) continue
    const mountPoint = unescape(point)
    const holds = mountPoint === '/' || source === mountPoint || source.startsWith(`${mountPoint}/`)
    if (holds && mountPoint.length >= best.point.length) best = { point: mountPoint, flags }
  }
  return best.flags.split(',').filter(flag => lockedFlags.has(flag))
}

/** Space, tab, newline and backslash stand as three octal digits in mountinfo. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

function resolved(file: string): string | null {
  try {
    const target = fs.realpathSync(file)
    return fs.statSync(target).isFile() ? target : null
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'EACCES') || isCode(error, 'ELOOP')) return null
    throw error
  }
}
