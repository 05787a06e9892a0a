export { asNodeFs, type NodeFs } from './as-node-fs.ts'
