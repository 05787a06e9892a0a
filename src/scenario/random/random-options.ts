import type { ScenarioOptions } from '../scenario.ts'
import type { Prng } from './prng.ts'

/** Options that go together, so that the overlay can be mounted (rules 9 to 12). */
export function randomOptions(prng: Prng, { hasUpper }: { readonly hasUpper: boolean }): ScenarioOptions {
  const options: { -readonly [Key in keyof ScenarioOptions]: ScenarioOptions[Key] } = {}
  const kind = prng.weighted({ plain: 30, redirect: 25, metacopy: 22, export: 8, userxattr: 15 })
  if (kind === 'redirect') options.redirect_dir = prng.pick(['on', 'on', 'off', 'follow', 'nofollow'])
  if (kind === 'metacopy') {
    options.metacopy = 'on'
    if (prng.chance(40)) options.redirect_dir = 'on'
  }
  if (kind === 'export') {
    options.nfs_export = 'on'
    if (prng.chance(50)) options.index = 'on'
    if (prng.chance(50)) options.redirect_dir = prng.pick(['on', 'nofollow'])
  }
  if (kind === 'userxattr') {
    options.userxattr = true
    if (prng.chance(30)) options.redirect_dir = 'nofollow'
  }
  if (options.index === undefined && kind !== 'export' && prng.chance(25))
    options.index = prng.pick(['on', 'on', 'off'])
  if (prng.chance(25)) options.xino = prng.pick(['on', 'auto', 'off'])
  if (prng.chance(15)) options.uuid = prng.pick(['on', 'off', 'null', 'auto'])
  if (hasUpper && prng.chance(8)) options.volatile = true
  if (prng.chance(4)) options.default_permissions = true
  if (prng.chance(kind === 'metacopy' ? 12 : 2)) options.verity = prng.pick(['on', 'require', 'off'])
  return options
}
