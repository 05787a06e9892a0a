// `node scripts/bundle.mjs`: joins the modules that tsc wrote to dist/ into a few files in dist/program, for bin/ovl.js.
// A command loads some 150 modules, its writing thread 50; joined, and without what a command does not use, that takes
// a third of the time (docs/adr/0004). As CommonJS it takes less again: Node loads an ES module in turns of its event
// loop. What `import 'ovl'` gives is not bundled.
//
// `node scripts/bundle.mjs --tests`: the same for the threads in .test-build/src, which tests start some thousand times.

import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')

await (process.argv.includes('--tests') ? bundleTestThreads() : bundleProgram())

async function bundleProgram() {
  const directory = path.join(root, 'dist')
  const dir = path.join(directory, 'program')
  rmSync(dir, { recursive: true, force: true })
  const threads = findFiles(directory, /-(?:thread|process)\.js$/).map(file => [path.basename(file, '.js'), file])
  // All in one directory: a thread is started by its file name beside the code that starts it.
  await join(
    { main: path.join(directory, 'cli/index.js'), ...Object.fromEntries(threads) },
    {
      dir,
      format: 'cjs',
      chunkFileNames: '[name]-[hash].js',
      // What nearly every command uses is one file: each file more takes a quarter of a millisecond.
      codeSplitting: { groups: [{ name: 'common', test: /\/dist\/(?:errors|path)\// }] },
      comments: false,
      // Names stay as they are, for the stacks of bug reports.
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
      externalLiveBindings: false, // no getter around what node:fs and the like export
    },
  )
  writeFileSync(path.join(dir, 'package.json'), '{ "type": "commonjs" }\n')
}

/** Each in its own place. None of them starts another by its place. */
async function bundleTestThreads() {
  for (const file of findFiles(path.join(root, '.test-build/src'), /-thread\.js$/)) {
    await join(file, { file, format: 'esm', codeSplitting: false, sourcemap: true })
  }
}

async function join(input, output) {
  const bundle = await rolldown({
    input,
    platform: 'node',
    external: /^(?!\.|\/)/, // packages stay where they are
    // No module does anything when it is loaded, but for the entry points: what is not used is left out.
    treeshake: { moduleSideEffects: false },
  })
  await bundle.write(output)
}

function findFiles(directory, pattern) {
  return readdirSync(directory, { recursive: true })
    .filter(file => pattern.test(file) && !file.startsWith('program'))
    .map(file => path.join(directory, file))
}
