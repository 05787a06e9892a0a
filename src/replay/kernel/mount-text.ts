// The option string for a scenario, with the directories l1, l2, … u and w beside each other.
import { formatSettings, type ModuleDefaults } from '../../overlay/index.ts'
import { readModuleDefaults } from '../../mount/index.ts'
import { isDataOnly, lowerNames, type Scenario, settingsOf } from '../../scenario/index.ts'

/** What mount(2) gets, in the directory of the layers. Defaults are those of the format, whatever the module's are. */
export function mountText(scenario: Scenario): string {
  const names = lowerNames(scenario).map((name, index) => {
    const layer = scenario.lower[index]
    const isData = layer !== undefined && isDataOnly(layer)
    return `${isData ? '::' : index === 0 ? '' : ':'}${name}`
  })
  return [
    `lowerdir=${names.join('')}`,
    ...(scenario.upper === undefined ? [] : ['upperdir=u', 'workdir=w']),
    ...formatSettings(settingsOf(scenario.options)),
    ...againstDefaults(scenario, readModuleDefaults()),
  ].join(',')
}

/** Settings that a distribution has turned on and the format has off. */
function againstDefaults({ options }: Scenario, defaults: ModuleDefaults): string[] {
  const own = (['index', 'nfs_export', 'metacopy'] as const).filter(
    name => defaults[name] && options[name] === undefined,
  )
  const redirects = defaults.redirect_dir && options.redirect_dir === undefined
  const isImplied = options.metacopy === 'on' || options.userxattr === true
  return [
    ...own.map(name => `${name}=off`),
    ...(defaults.xino_auto && options.xino === undefined ? ['xino=off'] : []),
    ...(redirects && !isImplied ? ['redirect_dir=follow'] : []),
  ]
}
