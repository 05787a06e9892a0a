export { type SparseSegment, type TarFormat, type TarHeader, tarType } from './header.ts'
