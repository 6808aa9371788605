/**
 * `ValueSet.compose` as it was sent, read strictly: a value set may come in a request and has then been checked by nobody.
 * Afterwards every clause has the right JSON types and keeps the invariants vsd-1 to vsd-3. Source: FHIR R4 ValueSet.
 */
import type { ValueSetComposeIncludeConceptDesignation } from '@medplum/fhirtypes'
import type { OutcomeError } from '../fhir/outcome.ts'
import * as say from './sentences.ts'
import type { SystemFilter } from './shapes.ts'

export interface ListedCode { code: string; display: string | null; designations: ValueSetComposeIncludeConceptDesignation[] }

export interface Clause {
  /** FHIRPath, for issues. */
  at: string
  system: string | null
  version: string | null
  /** Null: not by name. */
  concepts: ListedCode[] | null
  filters: SystemFilter[]
  /** Canonical addresses; the clause holds what is in all of them. */
  valueSets: { url: string; version: string | null }[]
}

export interface Compose { include: Clause[]; exclude: Clause[]; activeOnly: boolean }

const clausesMax = 500
const filtersMax = 50

/** @throws OutcomeError `value-invalid` with the place. */
export function readCompose(valueSet: unknown): Compose {
  const { compose: sent, expansion } = valueSet as { compose?: unknown; expansion?: unknown }
  const compose = sent === undefined && isObject(expansion) && Array.isArray(expansion.contains) ? composeOf(expansion.contains) : sent
  if (!isObject(compose)) throw say.brokenCompose('ValueSet.compose', '缺少 compose。', 'compose is missing.')
  const include = clauses(compose, 'include')
  if (include.length === 0) throw say.brokenCompose('ValueSet.compose.include', '至少要有一个 include。', 'there must be an include.')
  return { include, exclude: clauses(compose, 'exclude'), activeOnly: compose.inactive === false }
}

/** A set that has only been expanded by others is what they listed. */
function composeOf(contains: readonly unknown[]): Record<string, unknown> {
  const bySystem = new Map<string, Record<string, unknown>[]>()
  const gather = (list: readonly unknown[], depth: number): void => {
    for (const each of list) {
      if (!isObject(each)) continue
      const { system, code, display, designation, abstract, contains: below } = each
      if (typeof system === 'string' && typeof code === 'string' && abstract !== true) {
        const known = bySystem.get(system)
        const concept = { code, ...(display === undefined ? {} : { display }), ...(designation === undefined ? {} : { designation }) }
        if (known) known.push(concept)
        else bySystem.set(system, [concept])
      }
      if (Array.isArray(below) && depth < nestedMax) gather(below, depth + 1)
    }
  }
  gather(contains, 0)
  return { include: [...bySystem].map(([system, concept]) => ({ system, concept })) }
}

const nestedMax = 50

function clauses(compose: Record<string, unknown>, name: 'include' | 'exclude'): Clause[] {
  const list = arrayOf(compose, name, 'ValueSet.compose')
  if (list.length > clausesMax) throw say.brokenCompose(`ValueSet.compose.${name}`, `最多 ${clausesMax} 项。`, `${clausesMax} entries at most.`)
  return list.map((each, no) => clause(each, `ValueSet.compose.${name}[${no}]`))
}

function clause(source: unknown, at: string): Clause {
  if (!isObject(source)) throw notAnObject(at)
  const system = textOf(source, 'system', at)
  const concepts = arrayOf(source, 'concept', at)
  const filters = arrayOf(source, 'filter', at)
  const valueSets = arrayOf(source, 'valueSet', at)
  if (system === null && valueSets.length === 0) throw say.brokenCompose(at, '需要 system 或 valueSet。', 'it needs a system or a valueSet (vsd-1).')
  if (system === null && concepts.length + filters.length > 0) throw say.brokenCompose(at, 'concept 和 filter 需要 system。', 'concept and filter need a system (vsd-2).')
  if (concepts.length > 0 && filters.length > 0) throw say.brokenCompose(at, '不能同时使用 concept 和 filter。', 'it cannot have both concept and filter (vsd-3).')
  if (filters.length > filtersMax) throw say.brokenCompose(`${at}.filter`, `最多 ${filtersMax} 项。`, `${filtersMax} entries at most.`)
  return {
    at, system, version: versionOf(source, at),
    concepts: concepts.length > 0 ? concepts.map((each, no) => listedCode(each, `${at}.concept[${no}]`)) : null,
    filters: filters.map((each, no) => filter(each, `${at}.filter[${no}]`)),
    valueSets: valueSets.map((each, no) => canonical(each, `${at}.valueSet[${no}]`)),
  }
}

/** `*` is every version. */
function versionOf(source: Record<string, unknown>, at: string): string | null {
  const version = textOf(source, 'version', at)
  return version === '*' ? null : version
}

function listedCode(source: unknown, at: string): ListedCode {
  if (!isObject(source)) throw notAnObject(at)
  const designations = arrayOf(source, 'designation', at).filter((each) => isObject(each) && typeof each.value === 'string')
  return { code: required(source, 'code', at), display: textOf(source, 'display', at), designations: designations as unknown as ListedCode['designations'] }
}

function filter(source: unknown, at: string): SystemFilter {
  if (!isObject(source)) throw notAnObject(at)
  return { property: required(source, 'property', at), op: required(source, 'op', at), value: required(source, 'value', at) }
}

function canonical(source: unknown, at: string): { url: string; version: string | null } {
  if (typeof source !== 'string' || source === '') throw say.brokenCompose(at, '应为值集的地址。', 'it must be the address of a value set.')
  return splitCanonical(source)
}

/** `url|version`. */
export function splitCanonical(text: string): { url: string; version: string | null } {
  const bar = text.lastIndexOf('|')
  return bar < 0 ? { url: text, version: null } : { url: text.slice(0, bar), version: text.slice(bar + 1) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function arrayOf(source: Record<string, unknown>, name: string, at: string): unknown[] {
  const value = source[name]
  if (value === undefined) return []
  if (!Array.isArray(value)) throw say.brokenCompose(`${at}.${name}`, '应为数组。', 'it must be an array.')
  return value
}

function textOf(source: Record<string, unknown>, name: string, at: string): string | null {
  const value = source[name]
  if (value === undefined) return null
  if (typeof value !== 'string' || value === '') throw say.brokenCompose(`${at}.${name}`, '应为非空文字。', 'it must be text that is not empty.')
  return value
}

function required(source: Record<string, unknown>, name: string, at: string): string {
  const value = textOf(source, name, at)
  if (value === null) throw say.brokenCompose(`${at}.${name}`, '不能缺少。', 'it is missing.')
  return value
}

function notAnObject(at: string): OutcomeError {
  return say.brokenCompose(at, '应为对象。', 'it must be an object.')
}
