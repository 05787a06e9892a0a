// `node scripts/bundle.mjs`: joins the modules that tsc wrote to dist/ into a few files in dist/program, for bin/ovl.js.
// A command loads some 150 modules, its writing thread 80; from a few files that takes 0.2 s less on a slow machine
// (a small unpack 0.28 s instead of 0.51). What `import 'ovl'` gives is not bundled.

import { readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')
const outdir = path.join(root, 'dist/program')
const threads = readdirSync(path.join(root, 'dist'), { recursive: true })
  .filter(file => /-(?:thread|process)\.js$/.test(file) && !file.startsWith('program'))
  .map(file => [path.basename(file, '.js'), `dist/${file}`])

rmSync(outdir, { recursive: true, force: true })
await build({
  absWorkingDir: root,
  // All in one directory: a thread is started by its file name beside the code that starts it.
  entryPoints: { main: 'dist/cli/index.js', ...Object.fromEntries(threads) },
  outdir,
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  // Names stay as they are, for the stacks of bug reports.
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
})
