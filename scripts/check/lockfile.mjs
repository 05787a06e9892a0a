// The lockfile works on every machine: it names the builds for all platforms (npm drops those that its registry does
// not serve, and `npm ci` then refuses the file), and no download address.

import { lineAt, readText } from './source.mjs'

const file = 'package-lock.json'

/** Problems as `{ file, line, reason }`. */
export function checkLockfile(root) {
  const text = readText(root, file)
  const { packages = {} } = JSON.parse(text)
  const missing = Object.entries(packages).flatMap(([from, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter(name => !isLocked(packages, from, name))
      .map(name => ({
        line: lineAt(text, text.indexOf(`"${from}"`)),
        reason: `${name}, optional for ${from}, is missing`,
      })),
  )
  const addresses = [...text.matchAll(/"resolved":/g)].map(match => ({
    line: lineAt(text, match.index),
    reason: 'a download address; see omit-lockfile-registry-resolved in .npmrc',
  }))
  return [...missing, ...addresses].map(problem => ({ file, ...problem }))
}

/** Looks a package up as Node does: in the node_modules of `from` and of everything around it. */
function isLocked(packages, from, name) {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf('/node_modules/')))) {
    if (Object.hasOwn(packages, `${place === '' ? '' : `${place}/`}node_modules/${name}`)) return true
    if (place === '') return false
  }
}
