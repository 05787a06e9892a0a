// What is going on, on the error stream. On a terminal one line per active task, redrawn at most ten times a second;
// elsewhere one plain line per finished task; as JSON one object per line; or nothing.

import { escapeControls, type Json } from '../errors/index.ts'
import type { ProgressMode } from './global-flags.ts'
import type { ColorTarget, Environment } from './style.ts'
import { displayWidth } from './table.ts'
import { sizeText } from './wording.ts'

const redrawIntervalMs = 100

/** A piece of work that is shown: usually one layer. */
export type Task = {
  /** Tasks are drawn in the order in which they first appear. */
  readonly key: string
  /** `1/2  72ce82e366f6` */
  readonly label: string
  readonly doneBytes: number
  /** null when it is not known. */
  readonly totalBytes: number | null
  /** What is counted when it is no bytes: "scenarios". */
  readonly unit?: string
  /** What `--progress json` prints. */
  readonly json: { readonly [key: string]: Json }
}

/** Shows tasks, and prints lines without tearing what is drawn. */
export type Progress = {
  update(task: Task): void
  /** This task is the one at work; those before it are over and leave no line. */
  showOnly(task: Task): void
  /** The task is over: its plain line is printed and stays. */
  finish(task: Task, line: string): void
  /** Prints a line about the work as a whole, where progress is shown as text. */
  announce(line: string): void
  /** Prints a line in any mode, above the live ones. */
  print(line: string): void
  /** Takes the live lines away; call it before anything else is written to the terminal. */
  stop(): void
}

/** A stream that progress is written to. */
export type ProgressTarget = ColorTarget & { readonly columns?: number; write(text: string): unknown }

/** How and where to show progress. */
export type ProgressOptions = {
  readonly mode: ProgressMode
  readonly target: ProgressTarget
  readonly env: Environment
  /** Milliseconds that only grow; replaced in tests. */
  readonly now?: () => number
}

/** Makes the display that fits mode and stream: live lines, plain lines, JSON lines or none. */
export function createProgress(options: ProgressOptions): Progress {
  const { mode, target, env } = options
  const print = (line: string): void => void target.write(`${line}\n`)
  if (mode === 'none') return { ...silent, print }
  if (mode === 'json') return jsonProgress(print, options.now ?? (() => performance.now()))
  const live = mode === 'auto' && target.isTTY === true && env['TERM'] !== 'dumb'
  return live ? liveProgress(target, options.now ?? (() => performance.now())) : plainProgress(print)
}

const silent = {
  update: () => undefined,
  showOnly: () => undefined,
  finish: () => undefined,
  announce: () => undefined,
  stop: () => undefined,
}

function plainProgress(print: (line: string) => void): Progress {
  return { ...silent, finish: (_task, line) => print(line), announce: print, print }
}

function jsonProgress(print: (line: string) => void, now: () => number): Progress {
  let last = Number.NEGATIVE_INFINITY
  const report = (task: Task, finished: boolean): void => {
    last = now()
    const { doneBytes, totalBytes, unit } = task
    const amount = unit === undefined ? { doneBytes, totalBytes } : { done: doneBytes, total: totalBytes, unit }
    print(JSON.stringify({ progress: { ...task.json, ...amount, finished } }))
  }
  const update = (task: Task): void => {
    if (now() - last >= redrawIntervalMs) report(task, false)
  }
  return {
    ...silent,
    update,
    showOnly: update,
    finish: task => report(task, true),
    print,
  }
}

function liveProgress(target: ProgressTarget, now: () => number): Progress {
  const tasks = new Map<string, Task>()
  let drawnLines = 0
  let last = Number.NEGATIVE_INFINITY
  const erase = (): string => (drawnLines === 0 ? '' : `\x1b[${drawnLines}A\x1b[J`)
  const draw = (above: string): void => {
    const lines = [...tasks.values()].map(task => taskLine(task, target.columns ?? 80))
    target.write(`${erase()}${above}${lines.map(line => `${line}\n`).join('')}`)
    drawnLines = lines.length
    last = now()
  }
  const update = (task: Task): void => {
    tasks.set(task.key, task)
    if (now() - last >= redrawIntervalMs) draw('')
  }
  return {
    update,
    showOnly: task => {
      for (const key of tasks.keys()) if (key !== task.key) tasks.delete(key)
      update(task)
    },
    finish: (task, line) => {
      tasks.delete(task.key)
      draw(`${line}\n`)
    },
    announce: line => draw(`${line}\n`),
    print: line => draw(`${line}\n`),
    stop: () => {
      tasks.clear()
      if (drawnLines > 0) draw('')
    },
  }
}

const barWidth = 20

function taskLine(task: Task, columns: number): string {
  const { doneBytes, totalBytes } = task
  const share = totalBytes === null || totalBytes === 0 ? null : Math.min(1, doneBytes / totalBytes)
  const bar = share === null ? '' : `  [${'#'.repeat(Math.round(share * barWidth)).padEnd(barWidth, '.')}]`
  const size = task.unit === undefined ? sizeText : String
  const count = totalBytes === null ? size(doneBytes) : `${size(doneBytes)} / ${size(totalBytes)}`
  const amount = task.unit === undefined ? count : `${count} ${task.unit}`
  // A line that wraps cannot be erased by moving up one line, so it is cut.
  return cut(`  ${escapeControls(task.label)}${bar}  ${amount}`, Math.max(10, columns - 1))
}

function cut(text: string, width: number): string {
  let out = text
  while (displayWidth(out) > width) out = out.slice(0, -1)
  return out
}
