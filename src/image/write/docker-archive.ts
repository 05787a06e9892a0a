// A docker-archive as docker load, podman load and skopeo read it: manifest.json names the config and the uncompressed
// layers. The repositories file and a directory for each layer are for readers older than manifest.json (Docker 1.9);
// the layers stand there as links.

import { createHash } from 'node:crypto'
import { digestHex, type Digest, formatDocumentBytes, type JsonObject, parseReference } from '../../oci/index.ts'
import { type DockerContent, sendOptions, type Staging } from './content.ts'
import { repoTagsOf } from './names.ts'
import { bytesOutput } from './output-blob.ts'
import { type ArchiveMember, writeArchive, type WritePiece } from './tar-archive.ts'

/** Writes a docker-archive. Errors: those of `writeArchive`. */
export function writeDockerArchive(content: DockerContent, write: WritePiece, staging: Staging): Promise<void> {
  const { config, layers } = content
  const tags = repoTagsOf(content.names)
  const configName = `${digestHex(config.digest)}.json`
  const unique = new Map(layers.map(layer => [layer.diffID, layer.content]))
  const old = oldLayers(content)
  const members: ArchiveMember[] = [
    document(configName, config.raw),
    ...[...unique].map(([diffID, blob]): ArchiveMember => {
      const options = sendOptions(staging, blob)
      return { name: layerName(diffID), type: 'file', content: blob, options }
    }),
    ...old.flatMap(({ id, json, diffID }): ArchiveMember[] => [
      { name: `${id}/`, type: 'directory' },
      document(`${id}/VERSION`, new TextEncoder().encode('1.0')),
      document(`${id}/json`, json),
      { name: `${id}/layer.tar`, type: 'symlink', target: `../${layerName(diffID)}` },
    ]),
    document(
      'manifest.json',
      formatDocumentBytes([
        { Config: configName, RepoTags: tags, Layers: layers.map(({ diffID }) => layerName(diffID)) },
      ]),
    ),
    ...repositories(tags, old.at(-1)?.id),
  ]
  return writeArchive(members, { write, signal: staging.signal })
}

function layerName(diffID: Digest): string {
  return `${digestHex(diffID)}.tar`
}

function document(name: string, raw: Uint8Array): ArchiveMember {
  return { name, type: 'file', content: bytesOutput(raw) }
}

type OldLayer = { readonly id: string; readonly json: Uint8Array; readonly diffID: Digest }

/** The version 1 images of the layers, each with an ID made of all it stands for; the last one has the configuration. */
function oldLayers({ config, layers }: DockerContent): readonly OldLayer[] {
  const {
    architecture,
    os,
    created,
    author,
    config: run,
  } = JSON.parse(Buffer.from(config.raw).toString()) as JsonObject
  const old: OldLayer[] = []
  for (const [i, { diffID }] of layers.entries()) {
    const parent = old.at(-1)?.id
    const isTop = i === layers.length - 1
    const image = {
      ...(parent === undefined ? {} : { parent }),
      created: isTop && typeof created === 'string' ? created : '1970-01-01T00:00:00Z',
      ...(isTop ? { author, config: run, architecture, os } : { container_config: { Cmd: [''] } }),
    }
    const id = createHash('sha256')
      .update(`${diffID}\n${isTop ? config.digest : ''}\n`)
      .update(JSON.stringify(image))
      .digest('hex')
    old.push({ id, json: formatDocumentBytes({ id, ...image }), diffID })
  }
  return old
}

/** `{repository: {tag: top layer}}`; left out for an image without names or layers. */
function repositories(tags: readonly string[], top: string | undefined): readonly ArchiveMember[] {
  if (top === undefined || tags.length === 0) return []
  const tree: { [repository: string]: { [tag: string]: string } } = {}
  for (const text of tags) {
    const tag = parseReference(text)?.tag ?? 'latest'
    const repository = text.slice(0, text.length - tag.length - 1)
    tree[repository] = { ...tree[repository], [tag]: top }
  }
  return [document('repositories', formatDocumentBytes(tree))]
}
