import type { CommandSpec } from '../spec.ts'
import { imageFlags } from './image-flags.ts'

/** `ovl copy`. */
export const copySpec: CommandSpec = {
  name: 'copy',
  group: 'Images',
  summary: 'copy and convert between docker-archive, oci-archive and oci',
  description:
    'Writes an image into an OCI layout (oci:DIRECTORY), an OCI archive (oci-archive:FILE) or a docker-archive (docker-archive:FILE), each with :TAG behind it if the image is to have another name than in SRC. Without a transport an existing directory is a layout, a new name that ends in .tar becomes an OCI archive, and any other a layout. oci-archive:- and docker-archive:- write to standard output.\nManifest, config and layers stay byte for byte what they are, unless a conversion is asked for or DST needs one: a docker-archive has no manifest and uncompressed layers. Everything is verified while it is copied, all or nothing. Prints the digest of the manifest (of the index with --all, of the config for a docker-archive) and nothing else.',
  arguments: [
    { name: 'SRC', text: 'image: file, directory or "-" for standard input; see: ovl help images' },
    { name: 'DST', text: '[oci|oci-archive|docker-archive:]PATH[:TAG]' },
  ],
  flags: [
    ...imageFlags,
    { long: '--all', text: 'all platforms, attestations included: the whole index' },
    { long: '--format', value: 'F', choices: ['oci', 'docker'], text: 'make the manifest an OCI or a Docker one' },
    {
      long: '--compress',
      value: 'C',
      choices: ['gzip', 'zstd', 'none'],
      text: 'store the layers compressed this way',
    },
    { long: '--force', text: 'replace an image of the same name in a layout, or an existing archive' },
  ],
  examples: [
    { command: 'ovl copy image.tar oci:./layout:1.0', text: 'add an image to a layout' },
    { command: 'ovl copy --all ./layout:1.0 oci-archive:image.tar', text: 'with all its platforms, in one file' },
    { command: 'ovl copy ./layout:1.0 docker-archive:-:hello:1.0 | docker load', text: 'into Docker' },
  ],
  load: async () => (await import('../actions/copy.ts')).copyAction,
}
