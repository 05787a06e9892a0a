// The sample images of fixtures/images, copied so that a test may spoil them.

import fs from 'node:fs'
import path from 'node:path'
import { projectRoot } from './cli.ts'

/** Path of a checked-in sample image. */
export function sampleImage(name: string): string {
  return path.join(projectRoot, 'fixtures', 'images', name)
}

/** Copies the sample OCI layout to `directory`. */
export function copySampleLayout(directory: string): void {
  fs.cpSync(sampleImage('hello.oci'), directory, { recursive: true })
}

type LayoutManifest = { readonly layers: readonly { readonly digest: string; readonly size: number }[] }

/** The manifest for linux/amd64 of a copied layout. */
export function layoutManifest(directory: string): LayoutManifest {
  type Index = { manifests: { digest: string; mediaType: string; platform?: { architecture: string } }[] }
  let { manifests } = JSON.parse(fs.readFileSync(path.join(directory, 'index.json'), 'utf8')) as Index
  for (;;) {
    const next = manifests.find(each => each.platform === undefined || each.platform.architecture === 'amd64')
    if (next === undefined) throw new Error('the sample layout has no image for amd64')
    const document: unknown = JSON.parse(fs.readFileSync(blobPath(directory, next.digest), 'utf8'))
    if (!next.mediaType.includes('index')) return document as LayoutManifest
    manifests = (document as Index).manifests
  }
}

/** Where a layout keeps a blob. */
export function blobPath(directory: string, digest: string): string {
  return path.join(directory, 'blobs', ...digest.split(':'))
}
