// `node scripts/bundle.mjs`: joins the modules that tsc wrote to dist/ into a few files in dist/program, for bin/ovl.js.
// A command loads some 150 modules, its writing thread 80; from a few files that takes 0.2 s less on a slow machine
// (a small unpack 0.28 s instead of 0.51). What `import 'ovl'` gives is not bundled.
//
// `node scripts/bundle.mjs --tests`: the same for the threads in .test-build/src, which tests start some thousand times.

import { readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')
const shared = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  logLevel: 'warning',
}

await (process.argv.includes('--tests') ? bundleTestThreads() : bundleProgram())

async function bundleProgram() {
  const outdir = path.join(root, 'dist/program')
  rmSync(outdir, { recursive: true, force: true })
  const threads = findFiles('dist', /-(?:thread|process)\.js$/).map(file => [path.basename(file, '.js'), file])
  await build({
    ...shared,
    // All in one directory: a thread is started by its file name beside the code that starts it.
    entryPoints: { main: 'dist/cli/index.js', ...Object.fromEntries(threads) },
    outdir,
    chunkNames: '[name]-[hash]',
    splitting: true,
    // Names stay as they are, for the stacks of bug reports.
    minifyWhitespace: true,
    minifySyntax: true,
  })
}

/** Each in its own place. None of them starts another by its place. */
async function bundleTestThreads() {
  const directory = '.test-build/src'
  await build({
    ...shared,
    entryPoints: findFiles(directory, /-thread\.js$/),
    outbase: directory,
    outdir: directory,
    allowOverwrite: true,
    sourcemap: true,
  })
}

function findFiles(directory, pattern) {
  return readdirSync(path.join(root, directory), { recursive: true })
    .filter(file => pattern.test(file) && !file.startsWith('program'))
    .map(file => `${directory}/${file}`)
}
