// `ovl explain upper/etc/gone.conf`: what a file in a layer's directory says to overlayfs, by its type and attributes.

import * as fs from 'node:fs'
import { escapeControls, isCode, OvlError, quote } from '../../errors/index.ts'
import { findTerm, rulesBehind, type Term } from '../../explain/index.ts'
import { hostPath, loadSystem } from '../../host/index.ts'
import { baseName, decodeName } from '../../path/index.ts'
import { type NumberedRule, rulesOf } from './explain-word.ts'

/** A mark that a file carries. */
export type FileMark = {
  /** "character device 0:0", ".wh.name", or the name of the attribute. */
  readonly name: string
  /** Value of an attribute: text, or null when it is none or is no text. */
  readonly value: string | null
  readonly sizeBytes: number
  readonly term: Term
}

/** What a file on the disk says. */
export type FileExplanation = {
  readonly kind: 'file'
  readonly path: string
  readonly type: string
  readonly marks: readonly FileMark[]
  readonly rules: readonly NumberedRule[]
}

/** Null when there is no such file. Errors: READ_FAILED. */
export function explainFile(path: string): FileExplanation | null {
  const stat = look(path)
  if (stat === null) return null
  const marks = [...typeMarks(path, stat), ...attributeMarks(path)]
  return {
    kind: 'file',
    path,
    type: typeName(stat),
    marks,
    rules: rulesOf(marks.flatMap(({ term }) => rulesBehind(term))),
  }
}

function look(path: string): fs.Stats | null {
  try {
    return fs.lstatSync(hostPath(path))
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return null
    throw new OvlError('READ_FAILED', `Cannot read ${quote(path)}: ${error instanceof Error ? error.message : ''}`, {
      data: { path },
      cause: error,
    })
  }
}

function typeMarks(path: string, stat: fs.Stats): readonly FileMark[] {
  const name = baseName(path.replace(/\/+$/, ''))
  if (stat.isCharacterDevice() && stat.rdev === 0) return mark('character device 0:0', 'whiteout')
  if (name === '.wh..wh..opq') return mark(name, '.wh..wh..opq')
  return name.startsWith('.wh.') ? mark(name, '.wh.') : []
}

function mark(name: string, word: string): readonly FileMark[] {
  const term = findTerm(word)
  return term === null ? [] : [{ name, value: null, sizeBytes: 0, term }]
}

const overlayAttribute = /^(?:trusted|user)\.(overlay\.[^.]+)/

function attributeMarks(path: string): readonly FileMark[] {
  const system = loadSystem()
  if (system === null) return []
  return listAttributes(path).flatMap(name => {
    const word = overlayAttribute.exec(name)?.[1]
    const term = word === undefined ? null : findTerm(word)
    if (term === null) return []
    const value = system.lgetxattr(path, name)
    const text = decodeName(value)
    const isText = value.length > 0 && text.isWellFormed() && escapeControls(text) === text
    return [{ name, value: isText ? text : null, sizeBytes: value.length, term }]
  })

  function listAttributes(of: string): readonly string[] {
    try {
      return system?.llistxattr(of) ?? []
    } catch (error) {
      if (isCode(error, 'ENOTSUP')) return [] // a file system without attributes
      throw error
    }
  }
}

function typeName(stat: fs.Stats): string {
  if (stat.isDirectory()) return 'directory'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isFile()) return stat.size === 0 ? 'empty file' : 'file'
  if (stat.isCharacterDevice()) return 'character device'
  if (stat.isBlockDevice()) return 'block device'
  return stat.isFIFO() ? 'FIFO' : 'socket'
}
