// `node .test-build/test/bench/decoders.js [FILE] [--runs N]`: MB/s of output of every decoder backend, beside the
// command line tools on the same data. Best of N interleaved runs, because other load only ever makes a run slower.
// Without FILE the data is this Node's own binary, cut to 64 MiB.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { type Backend, type Compression, openDecoder } from '../../src/host/index.ts'

const inputBytes = 1 << 18
const outputBytes = 1 << 18
const sampleBytes = 64 << 20

type Contender = {
  readonly name: string
  readonly compression: Compression
  /** Milliseconds of one run. */
  readonly run: (file: string, bytes: Buffer) => Promise<number> | number
}

const compressors: readonly (readonly [Compression, readonly string[]])[] = [
  ['gzip', ['gzip', '-6c']],
  ['zstd', ['zstd', '-3qc']],
  ['xz', ['xz', '-T0', '-3c']],
  ['bzip2', ['bzip2', '-c']],
]

const tools: readonly (readonly [Compression, readonly string[]])[] = [
  ['gzip', ['gzip', '-dc']],
  ['gzip', ['pigz', '-dc']],
  ['gzip', ['igzip', '-dc']],
  ['zstd', ['zstd', '-dqc']],
  ['xz', ['xz', '-dc']],
  ['bzip2', ['bzip2', '-dc']],
]

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '5' } },
})

await main()

async function main(): Promise<void> {
  const work = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'ovl-decoders-'))
  try {
    const plain = readSample(positionals[0] ?? process.execPath)
    fs.writeFileSync(path.join(work, 'plain'), plain)
    for (const [compression, command] of compressors) {
      const file = path.join(work, compression)
      if (!produces(command, path.join(work, 'plain'), file)) continue
      console.log(`${compression}: ${fs.statSync(file).size} bytes of ${plain.length}`)
      await compare(await contendersOf(compression), { file, plainBytes: plain.length })
    }
  } finally {
    fs.rmSync(work, { recursive: true })
  }
}

function readSample(file: string): Buffer {
  const bytes = fs.readFileSync(file)
  return positionals.length > 0 ? bytes : bytes.subarray(0, sampleBytes)
}

/** Runs a tool from file to file; false where it is not installed. */
function produces([tool = '', ...rest]: readonly string[], from: string, to: string): boolean {
  const input = fs.openSync(from, 'r')
  const output = fs.openSync(to, 'w')
  const { error, status } = spawnSync(tool, rest, { stdio: [input, output, 'inherit'] })
  fs.closeSync(input)
  fs.closeSync(output)
  return error === undefined && status === 0
}

async function contendersOf(compression: Compression): Promise<readonly Contender[]> {
  const found: Contender[] = []
  for (const only of ['node', 'library', 'portable'] as const) {
    try {
      const decoder = await openDecoder(compression, { warn: () => {}, only })
      decoder.close()
      found.push({ name: `ovl (${only})`, compression, run: (_, bytes) => runDecoder(compression, only, bytes) })
    } catch (error) {
      if ((error as { code?: string }).code !== 'UNSUPPORTED') throw error
    }
  }
  for (const [of, command] of tools) {
    if (of === compression && spawnSync(command[0] ?? '', ['--version']).error === undefined) {
      found.push({ name: command.join(' '), compression, run: file => runTool(command, file) })
    }
  }
  return found
}

async function runDecoder(compression: Compression, only: Backend, bytes: Buffer): Promise<number> {
  const decoder = await openDecoder(compression, { warn: () => {}, only })
  const output = new Uint8Array(new SharedArrayBuffer(outputBytes))
  const start = performance.now()
  for (let at = 0; ; ) {
    const result = decoder.step(bytes, at, Math.min(at + inputBytes, bytes.length), output, 0, outputBytes)
    const { consumed, produced } = result instanceof Promise ? await result : result
    at += consumed
    if (consumed === 0 && produced === 0) break
  }
  decoder.end()
  const elapsed = performance.now() - start
  decoder.close()
  return elapsed
}

/** Includes the start of the process, some milliseconds. */
function runTool([tool = '', ...rest]: readonly string[], file: string): number {
  const input = fs.openSync(file, 'r')
  const start = performance.now()
  const { status } = spawnSync(tool, rest, { stdio: [input, 'ignore', 'inherit'] })
  const elapsed = performance.now() - start
  fs.closeSync(input)
  if (status !== 0) throw new Error(`${tool} failed`)
  return elapsed
}

async function compare(
  contenders: readonly Contender[],
  { file, plainBytes }: { readonly file: string; readonly plainBytes: number },
): Promise<void> {
  const bytes = fs.readFileSync(file)
  const best = new Map<string, number>()
  for (let run = 0; run < Number(flags.runs); run++) {
    for (const contender of contenders) {
      const elapsed = await contender.run(file, bytes)
      best.set(contender.name, Math.min(best.get(contender.name) ?? Infinity, elapsed))
    }
  }
  for (const [name, elapsed] of best) {
    console.log(`  ${name.padEnd(16)} ${(plainBytes / 1000 / elapsed).toFixed(0).padStart(6)} MB/s`)
  }
}
