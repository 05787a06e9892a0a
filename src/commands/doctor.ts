// `ovl doctor`: what this machine, this user and a directory are good for. Everything is tried, nothing is guessed from
// versions.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type DecoderProbe,
  type DirectoryProbe,
  hostPath,
  type KernelProbe,
  koffiVersion,
  probeDecoders,
  probeDirectory,
  probeKernel,
  probeTools,
  probeUser,
  type Tool,
  type UserProbe,
  workspaceName,
} from '../host/index.ts'
import { checkDirectory } from './overlay-check/directories.ts'

/** Something that ovl needs and that is not there. */
export type Problem = {
  readonly code: 'NO_OVERLAY' | 'NO_KOFFI' | 'NOT_WRITABLE' | 'NO_OVERLAY_MOUNT'
  readonly message: string
  readonly hint: string | null
}

/** What `ovl doctor` finds. */
export type MachineReport = {
  readonly kernel: KernelProbe
  readonly user: UserProbe
  readonly directory: DirectoryProbe
  readonly tools: readonly Tool[]
  readonly decoders: readonly DecoderProbe[]
  /** Null: koffi is not installed. */
  readonly koffi: string | null
  readonly problems: readonly Problem[]
}

/** Looks at the machine, and tries out a directory. Errors: INPUT_NOT_FOUND. */
export async function examineMachine(directory: string): Promise<MachineReport> {
  checkDirectory(directory)
  const user = probeUser()
  const probed = await probeDirectory(directory, {
    canMount: user.privileges.canMount && user.privileges.canSetTrustedXattrs,
    makeWorkspace(parent) {
      const workspace = join(parent, workspaceName(''))
      mkdirSync(hostPath(workspace), { mode: 0o700 })
      return workspace
    },
  })
  const report = {
    // After the trial: the first mount may have loaded the module.
    kernel: probeKernel(),
    user,
    directory: probed,
    tools: await probeTools(),
    decoders: await probeDecoders(),
    koffi: koffiVersion(),
  }
  return { ...report, problems: findProblems(report) }
}

function findProblems({ kernel, directory, koffi }: Omit<MachineReport, 'problems'>): readonly Problem[] {
  const problems: Problem[] = []
  if (koffi === null) {
    problems.push({
      code: 'NO_KOFFI',
      message: 'koffi is not installed: attributes, devices and nanoseconds of images are lost, and ovl cannot mount',
      hint: 'npm install koffi',
    })
  }
  if (kernel.overlay.state === 'absent') {
    problems.push({ code: 'NO_OVERLAY', message: 'this kernel has no overlayfs', hint: null })
  }
  const { trials, writable, path } = directory
  if (trials === null) {
    const message = `${path} cannot be written to (${writable.reason ?? 'unknown'})`
    return [...problems, { code: 'NOT_WRITABLE', message, hint: 'name another directory: ovl doctor DIR' }]
  }
  const { native, userxattr } = trials
  if (native.mounts.ok !== true && userxattr.mounts.ok !== true && kernel.overlay.state !== 'absent') {
    const reasons = [native, userxattr].map(({ namespace, mounts }) =>
      namespace.ok === true ? mounts.reason : namespace.reason,
    )
    const message = `no overlay can be mounted over ${path}, neither as this user (${reasons[0] ?? '?'}) nor in a user namespace (${reasons[1] ?? '?'})`
    problems.push({ code: 'NO_OVERLAY_MOUNT', message, hint: null })
  }
  return problems
}
