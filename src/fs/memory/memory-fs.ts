import { Vfs } from '../vfs/vfs.ts'
import { type MemoryOptions, MemorySuperBlock } from './super-block.ts'

/** A file system in memory: what a Linux tmpfs is, for programs, tests and as any layer of an overlay. */
export class MemoryFs extends Vfs {
  declare readonly superBlock: MemorySuperBlock

  constructor(options: MemoryOptions = {}) {
    super(new MemorySuperBlock(options))
  }
}
