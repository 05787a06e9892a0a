import { release } from 'node:os'
import { exitStatus } from '../../errors/index.ts'
import { readVersion } from '../version.ts'
import type { Action } from '../spec.ts'

export const versionAction: Action = async (_call, session) => {
  const versions = { ovl: readVersion(), node: process.versions.node, kernel: release(), arch: process.arch }
  if (session.settings.format === 'json') await session.printJson('ovl.version/1', versions)
  else
    await session.print([
      `ovl ${versions.ovl}`,
      `node ${versions.node}`,
      `kernel ${versions.kernel} (${versions.arch})`,
    ])
  return exitStatus.done
}
