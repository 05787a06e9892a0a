export { KernelFs, openKernelFs } from './kernel-fs/kernel-fs.ts'
