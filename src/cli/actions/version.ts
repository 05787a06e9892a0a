import { release } from 'node:os'
import { exitStatus, ovlVersion } from '../../errors/index.ts'
import type { Action } from '../spec.ts'

/** Prints the versions of ovl, Node and the kernel. */
export const versionAction: Action = async (_call, session) => {
  const versions = { ovl: ovlVersion, node: process.versions.node, kernel: release(), arch: process.arch }
  await session.answer('ovl.version/1', {
    text: () => [`ovl ${versions.ovl}`, `node ${versions.node}`, `kernel ${versions.kernel} (${versions.arch})`],
    json: () => versions,
  })
  return exitStatus.done
}
