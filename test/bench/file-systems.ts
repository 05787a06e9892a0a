// `node .test-build/test/bench/file-systems.js [--rounds N]` after `npm run build:test`: file systems in memory and
// layered ones behind the calls of node:fs, one operation each, in microseconds. Installs test/bench/package.json.

import { spawnSync } from 'node:child_process'
import * as nodeFs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { MemoryFs } from '../../src/fs/index.ts'
import { asNodeFs } from '../../src/node-fs/index.ts'
import { OverlayFs } from '../../src/overlay/index.ts'
import { least } from './measure.ts'

type Fs = Pick<
  typeof nodeFs,
  'mkdirSync' | 'writeFileSync' | 'readFileSync' | 'statSync' | 'readdirSync' | 'unlinkSync' | 'appendFileSync'
>
type Contender = { readonly title: string; readonly fs: Fs; readonly base: string; close?(): void }
type Round = (fs: Fs, base: string, round: number) => void
type Operation = { readonly title: string; readonly count: number; readonly run: Round; readonly after?: Round }

const fileCount = 1000
const content = Buffer.alloc(100, 'x')
/** Files of 4 KiB that a round changes. */
const grownCount = 50
const page = Buffer.alloc(4096, 'x')

const operations: readonly Operation[] = [
  { title: 'stat', count: fileCount, run: (fs, base) => eachFile(name => fs.statSync(`${base}/a/b/c/${name}`)) },
  {
    title: 'stat, missing',
    count: fileCount,
    run: (fs, base) => eachFile(name => fs.statSync(`${base}/a/b/c/no-${name}`, { throwIfNoEntry: false })),
  },
  { title: 'readdir, per entry', count: fileCount, run: (fs, base) => void fs.readdirSync(`${base}/a/b/c`) },
  {
    title: 'readFile',
    count: fileCount,
    run: (fs, base) => eachFile(name => fs.readFileSync(`${base}/a/b/c/${name}`)),
  },
  {
    title: 'create and write',
    count: fileCount,
    run: (fs, base) => eachFile(name => fs.writeFileSync(`${base}/a/new-${name}`, content)),
    after: (fs, base) => eachFile(name => fs.unlinkSync(`${base}/a/new-${name}`)),
  },
  {
    title: 'unlink',
    count: fileCount,
    run: (fs, base) => eachFile(name => fs.unlinkSync(`${base}/a/b/c/${name}`)),
    after: (fs, base) => eachFile(name => fs.writeFileSync(`${base}/a/b/c/${name}`, content)),
  },
  {
    // Each file once: what is above afterwards is not copied again.
    title: 'first append to 4 KiB',
    count: grownCount,
    run: (fs, base, round) => eachGrown(round, name => fs.appendFileSync(`${base}/a/low/${name}`, 'x')),
  },
]

const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '10' } } })
await main(Number(flags.rounds))

async function main(rounds: number): Promise<void> {
  if (!nodeFs.existsSync('test/bench/node_modules'))
    spawnSync('npm', ['install', '--prefix', 'test/bench'], { stdio: 'inherit' })
  const contenders = [...memoryContenders(rounds), await zenFs(rounds), ...layeredContenders(rounds)]
  try {
    const rows = operations.map(({ title, count, run, after }) => [
      title,
      ...contenders.map(({ fs, base }) => {
        const times = Array.from({ length: rounds }, (_, round) =>
          timed(
            () => run(fs, base, round),
            () => after?.(fs, base, round),
          ),
        )
        return ((least(times) * 1000) / count).toFixed(2)
      }),
    ])
    print([['µs', ...contenders.map(({ title }) => title)], ...rows])
  } finally {
    for (const contender of contenders) contender.close?.()
  }
}

function timed(run: () => void, after: () => void): number {
  const start = performance.now()
  run()
  const took = performance.now() - start
  after()
  return took
}

function eachFile(call: (name: string) => void): void {
  for (let index = 0; index < fileCount; index++) call(`file-${index}`)
}

function eachGrown(round: number, call: (name: string) => void): void {
  for (let index = 0; index < grownCount; index++) call(`${round}-${index}`)
}

function fill(fs: Fs, base: string, rounds: number): void {
  for (const directory of ['/a', '/a/b', '/a/b/c', '/a/low']) fs.mkdirSync(base + directory)
  eachFile(name => fs.writeFileSync(`${base}/a/b/c/${name}`, content))
  for (let round = 0; round < rounds; round++) eachGrown(round, name => fs.writeFileSync(`${base}/a/low/${name}`, page))
}

function memoryContenders(rounds: number): readonly Contender[] {
  const require = createRequire(path.resolve('test/bench/package.json'))
  const { Volume } = require('memfs') as { readonly Volume: new () => Fs }
  const own = asNodeFs(new MemoryFs())
  const other = new Volume()
  const base = nodeFs.mkdtempSync('/dev/shm/ovl-bench-fs-')
  fill(own, '', rounds)
  fill(other, '', rounds)
  fill(nodeFs, base, rounds)
  return [
    { title: 'ovl MemoryFs', fs: own, base: '' },
    { title: 'memfs', fs: other, base: '' },
    { title: 'node:fs, tmpfs', fs: nodeFs, base, close: () => nodeFs.rmSync(base, { recursive: true }) },
  ]
}

type ZenFs = {
  readonly fs: Fs
  readonly InMemory: unknown
  readonly CopyOnWrite: unknown
  readonly resolveMountConfig: (config: object) => Promise<object>
  readonly mount: (path: string, fs: object) => void
}

/** ZenFS' layered file system, over its own in memory. */
async function zenFs(rounds: number): Promise<Contender> {
  const entry = pathToFileURL(path.resolve('test/bench/node_modules/@zenfs/core/dist/index.js')).href
  const { fs, InMemory, CopyOnWrite, resolveMountConfig, mount } = (await import(entry)) as ZenFs
  const readable = await resolveMountConfig({ backend: InMemory, label: 'below' })
  mount('/below', readable)
  fill(fs, '/below', rounds)
  const writable = await resolveMountConfig({ backend: InMemory, label: 'above' })
  mount('/merged', await resolveMountConfig({ backend: CopyOnWrite, readable, writable }))
  return { title: '@zenfs/core CopyOnWrite', fs, base: '/merged' }
}

/** Files below; what is made lands above. */
function layeredContenders(rounds: number): readonly Contender[] {
  const require = createRequire(path.resolve('test/bench/package.json'))
  const { Volume } = require('memfs') as { readonly Volume: new () => Fs }
  const { Union } = require('unionfs') as { readonly Union: new () => Fs & { use(fs: Fs): void } }
  const layers = new MemoryFs()
  for (const name of ['/lower', '/upper', '/work']) layers.mkdir(name, 0o755)
  fill(asNodeFs(layers), '/lower', rounds)
  const at = (name: string): { readonly fs: MemoryFs; readonly path: string } => ({ fs: layers, path: name })
  const overlay = new OverlayFs({ lower: [at('/lower')], upper: at('/upper'), work: at('/work') })
  const [below, above, union] = [new Volume(), new Volume(), new Union()]
  fill(below, '', rounds)
  above.mkdirSync('/a')
  union.use(below)
  union.use(above)
  return [
    { title: 'ovl OverlayFs', fs: asNodeFs(overlay), base: '' },
    { title: 'unionfs, memfs', fs: union, base: '' },
  ]
}

function print(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0))) ?? []
  for (const row of rows) {
    console.log(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
  }
}
