// Mocha reporter: one line a test file, failures at once in short (with the seed of a property) and at the end in full,
// skipped tests with their reasons, and a last line
// `N passed, N failed` (`, N skipped`) that a script can read.

const path = require('node:path')
const { Base } = require('mocha').reporters
const { constants } = require('mocha').Runner

const reasonKey = Symbol.for('ovl.test.skip-reasons')

class ClosingLine extends Base {
  constructor(runner, options) {
    super(runner, options)
    this.files = new Map()
    this.skipped = []
    runner.on(constants.EVENT_TEST_PASS, test => this.#count(test, 'passed'))
    runner.on(constants.EVENT_TEST_FAIL, (test, error) => {
      this.#count(test, 'failed')
      this.#tell(test, error)
    })
    runner.on(constants.EVENT_TEST_PENDING, test => {
      this.#count(test, 'skipped')
      this.skipped.push(test)
    })
    runner.once(constants.EVENT_RUN_END, () => this.#close())
  }

  #count(test, outcome) {
    const file = fileOf(test)
    const row = this.files.get(file) ?? { passed: 0, failed: 0, skipped: 0, slowMs: 0 }
    if (!this.files.has(file)) this.#print(...[...this.files].slice(-1))
    this.files.set(file, row)
    row[outcome]++
    row.slowMs += test.duration ?? 0
  }

  /** Prints the file before when the next one begins, so that a long run shows where it is. */
  #print(last) {
    if (last === undefined) return
    const [file, { passed, failed, skipped, slowMs }] = last
    const counts = [`${passed} passed`, failed && `${failed} FAILED`, skipped && `${skipped} skipped`].filter(Boolean)
    Base.consoleLog(
      `  ${file.padEnd(44)} ${counts.join(', ')}${slowMs > 2000 ? `  (${(slowMs / 1000).toFixed(1)} s)` : ''}`,
    )
  }

  /** A run that is stopped later has said this much. */
  #tell(test, error) {
    const [first = '', ...rest] = String(error?.message ?? error).split('\n')
    const lines = [first, ...rest.slice(0, 2)].map(line => line.slice(0, 1000))
    Base.consoleLog([`  FAILED ${fileOf(test)}: ${test.fullTitle()}`, ...lines.map(line => `    ${line}`)].join('\n'))
  }

  #close() {
    this.#print(...[...this.files].slice(-1))
    if (this.failures.length > 0) Base.list(this.failures)
    for (const [reason, titles] of byReason(this.skipped)) {
      Base.consoleLog(`  skipped ${titles.length}: ${reason}`)
      if (reason === noReason) for (const title of titles) Base.consoleLog(`    ${title}`)
    }
    const { passes, failures, pending } = this.stats
    Base.consoleLog(`\n${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`)
  }
}

const noReason = 'no reason given'

/** Skipped tests grouped by the reason that their nearest suite or they themselves gave. */
function byReason(tests) {
  const reasons = globalThis[reasonKey] ?? new Map()
  const groups = new Map()
  for (const test of tests) {
    const titles = [test.fullTitle()]
    for (let suite = test.parent; suite; suite = suite.parent) titles.push(suite.fullTitle())
    const reason = reasons.get(titles.find(title => reasons.has(title))) ?? noReason
    groups.set(reason, [...(groups.get(reason) ?? []), titles[0]])
  }
  return groups
}

/** `tar/reader.spec` for a test, or for a hook that failed. */
function fileOf(test) {
  const file = test.file ?? test.parent?.file ?? ''
  return path.relative(path.join(process.cwd(), '.test-build', 'test'), file).replace(/\.js$/, '')
}

module.exports = ClosingLine
