export {
  compareReplays,
  type CompareOptions,
  type Difference,
  kindOfDifference,
  type NamedReplay,
  type NotRun,
} from './compare.ts'
export { emulateScenario, type EmulationOptions, type EmulationPlace } from './emulate.ts'
export { parseScenario, readScenario } from './parse-scenario.ts'
export { formatScenario } from './format-scenario.ts'
export { orderDecides, type OrderDecides } from './order-decides.ts'
export { lowerNames, type PlayOptions, playScenario, type Stage } from './play.ts'
export { randomScenario } from './random/random-scenario.ts'
export { type Replay, replaySchema } from './result.ts'
export { type RunOptions, runSteps, type StepResult, type StepsRun } from './run-steps.ts'
export {
  isDataOnly,
  type LowerTree,
  type Scenario,
  type ScenarioOptions,
  scenarioSchema,
  settingsOf,
  type Step,
  treeOf,
} from './scenario.ts'
export { type Judge, shrinkScenario } from './shrink.ts'
