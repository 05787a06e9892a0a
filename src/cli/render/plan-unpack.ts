import type { UnpackPlan } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import { countText, sizeText } from '../wording.ts'
import { unpackedImageToJson, unpackHeadline } from './unpack.ts'

/** The lines of `ovl unpack --dry-run`. */
export function renderPlan(plan: UnpackPlan): string[] {
  const parts = [
    countText(plan.files, 'file'),
    countText(plan.directories, 'directory', 'directories'),
    ...(plan.symlinks === 0 ? [] : [countText(plan.symlinks, 'symlink')]),
    ...(plan.specialFiles === 0 ? [] : [countText(plan.specialFiles, 'device or FIFO', 'devices and FIFOs')]),
  ]
  const documents = plan.hasConfig ? 'config.json ovl.json' : 'ovl.json'
  const verb = plan.replaces ? 'would replace' : 'would write'
  return [
    unpackHeadline(plan.image),
    `${verb} ${escapeControls(plan.bundle)}: rootfs (${parts.join(', ')}) ${documents}; needs ${sizeText(plan.neededBytes)}, ${sizeText(plan.freeBytes)} free`,
  ]
}

/** The JSON of `ovl unpack --dry-run`. */
export function planToJson({ image, hasConfig, ...plan }: UnpackPlan): { readonly [key: string]: Json } {
  return { image: unpackedImageToJson(image), ...plan, config: hasConfig }
}
