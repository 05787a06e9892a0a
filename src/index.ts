export { type ErrorCode, errorCodes, OvlError } from './errors/index.ts'
