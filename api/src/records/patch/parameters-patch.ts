/**
 * A FHIRPath Patch as it comes in Parameters, read into operations with their values as JSON. Nothing is known yet of the resource it
 * is for. Source: FHIR R4 § fhirpatch.html.
 */
import { copyJson, placeValue } from '../../fhir/json.ts'
import { fail } from '../../fhir/outcome.ts'
import { invalid, type PatchPlace } from './fault.ts'
import { patchOperationsMax } from './json-patch.ts'

type Json = Record<string, unknown>

const types = ['add', 'insert', 'delete', 'replace', 'move'] as const

/** A value: of a FHIR type (`valueDate`), or an element without a type of its own, made of parts. */
export type PatchValue =
  | { kind: 'typed'; suffix: string; holder: Json; key: string }
  | { kind: 'parts'; parts: { name: string; value: PatchValue }[] }

export interface PathOperation {
  /** Number of its parameter. */
  index: number
  type: (typeof types)[number]
  path: string
  /** Of add. */
  name: string | null
  value: PatchValue | null
  /** Of insert. */
  at: number | null
  /** Of move. */
  source: number | null
  destination: number | null
}

/** Throws patch-invalid. */
export function readParametersPatch(parameters: Json, place: PatchPlace): PathOperation[] {
  // Parameters without any say that nothing differs; an empty array is no FHIR.
  if (parameters.parameter === undefined) return []
  const list = parameters.parameter
  if (!Array.isArray(list) || list.length === 0) {
    throw fail('patch-invalid', { zh: '补丁中没有 operation 参数。', en: 'The patch has no parameter "operation".' })
  }
  if (list.length > patchOperationsMax) {
    throw fail('patch-invalid', { zh: `一次最多 ${patchOperationsMax} 项操作。`, en: `A patch may have ${patchOperationsMax} operations.` })
  }
  return list.map((each: unknown, index) => readOperation(each, index, place))
}

function readOperation(given: unknown, index: number, place: PatchPlace): PathOperation {
  const parts = partsOf(given)
  if ((given as Json | null)?.name !== 'operation' || parts === null) {
    throw invalid(place, index, { zh: '应是名为 operation、带有 part 的参数。', en: 'must be a parameter "operation" with parts.' })
  }
  const part = (name: string): Json | undefined => parts.find((each) => each.name === name)
  const type = types.find((each) => each === (part('type')?.valueCode ?? part('type')?.valueString))
  if (type === undefined) throw invalid(place, index, { zh: `type 应是 ${types.join('、')} 之一。`, en: `type must be one of ${types.join(', ')}.` })
  const text = (name: string): string => {
    const value = part(name)?.valueString ?? part(name)?.valueCode
    if (typeof value !== 'string' || value === '') throw invalid(place, index, { zh: `缺少 ${name}。`, en: `${name} is missing.` })
    return value
  }
  const number = (name: string): number => {
    const value = part(name)?.valueInteger ?? part(name)?.valueUnsignedInt ?? part(name)?.valuePositiveInt
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
      throw invalid(place, index, { zh: `${name} 应是不小于 0 的整数。`, en: `${name} must be a whole number from 0.` })
    }
    return value
  }
  const valued = type === 'add' || type === 'insert' || type === 'replace'
  const value = valued ? valueOf(part('value')) : null
  if (valued && value === null) throw invalid(place, index, { zh: '缺少 value。', en: 'value is missing.' })
  return {
    index, type, path: text('path'), value,
    name: type === 'add' ? text('name') : null,
    at: type === 'insert' ? number('index') : null,
    source: type === 'move' ? number('source') : null,
    destination: type === 'move' ? number('destination') : null,
  }
}

function partsOf(value: unknown): Json[] | null {
  const parts: unknown = (value as Json | null)?.part
  return Array.isArray(parts) && parts.every((each) => typeof each === 'object' && each !== null) ? (parts as Json[]) : null
}

function valueOf(part: Json | undefined): PatchValue | null {
  if (part === undefined) return null
  const key = Object.keys(part).find((each) => /^_?value[A-Z]/.test(each))?.replace(/^_/, '')
  if (key !== undefined) return { kind: 'typed', suffix: key.slice('value'.length), holder: part, key }
  if (part.resource !== undefined) return { kind: 'typed', suffix: 'Resource', holder: part, key: 'resource' }
  const parts: { name: string; value: PatchValue }[] = []
  for (const each of partsOf(part) ?? []) {
    const value = valueOf(each)
    if (typeof each.name !== 'string' || value === null) return null
    parts.push({ name: each.name, value })
  }
  return parts.length === 0 ? null : { kind: 'parts', parts }
}

/** Puts a typed value under a key, its extensions under the key's sibling. */
export function placeTyped({ holder, key }: Extract<PatchValue, { kind: 'typed' }>, target: Json, targetKey: string): void {
  const copy = copyJson(holder)
  if (copy[key] !== undefined) placeValue(copy, key, target, targetKey)
  if (copy[`_${key}`] !== undefined) target[`_${targetKey}`] = copy[`_${key}`]
}
