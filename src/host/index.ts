export { type Compression, compressionHeadBytes, detectCompression } from './compression.ts'
export {
  type Backend,
  type Decoder,
  type DecoderOptions,
  type StepResult,
  windowLimitBytes,
} from './decoders/decoder.ts'
export { openDecoder } from './decoders/open.ts'
