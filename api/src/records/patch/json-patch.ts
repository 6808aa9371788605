/**
 * JSON Patch over a parsed resource: all six operations, applied in order, all or none. The resource handed in is not changed and
 * numbers keep their digits. An array that a patch empties is taken out, because FHIR knows no empty array.
 * Source: RFC 6902 (operations), RFC 6901 (pointers).
 */
import { copyJson, placeValue } from '../../fhir/json.ts'
import { fail } from '../../fhir/outcome.ts'
import { failed, invalid, type PatchPlace } from './fault.ts'

const operations = ['add', 'remove', 'replace', 'move', 'copy', 'test'] as const

export interface JsonOperation {
  op: (typeof operations)[number]
  path: string[]
  /** Of move and copy; null otherwise. */
  from: string[] | null
  /** Holds `value` for add, replace and test, with its digits. */
  holder: { value?: unknown }
}

export const patchOperationsMax = 1000
/** Characters that a patch may copy in all: copies of copies double each time. */
const copiedMax = 5_000_000

/** Checks the document itself. Throws patch-invalid. @param path where it stands in the request; null for the body. */
export function readJsonPatch(document: unknown, place: PatchPlace): JsonOperation[] {
  if (!Array.isArray(document)) {
    throw fail('patch-invalid', { zh: 'JSON Patch 应是操作的数组。', en: 'A JSON Patch is an array of operations.' })
  }
  if (document.length > patchOperationsMax) {
    throw fail('patch-invalid', { zh: `一次最多 ${patchOperationsMax} 项操作。`, en: `A patch may have ${patchOperationsMax} operations.` })
  }
  return document.map((value: unknown, index) => readOperation(value, index, place))
}

function readOperation(value: unknown, index: number, place: PatchPlace): JsonOperation {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(place, index, { zh: '应是对象。', en: 'must be an object.' })
  }
  const { op, path, from } = value as { op?: unknown; path?: unknown; from?: unknown }
  const known = operations.find((each) => each === op)
  if (known === undefined) throw invalid(place, index, { zh: `op 应是 ${operations.join('、')} 之一。`, en: `op must be one of ${operations.join(', ')}.` })
  if ((known === 'add' || known === 'replace' || known === 'test') && !('value' in value)) {
    throw invalid(place, index, { zh: '缺少 value。', en: 'value is missing.' })
  }
  const moves = known === 'move' || known === 'copy'
  return { op: known, path: pointer(path, 'path', index, place), from: moves ? pointer(from, 'from', index, place) : null, holder: value }
}

/** RFC 6901: `/a~1b/0` → ['a/b', '0']. */
function pointer(value: unknown, name: string, index: number, place: PatchPlace): string[] {
  const wrong = typeof value !== 'string' || (value !== '' && !value.startsWith('/')) || /~(?![01])/.test(value)
  if (wrong) throw invalid(place, index, { zh: `${name} 应是以“/”开头的 JSON 指针。`, en: `${name} must be a JSON pointer that begins with "/".` })
  return value.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

type Holder = Record<string, unknown>

/** Throws patch-failed with the number of the operation that does not fit. */
export function applyJsonPatch<T extends object>(resource: T, patch: readonly JsonOperation[], place: PatchPlace): T {
  // The root is a member of this object, so that it can be replaced like any other value.
  const root: Holder = { root: copyJson(resource) }
  const work: Work = { emptied: [], copied: 0 }
  for (const [index, operation] of patch.entries()) applyOne(root, operation, work, (text) => failed(place, index, text))
  for (const path of work.emptied) dropIfEmpty(root, path)
  return root.root as T
}

interface Work {
  /** Arrays that lost their last item. */
  emptied: string[][]
  /** Characters of all copies so far. */
  copied: number
}

type Fault = (text: { zh: string; en: string }) => Error

function applyOne(root: Holder, { op, path, from, holder }: JsonOperation, work: Work, fault: Fault): void {
  const at = ['root', ...path]
  switch (op) {
    case 'add': return add(root, at, copyJson(holder), 'value', fault)
    case 'remove': return remove(root, at, work, fault)
    case 'replace': return replace(root, at, copyJson(holder), fault)
    case 'test': return test(root, at, holder, fault)
    default: return transfer(root, ['root', ...from ?? []], at, op, work, fault)
  }
}

function transfer(root: Holder, from: string[], to: string[], op: 'move' | 'copy', work: Work, fault: Fault): void {
  if (op === 'move' && to.length > from.length && from.every((part, index) => part === to[index])) {
    throw fault({ zh: '不能把一个值移动到它自己里面。', en: 'a value cannot be moved into itself.' })
  }
  const parent = parentOf(root, from, fault)
  const key = existingKey(parent, from, fault)
  const carried: Holder = {}
  placeValue(parent, key, carried, 'value')
  if (op === 'copy' && (work.copied += JSON.stringify(carried).length) > copiedMax) {
    throw fault({ zh: '复制后的资源太大。', en: 'the resource would become too large by copying.' })
  }
  if (op === 'move') remove(root, from, work, fault)
  add(root, to, copyJson(carried), 'value', fault)
}

function add(root: Holder, path: string[], source: object, sourceKey: string, fault: Fault): void {
  const parent = parentOf(root, path, fault)
  const key = path.at(-1) as string
  if (!Array.isArray(parent)) {
    assertSafe(key, fault)
    return placeValue(source, sourceKey, parent, key)
  }
  const index = key === '-' ? parent.length : arrayIndex(key)
  if (index === null || index > parent.length) throw absent(path, fault)
  parent.splice(index, 0, null)
  placeValue(source, sourceKey, parent, String(index))
}

function replace(root: Holder, path: string[], source: object, fault: Fault): void {
  const parent = parentOf(root, path, fault)
  placeValue(source, 'value', parent, existingKey(parent, path, fault))
}

function remove(root: Holder, path: string[], work: Work, fault: Fault): void {
  if (path.length === 1) throw fault({ zh: '不能删除整个资源。', en: 'the whole resource cannot be removed.' })
  const parent = parentOf(root, path, fault)
  const key = existingKey(parent, path, fault)
  if (Array.isArray(parent)) {
    parent.splice(Number(key), 1)
    if (parent.length === 0) work.emptied.push(path.slice(0, -1))
  } else delete parent[key]
}

function test(root: Holder, path: string[], holder: { value?: unknown }, fault: Fault): void {
  const parent = parentOf(root, path, fault)
  const key = existingKey(parent, path, fault)
  if (!sameJson((parent as Holder)[key], holder.value)) {
    throw fault({ zh: `${shown(path)} 的值与 test 所给的不同。`, en: `the value at ${shown(path)} is not the one that test gives.` })
  }
}

function parentOf(root: Holder, path: readonly string[], fault: Fault): Holder | unknown[] {
  let value: unknown = root
  for (const part of path.slice(0, -1)) {
    if (typeof value !== 'object' || value === null) throw absent(path, fault)
    if (Array.isArray(value)) {
      const index = arrayIndex(part)
      value = index === null ? undefined : value[index]
    } else value = Object.hasOwn(value, part) ? (value as Holder)[part] : undefined
  }
  if (typeof value !== 'object' || value === null) throw absent(path, fault)
  return value as Holder | unknown[]
}

function existingKey(parent: Holder | unknown[], path: readonly string[], fault: Fault): string {
  const key = path.at(-1) as string
  const there = Array.isArray(parent) ? (arrayIndex(key) ?? parent.length) < parent.length : Object.hasOwn(parent, key)
  if (!there) throw absent(path, fault)
  return key
}

function arrayIndex(text: string): number | null {
  return /^(?:0|[1-9]\d{0,8})$/.test(text) ? Number(text) : null
}

function assertSafe(key: string, fault: Fault): void {
  if (key === '__proto__') throw fault({ zh: '没有名为 __proto__ 的元素。', en: 'there is no element __proto__.' })
}

function absent(path: readonly string[], fault: Fault): Error {
  return fault({ zh: `资源中没有 ${shown(path)}。`, en: `there is nothing at ${shown(path)} in the resource.` })
}

function shown(path: readonly string[]): string {
  return `/${path.slice(1).join('/')}`.slice(0, 200)
}

function dropIfEmpty(root: Holder, path: readonly string[]): void {
  let parent: unknown = root
  for (const part of path.slice(0, -1)) parent = typeof parent === 'object' && parent !== null ? (parent as Holder)[part] : undefined
  const key = path.at(-1) as string
  if (typeof parent !== 'object' || parent === null || Array.isArray(parent)) return
  const value = (parent as Holder)[key]
  if (Array.isArray(value) && value.length === 0) delete (parent as Holder)[key]
}

/** RFC 6902 4.6: numbers by value, objects whatever the order of their members. */
function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) !== Array.isArray(right)) return false
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length
    && keys.every((key) => Object.hasOwn(right, key) && sameJson((left as Holder)[key], (right as Holder)[key]))
}
