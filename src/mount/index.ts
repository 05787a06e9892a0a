export { readModuleDefaults } from './module.ts'
export { type MountPlan, preflight, type PreflightOptions } from './preflight.ts'
export { readOptions } from './read-options.ts'
