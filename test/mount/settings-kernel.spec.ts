// Which settings hold, and which contradict each other: every combination, put to the kernel.

import { expect } from 'chai'
import { OvlError } from '../../src/errors/index.ts'
import { readModuleDefaults } from '../../src/mount/index.ts'
import { parseOverlayOptions, resolveSettings, shownSettings } from '../../src/overlay/index.ts'
import { needsOverlayMounts, Stage } from '../support/overlay-stage.ts'

const choices = {
  redirect_dir: ['', 'redirect_dir=on', 'redirect_dir=off', 'redirect_dir=nofollow', 'redirect_dir=follow'],
  metacopy: ['', 'metacopy=on', 'metacopy=off'],
  index: ['', 'index=on', 'index=off'],
  nfs_export: ['', 'nfs_export=on'],
  userxattr: ['', 'userxattr'],
} as const

const others = [
  'uuid=on',
  'uuid=off',
  'uuid=null',
  'verity=on',
  'verity=require',
  'userxattr,verity=on',
  'userxattr,verity=off',
  'default_permissions',
  'xino=off',
  'fsync=strict',
  'override_creds',
  'nooverride_creds',
]

function combinations(): string[] {
  let texts = ['']
  for (const values of Object.values(choices)) texts = texts.flatMap(text => values.map(value => `${text},${value}`))
  return [...texts, ...others].map(text =>
    text
      .split(',')
      .filter(word => word !== '')
      .join(','),
  )
}

describe('settings and the kernel', () => {
  before(needsOverlayMounts)

  for (const hasUpper of [true, false]) {
    it(`agree in all combinations ${hasUpper ? 'with' : 'without'} upperdir`, () => {
      const differences: string[] = []
      for (const text of combinations()) {
        const stage = new Stage()
        const directories = hasUpper ? 'lowerdir=$l1,upperdir=$u,workdir=$w' : 'lowerdir=$l1:$l2'
        const shown = stage.shownOptions(stage.fill(`${directories},${text}`))
        stage.remove()
        const expected = expectedOptions(text, hasUpper)
        if (JSON.stringify(shown) !== JSON.stringify(expected))
          differences.push(`${text}: kernel ${shown?.join()}, ovl ${expected?.join()}`)
      }
      expect(differences).to.deep.equal([])
    })
  }
})

/** What mountinfo should show for a fresh upperdir; null for a conflict. */
function expectedOptions(text: string, hasUpper: boolean): readonly string[] | null {
  const defaults = readModuleDefaults()
  try {
    const { settings } = parseOverlayOptions(text)
    const { config } = resolveSettings(settings, { hasUpper, defaults, hasTrustedXattrs: true })
    const uuid = config.uuid === 'auto' && hasUpper ? 'on' : config.uuid
    return shownSettings({ ...config, uuid }, defaults)
  } catch (error) {
    if (error instanceof OvlError) return null
    throw error
  }
}
