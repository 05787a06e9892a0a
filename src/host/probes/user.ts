// Who asks, and what the system grants to that user.
import fs from 'node:fs'
import os from 'node:os'
import { type Privileges, probePrivileges } from '../privileges.ts'
import { type Ability, tryOut, unable } from './ability.ts'
import { readText } from './kernel.ts'
import { findProgram } from './tools.ts'

/** A run of ids that belong to a user (subuid(5)). */
export type SubordinateRange = { readonly first: number; readonly count: number }

/** Who asks. */
export type UserProbe = {
  /** Null where the system has no name for the uid. */
  readonly name: string | null
  readonly privileges: Privileges
  readonly subordinateUids: readonly SubordinateRange[]
  readonly subordinateGids: readonly SubordinateRange[]
  /** /dev/fuse can be opened. */
  readonly fuse: Ability
  /** A setuid fusermount(1), with which ordinary users mount. */
  readonly fusermount: string | null
  /** Settings of the kernel that limit user namespaces, by their names below /proc/sys. */
  readonly namespaceLimits: { readonly [name: string]: string }
}

/** Asks who this is and what the system grants. */
export function probeUser(): UserProbe {
  const privileges = probePrivileges()
  const name = userName()
  return {
    name,
    privileges,
    subordinateUids: parseSubordinate(readText('/etc/subuid') ?? '', name, privileges.uid),
    subordinateGids: parseSubordinate(readText('/etc/subgid') ?? '', name, privileges.uid),
    fuse: fs.existsSync('/dev/fuse')
      ? tryOut(() => fs.closeSync(fs.openSync('/dev/fuse', 'r+')))
      : unable('no /dev/fuse'),
    fusermount: findProgram('fusermount3') ?? findProgram('fusermount'),
    namespaceLimits: Object.fromEntries(
      limitNames.flatMap(limit => {
        const value = readText(`/proc/sys/${limit}`)
        return value === null ? [] : [[limit, value.trim()]]
      }),
    ),
  }
}

const limitNames = [
  'user/max_user_namespaces',
  'kernel/unprivileged_userns_clone',
  'kernel/apparmor_restrict_unprivileged_userns',
]

/** Lines `USER:FIRST:COUNT`, where USER is a name or a uid. */
export function parseSubordinate(text: string, name: string | null, uid: number): readonly SubordinateRange[] {
  return text.split('\n').flatMap(line => {
    const [owner, first, count] = line.trim().split(':')
    if (owner !== String(uid) && (name === null || owner !== name)) return []
    const range = { first: Number(first), count: Number(count) }
    return Number.isSafeInteger(range.first) && range.count > 0 ? [range] : []
  })
}

function userName(): string | null {
  try {
    return os.userInfo().username
  } catch {
    return null // a uid without an entry in /etc/passwd, as in many containers
  }
}
