// How numbers, digests and times are said in text output. JSON output has the plain values instead.

import type { FileType } from '../fs/index.ts'

const sizeUnits = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** `24 B`, `45.0 KiB`, `1.2 GiB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  let value = bytes
  let unit = -1
  while (value >= 1023.95 && unit < sizeUnits.length - 1) {
    value /= 1024
    unit++
  }
  return `${value.toFixed(1)} ${sizeUnits[Math.max(unit, 0)]}`
}

/** `0.21 s`, `12.3 s`, `2 min 05 s`. */
export function durationText(milliseconds: number): string {
  const seconds = milliseconds / 1000
  if (seconds < 10) return `${seconds.toFixed(2)} s`
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
}

/** `1 file`, `2 files`, `2 entries`. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** A digest without its algorithm and cut to 12 digits, or all of it. */
export function shortDigest(digest: string, noTrunc: boolean): string {
  if (noTrunc) return digest
  return digest.slice(digest.indexOf(':') + 1).slice(0, 12)
}

/** A digest with its algorithm, cut to 12 digits unless wanted in full. */
export function digestText(digest: string, noTrunc: boolean): string {
  return noTrunc ? digest : digest.slice(0, digest.indexOf(':') + 13)
}

/** RFC 3339 with nanoseconds, in UTC: `2026-11-21T20:01:48.000000000Z`. Years beyond 9999 keep their digits. */
export function timeText(seconds: number, nanoseconds: number): string {
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) return `@${seconds}.${String(nanoseconds).padStart(9, '0')}`
  return date.toISOString().replace(/\.\d{3}Z$/, `.${String(nanoseconds).padStart(9, '0')}Z`)
}

/** `drwxr-xr-t`: the type letter and the twelve permission bits as ls(1) shows them. */
export function modeText(typeLetter: string, mode: number): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = mode >> shift
    const execute = (bits & 1) !== 0
    const last = (mode & special) !== 0 ? (execute ? letter : letter.toUpperCase()) : execute ? 'x' : '-'
    return `${(bits & 4) !== 0 ? 'r' : '-'}${(bits & 2) !== 0 ? 'w' : '-'}${last}`
  }
  return typeLetter + triple(6, 0o4000, 's') + triple(3, 0o2000, 's') + triple(0, 0o1000, 't')
}

/** Permission bits as an octal string for JSON: `0755`, `4755`. */
export function octalMode(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0')
}

/** What objects of a tree are called. */
export const typeNames: Readonly<Record<FileType, string>> = {
  file: 'regular file',
  dir: 'directory',
  symlink: 'symlink',
  char: 'character device',
  block: 'block device',
  fifo: 'FIFO',
  socket: 'socket',
}
