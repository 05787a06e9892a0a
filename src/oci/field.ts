// Typed access to a JSON document of unknown shape. Every reader names the place it stands at, so that a hostile or
// careless document is refused with the path of the field that is wrong ("layers[2].size"), never with a TypeError.

import { OvlError, quote } from '../errors/index.ts'

/** A value inside a document, and the way to it: '' is the document itself. */
export type Field = { readonly value: unknown; readonly where: string; readonly path: string }

/** The document itself; `where` says where it was read ("index.json in img.tar"). */
export function documentField(value: unknown, where: string): Field {
  return { value, where, path: '' }
}

/** A property of an object; undefined when it is absent. Inherited properties do not count. */
export function property(parent: Field, key: string): Field {
  const object = asObject(parent)
  return {
    value: Object.hasOwn(object, key) ? object[key] : undefined,
    where: parent.where,
    path: parent.path === '' ? key : `${parent.path}.${key}`,
  }
}

/** True when the field is absent or null, which all image documents treat alike. */
export function isAbsent(field: Field): boolean {
  return field.value === undefined || field.value === null
}

/** A string; absent, null and other types are refused. */
export function requiredText(field: Field): string {
  if (typeof field.value !== 'string') throw badField(field, 'a string')
  return field.value
}

/** A string, or null when absent. */
export function optionalText(field: Field): string | null {
  return isAbsent(field) ? null : requiredText(field)
}

/** A whole number from 0 to 2⁵³ − 1. */
export function requiredCount(field: Field): number {
  const { value } = field
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw badField(field, 'a whole number')
  return value
}

/** A boolean, false when absent. */
export function flag(field: Field): boolean {
  if (isAbsent(field)) return false
  if (typeof field.value !== 'boolean') throw badField(field, 'true or false')
  return field.value
}

/** The items of a list; empty when absent. */
export function items(field: Field): readonly Field[] {
  return isAbsent(field) ? [] : requiredItems(field)
}

/** The items of a list that must be there. Null is an empty list, as Go writes it. */
export function requiredItems(field: Field): readonly Field[] {
  if (field.value === null) return []
  if (!Array.isArray(field.value)) throw badField(field, 'a list')
  return field.value.map((value: unknown, i) => ({ value, where: field.where, path: `${field.path}[${i}]` }))
}

/** The strings of a list; empty when absent. */
export function texts(field: Field): readonly string[] {
  return items(field).map(requiredText)
}

/** The members of an object in document order; empty when absent. */
export function members(field: Field): readonly (readonly [string, Field])[] {
  if (isAbsent(field)) return []
  return Object.keys(asObject(field)).map(key => [key, property(field, key)] as const)
}

/** An object of strings (annotations, labels); empty when absent. */
export function textMap(field: Field): ReadonlyMap<string, string> {
  return new Map(members(field).map(([key, value]) => [key, requiredText(value)]))
}

/** Refuses a field: `expected` completes "must be …". */
export function badField(field: Field, expected: string): OvlError {
  const { where, path } = field
  const subject = path === '' ? 'it' : quote(path)
  const got = describe(field.value)
  return new OvlError('BAD_DOCUMENT', `Cannot use ${where}: ${subject} must be ${expected}, but is ${got}`, {
    data: { where, field: path },
  })
}

function asObject(field: Field): { readonly [key: string]: unknown } {
  const { value } = field
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badField(field, 'an object')
  return value as { readonly [key: string]: unknown }
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return quote(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'an object'
}
