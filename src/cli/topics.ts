// Help that belongs to no command: `ovl help images | overlay | formats | json | exit-status`.

import { errorCodes } from '../errors/index.ts'
import { renderTable } from './table.ts'

/** A page of help that belongs to no command. */
export type Topic = { readonly name: string; readonly summary: string; readonly lines: () => readonly string[] }

/** Exit statuses and what they say. */
export const exitMeanings: readonly (readonly [number, string])[] = [
  [0, 'done'],
  [1, 'the check says no (verify found a bad layer, doctor something wrong)'],
  [2, 'usage: the command line is wrong or leaves a choice open'],
  [3, 'input not found: file, tag, platform, layer, path'],
  [4, 'input invalid or unsafe: corrupt, wrong digest, over a limit'],
  [5, 'this machine or this user cannot do it'],
  [6, 'the destination is in the way'],
  [7, 'reading or writing failed: disk full, I/O error'],
  [70, 'a bug in ovl'],
  [129, 'ended by SIGHUP'],
  [130, 'interrupted (SIGINT)'],
  [143, 'terminated (SIGTERM)'],
]

/** Every topic, in the order of `ovl help topics`. */
export const topics: readonly Topic[] = [
  { name: 'images', summary: 'how an image is named and recognised', lines: imagesTopic },
  { name: 'overlay', summary: 'how an overlay is put together, and the options of the kernel', lines: overlayTopic },
  { name: 'formats', summary: 'which image formats and compressions are read', lines: formatsTopic },
  { name: 'json', summary: 'the rules of JSON output and JSON errors', lines: jsonTopic },
  { name: 'exit-status', summary: 'exit statuses and error codes', lines: exitStatusTopic },
]

function imagesTopic(): string[] {
  return [
    'IMAGE = [TRANSPORT:]LOCATION[:REF][@DIGEST]',
    '',
    'LOCATION is a file or a directory, or "-" for standard input. What it holds is recognised by looking into it,',
    'never by its name, so TRANSPORT (docker-archive, oci-archive, oci, dir) is only needed to insist on one.',
    'A path that exists is taken whole, so names with colons work; otherwise the part behind the last colon is REF.',
    '',
    'REF is a tag or name in the input (latest, docker.io/library/debian:12), @DIGEST the digest of a manifest, and',
    ':@N the N-th image of the input, counted from 0. --ref NAME says the same where a path is awkward.',
    'It can be left away when the input holds one image. An image for several platforms is narrowed by',
    '--platform OS/ARCH[/VARIANT]; the default is the platform of this machine.',
    '',
    'Examples:',
    '  ovl inspect image.tar                  # what the file is',
    '  ovl ls ./layout:latest /etc            # one tag of an OCI layout',
    '  docker save debian | ovl verify -      # from a pipe',
  ]
}

function overlayTopic(): string[] {
  return [
    'An overlay shows directories as one. Of several entries of one name the top-most is seen; directories are merged.',
    '',
    ...renderTable(
      [{}, {}],
      [
        ['lowerdir=TOP:NEXT:BASE', 'read only, at most 500; "::DIR" at the end adds a layer that only holds data'],
        ['lowerdir+=DIR  datadir+=DIR', 'the same one by one, taken as they stand'],
        ['upperdir=DIR', 'takes every change; without it the overlay is read-only and needs two lower layers'],
        ['workdir=DIR', 'an empty directory on the same mount as upperdir, outside of it'],
      ],
    ),
    '',
    'In lowerdir a colon, comma or backslash of a name has a backslash before it; in upperdir and workdir the latter two.',
    '',
    ...renderTable(
      [{}, {}],
      [
        ['redirect_dir=on', 'directories of a lower layer can be renamed (otherwise EXDEV)'],
        ['metacopy=on', 'a change of owner, mode or times does not copy the content'],
        ['index=on', 'hard links of lower layers stay linked; one overlay an upperdir'],
        ['nfs_export=on', 'file handles that last; needs index=on'],
        ['userxattr', 'marks in user.overlay.*, for user namespaces; without redirects and metacopy'],
        ['volatile', 'nothing is synced; after a crash the upperdir is lost'],
        ['xino= uuid= verity= fsync=', 'inode numbers, identity, data checksums, durability'],
      ],
    ),
    '',
    'ro, nosuid, nodev, noexec, noatime and the like work as in mount(8).',
  ]
}

function formatsTopic(): string[] {
  return [
    ...renderTable(
      [{}, {}],
      [
        ['docker-archive', 'tar archive with manifest.json (docker save, podman save), or the older "repositories"'],
        ['oci-archive', 'tar archive of an OCI layout (podman save --format oci-archive, docker save since 25)'],
        ['oci', 'OCI layout directory: oci-layout, index.json, blobs/'],
        ['dir', 'directory written by skopeo copy … dir:PATH'],
      ],
    ),
    '',
    'The archives themselves, and the layers inside, may be plain or compressed with gzip, zstd, xz or bzip2: the',
    'first bytes tell, not the media type or the file name. Archives that are not compressed are read in place;',
    'compressed ones and standard input are copied to a temporary file first.',
    '',
    'Digests, sizes and diff IDs are verified whenever a layer is read to its end.',
  ]
}

function jsonTopic(): string[] {
  return [
    '--json (or --format json) prints one JSON document on standard output. It starts with "schema":"ovl.<command>/1";',
    'within a schema number fields are added, never renamed or removed.',
    '',
    '  sizes        numbers of bytes                    times    RFC 3339 with nanoseconds, UTC',
    '  modes        octal strings ("0755")              digests  "sha256:…" in full',
    '  paths        strings, or {"base64": …} when they are not UTF-8',
    '  warnings     [{"code", "message", "layer", "path"}], the first thousand',
    '',
    'An error is one JSON object on standard error: {"error": {"code", "message", "data", "facts", "hint", "cause"}}.',
    'Codes and data are for programs and stay; messages and hints are for people and may change.',
    '--progress json prints {"progress": {…}} lines on standard error while the work goes on.',
  ]
}

function exitStatusTopic(): string[] {
  const rows = Object.entries(errorCodes).map(([code, row]) => [`  ${code}`, String(row.exit), row.title])
  return [
    ...renderTable(
      [{ align: 'right' }, {}],
      exitMeanings.map(([status, meaning]) => [`  ${status}`, meaning]),
    ),
    '',
    'Error codes, as printed in brackets and in the "code" of JSON errors:',
    '',
    ...renderTable([{ title: '  CODE' }, { title: 'EXIT', align: 'right' }, { title: 'MEANING' }], rows),
  ]
}
