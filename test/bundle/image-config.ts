// Image configs for tests: what the case is about, on top of the least that an image config must have.

import { type ImageConfig, parseImageConfig } from '../../src/oci/index.ts'

export function imageConfig(process: object, top: object = {}): ImageConfig {
  const json = { architecture: 'amd64', os: 'linux', config: process, rootfs: { type: 'layers', diff_ids: [] }, ...top }
  return parseImageConfig(json, 'config of the test')
}
