// The case tables of ../shared/cases in TypeScript shape.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TarCaseEntry } from './make-tar.ts'

export type EdgeCase = {
  readonly id: string
  readonly question: string
  readonly layers: readonly (readonly TarCaseEntry[])[]
  readonly expect: { readonly error?: true; readonly tree?: Record<string, string> }
}

export type UpstreamTreeRow = {
  readonly path: string
  readonly type?: string
  readonly mode?: string
  readonly uid?: number
  readonly gid?: number
  readonly mtime?: number
  readonly content?: string
  readonly link?: string
  readonly xattrs?: Record<string, string>
}

export type UpstreamCase = {
  readonly id: string
  readonly kind: string
  readonly title: string
  readonly layers: readonly (readonly TarCaseEntry[])[]
  readonly base_layers?: number
  readonly gzip_tar_hex?: string
  readonly applies_to?: string
  readonly options?: {
    readonly uid_map?: [number, number, number][]
    readonly gid_map?: [number, number, number][]
    readonly keep_dirlinks?: boolean
  }
  readonly expect: {
    readonly error?: boolean | string
    readonly tree?: readonly UpstreamTreeRow[]
    readonly tree_complete?: readonly string[]
    readonly absent?: readonly string[]
    readonly same_file?: readonly (readonly [string, string])[]
    readonly same_inode?: readonly (readonly [string, string])[]
    readonly not_same_inode?: readonly (readonly [string, string])[]
    readonly same_symlink?: readonly (readonly [string, string])[]
    readonly ondisk?: unknown
    readonly victim?: unknown
  }
}

export function readEdgeCases(corpus: string): readonly EdgeCase[] {
  return (JSON.parse(readFileSync(join(corpus, 'cases/layer-edges.json'), 'utf8')) as { cases: EdgeCase[] }).cases
}

export function readUpstreamCases(corpus: string): readonly UpstreamCase[] {
  return (JSON.parse(readFileSync(join(corpus, 'cases/upstream.json'), 'utf8')) as { cases: UpstreamCase[] }).cases
}

/** The attribute part of an expectation, a Python dictionary of latin-1 strings, as JSON. */
export function xattrsAsJson(text: string): string {
  return text.replace(/ x(\{.*\})$/s, (_, dict: string) => {
    const pairs = [...dict.matchAll(/'([^']*)': '([^']*)'/g)].map(([, key, value]) => [
      key ?? '',
      unescapeHex(value ?? ''),
    ])
    return ` x${JSON.stringify(Object.fromEntries(pairs))}`
  })
}

function unescapeHex(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
