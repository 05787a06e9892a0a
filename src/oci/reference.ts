// Image references as Docker writes them: `[domain/]path[:tag][@digest]` (distribution/reference grammar).

import { type Digest, isDigest } from './digest.ts'

/** An image reference taken apart and completed as Docker completes it. */
export type Reference = {
  /** `docker.io` when none is written. */
  readonly domain: string
  /** With `library/` in front when Docker would add it. */
  readonly path: string
  readonly tag: string | null
  readonly digest: Digest | null
}

const pathPart = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const domainPart =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/
const tagPart = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

/** Reads a reference; null when the text is none. */
export function parseReference(text: string): Reference | null {
  const at = text.indexOf('@')
  const digest = at < 0 ? null : text.slice(at + 1)
  if (digest !== null && !isDigest(digest)) return null
  const named = at < 0 ? text : text.slice(0, at)
  const colon = named.lastIndexOf(':')
  const hasTag = colon > named.lastIndexOf('/')
  const tag = hasTag ? named.slice(colon + 1) : null
  if (tag !== null && !tagPart.test(tag)) return null
  const name = splitDomain(hasTag ? named.slice(0, colon) : named)
  if (!domainPart.test(name.domain) || name.path.length > 255) return null
  return name.path.split('/').every(part => pathPart.test(part)) ? { ...name, tag, digest } : null
}

/** The full spelling, with domain and tag: `docker.io/library/busybox:latest`. */
export function formatReference({ domain, path, tag, digest }: Reference): string {
  const suffix = tag === null && digest === null ? ':latest' : tag === null ? '' : `:${tag}`
  return `${domain}/${path}${suffix}${digest === null ? '' : `@${digest}`}`
}

/** The short spelling, as Docker shows it, with a tag: `busybox:latest`, `quay.io/a/b:1`. */
export function familiarReference(reference: Reference): string {
  const { domain, path, tag, digest } = reference
  const short = domain !== 'docker.io' ? `${domain}/${path}` : path.replace(/^library\/(?=[^/]*$)/, '')
  return `${short}${tag === null && digest === null ? ':latest' : tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`
}

/** The first component is a domain only when it looks like one: it has a dot or a port, or is "localhost". */
function splitDomain(name: string): { readonly domain: string; readonly path: string } {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase()
  const domain = isDomain ? first : 'docker.io'
  const path = isDomain ? name.slice(slash + 1) : name
  if (domain !== 'docker.io' && domain !== 'index.docker.io') return { domain, path }
  return { domain: 'docker.io', path: path.includes('/') ? path : `library/${path}` }
}
