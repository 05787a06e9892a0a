export { describeEvent, type LayerNames } from './describe-event.ts'
