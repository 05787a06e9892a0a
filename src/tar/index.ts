export { encodeTarHeader, endOfArchive, type TarEntry, tarPadding } from './encode-header.ts'
export { type SparseSegment, type TarFormat, type TarHeader, tarType } from './header.ts'
export type { PaxRecords } from './pax-records.ts'
export { type TarHandler, TarReader, type TarReaderOptions } from './reader.ts'
