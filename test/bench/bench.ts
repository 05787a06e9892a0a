// `npm run bench [-- --runs N --only NAME,NAME --json FILE]`: runs ovl and the tools people use today on the same
// image, interleaved, on a file system in memory; prints a table, checks the targets, writes every sample as JSON.
// How to read it: docs/benchmarks.md.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { hasTool } from '../support/probe.ts'
import { type Contender, type ContenderName, contenders } from './contenders.ts'
import { imagesDirectory, prepareBig, prepareChanges, prepareDebian } from './images.ts'
import { measure, type Sample } from './measure.ts'
import { renderContenders, renderTargets } from './table.ts'
import { judge, type Samples, type Verdict } from './targets.ts'

const slowRuns = 2
/** Those that write down what a container changed. */
const changers: ReadonlySet<ContenderName> = new Set(['diff-tar', 'diff-layer', 'tar-create', 'umoci-repack'])
const quickFactor = 3

const { values: flags } = parseArgs({
  options: {
    runs: { type: 'string', default: '7' },
    only: { type: 'string', default: '' },
    json: { type: 'string', default: 'bench-results.json' },
  },
})

await main()

async function main(): Promise<void> {
  const chosen = choose(flags.only)
  if (chosen.some(({ quick }) => quick !== true)) prepareDebian()
  if (chosen.some(({ name }) => name === 'flat-big')) await prepareBig()
  if (chosen.some(({ name }) => changers.has(name))) prepareChanges()
  const samples = runAll(chosen, Number(flags.runs))
  const verdicts = judge(samples)
  console.log(`\n${renderContenders(chosen, samples)}\n\n${renderTargets(verdicts)}`)
  writeResults(flags.json, samples, verdicts)
  if (verdicts.some(({ met }) => met === false)) process.exitCode = 1
}

function choose(only: string): readonly Contender[] {
  const names = only.split(',').filter(name => name !== '')
  const unknown = names.find(name => contenders.every(contender => contender.name !== name))
  if (unknown !== undefined)
    throw new Error(`Cannot run "${unknown}": there is ${contenders.map(c => c.name).join(', ')}`)
  return contenders
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .filter(({ needs, title }) => {
      if (needs === undefined || hasTool(needs)) return true
      console.log(`not run: ${title} (${needs} is not installed)`)
      return false
    })
}

/** Round after round, everyone once in each; the first round warms the caches and does not count. */
function runAll(all: readonly Contender[], runs: number): Samples {
  const work = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'ovl-bench-'))
  const results = new Map<ContenderName, Sample[]>()
  try {
    for (let round = 0; round <= runs; round++) {
      for (const contender of all) {
        if (contender.slow === true && round > slowRuns) continue
        const times = contender.quick === true && round > 0 ? quickFactor : 1
        for (let time = 0; time < times; time++) {
          const sample = runOnce(contender, path.join(work, contender.name))
          if (round > 0) results.set(contender.name, [...(results.get(contender.name) ?? []), sample])
        }
      }
      process.stderr.write(round === 0 ? 'warm' : ` ${round}`)
    }
  } finally {
    fs.rmSync(work, { recursive: true, force: true })
  }
  return results
}

function runOnce(contender: Contender, destination: string): Sample {
  try {
    return measure(contender.command(destination))
  } finally {
    contender.tidy?.(destination)
    fs.rmSync(destination, { recursive: true, force: true })
  }
}

function writeResults(file: string, all: Samples, verdicts: readonly Verdict[]): void {
  const machine = {
    cpu: os.cpus()[0]?.model ?? '',
    cpus: os.cpus().length,
    kernel: os.release(),
    node: process.version,
  }
  const results = {
    schema: 'ovl.bench/1',
    machine,
    images: imagesDirectory,
    samples: Object.fromEntries(all),
    verdicts,
  }
  fs.writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
}
