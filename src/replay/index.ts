export { openEmulatorRunner, openHostRunner } from './emulator-runner.ts'
export { KernelFs, openKernelFs } from './kernel-fs/kernel-fs.ts'
export { openKernelRunner } from './kernel/kernel-runner.ts'
export type { Runner, RunnerName } from './runner.ts'
