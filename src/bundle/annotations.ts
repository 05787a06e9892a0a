// Annotations of config.json: what the image config says about the image (image-spec conversion.md, "Annotation
// Fields" and "Config.Labels"). Labels win over what is derived.

import type { ImageConfig } from '../oci/index.ts'

const prefix = 'org.opencontainers.image.'

/** Sorted by key. Fields that the image leaves empty give no annotation. */
export function createAnnotations({ created, author, platform, process }: ImageConfig): Record<string, string> {
  const derived: readonly (readonly [string, string])[] = [
    ['os', platform.os],
    ['architecture', platform.architecture],
    ['variant', platform.variant],
    ['os.version', platform.osVersion],
    ['os.features', platform.osFeatures.join(',')],
    ['author', author ?? ''],
    ['created', created ?? ''],
    ['stopSignal', process.stopSignal],
    ['exposedPorts', process.exposedPorts.toSorted().join(',')],
  ]
  const all = new Map(derived.filter(([, value]) => value !== '').map(([key, value]) => [prefix + key, value]))
  // "keys MUST NOT be an empty string" (runtime-spec config.md, "Annotations")
  for (const [key, value] of process.labels) if (key !== '') all.set(key, value)
  return Object.fromEntries([...all].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
