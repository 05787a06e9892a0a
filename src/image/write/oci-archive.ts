import { digestHex, formatDocumentBytes, layoutFile } from '../../oci/index.ts'
import { type OciContent, sendOptions, type Staging } from './content.ts'
import { addToIndex, emptyIndex, formatIndex } from './layout-index.ts'
import { bytesOutput } from './output-blob.ts'
import { type ArchiveMember, writeArchive, type WritePiece } from './tar-archive.ts'

/** Writes an OCI layout as an archive. Errors: those of `writeArchive`. */
export function writeOciArchive(content: OciContent, write: WritePiece, staging: Staging): Promise<void> {
  const index = addToIndex(emptyIndex, content, { force: true, shownAs: '' })
  const algorithms = new Set(content.blobs.map(({ digest }) => digest.slice(0, digest.indexOf(':'))))
  const members: ArchiveMember[] = [
    { name: 'blobs/', type: 'directory' },
    ...[...algorithms].map((name): ArchiveMember => ({ name: `blobs/${name}/`, type: 'directory' })),
    ...content.blobs.map((blob): ArchiveMember => {
      const name = `blobs/${blob.digest.slice(0, blob.digest.indexOf(':'))}/${digestHex(blob.digest)}`
      return { name, type: 'file', content: blob, options: sendOptions(staging, blob) }
    }),
    { name: 'index.json', type: 'file', content: bytesOutput(formatIndex(index)) },
    { name: 'oci-layout', type: 'file', content: bytesOutput(formatDocumentBytes(layoutFile)) },
  ]
  return writeArchive(members, { write, signal: staging.signal })
}
