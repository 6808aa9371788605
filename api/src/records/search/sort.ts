/**
 * `_sort`: `_id`, `_lastUpdated`, the type's clinical date (a column with an index of its own), and string, number, quantity and date
 * parameters by their least value when ascending, their greatest when descending. (A number is the middle of its stored range.) Tokens and references are stored as hashes and
 * have no order. Source: FHIR R4 3.1.1.5.5.
 */
import { sql } from 'kysely'
import type { FhirModel } from '../../fhir/model.ts'
import { type Issue, issue } from '../../fhir/outcome.ts'
import type { ResourceType } from '../../fhir/resource-types.ts'
import { clinicalDate } from '../../fhir/clinical-date.ts'
import { paramKey } from './keys.ts'
import { nearest } from './nearest.ts'
import type { SortKey } from './page.ts'

export const sortKeysMax = 4

/** Newest first by the clinical date; types without one are in the order of their keys. */
export function defaultSort(): SortKey[] {
  return [{ code: '', descending: true, expression: sql`r.d0`, sqlType: 'timestamptz' }]
}

/** Several types together: equal keys of different types are told apart by the type. */
export function typeKey(): SortKey {
  return { code: '_type', descending: false, expression: sql`r.t`, sqlType: 'int2' }
}

/** The keys of `_sort`, and an issue for each that can't be sorted by. */
export function readSort(model: FhirModel, type: ResourceType, value: string): { keys: SortKey[]; applied: string[]; issues: Issue[] } {
  const keys: SortKey[] = []
  const applied: string[] = []
  const issues: Issue[] = []
  for (const part of value.split(',')) {
    const descending = part.startsWith('-')
    const code = descending ? part.slice(1) : part
    const key = sortKey(model, type, code, descending)
    if (!key || keys.length >= sortKeysMax) issues.push(unsortable(model, type, code))
    else {
      keys.push(key)
      applied.push(part)
    }
  }
  return { keys, applied, issues }
}

function sortKey(model: FhirModel, type: ResourceType, code: string, descending: boolean): SortKey | null {
  if (code === '_id') return { code, descending, expression: sql`r.id`, sqlType: 'uuid' }
  if (code === '_lastUpdated') return { code, descending, expression: sql`r.last_updated`, sqlType: 'timestamptz' }
  const param = model.searchParameters(type).get(code)
  if (!param) return null
  const extreme = sql.raw(descending ? 'max' : 'min')
  const keys = sql.join(param.storedAs.map((each) => sql`${String(paramKey(type, each))}::bigint`))
  switch (param.storage) {
    case 'date': return { code, descending, expression: sql`r.d0`, sqlType: 'timestamptz' }
    case 'strings': return {
      code, descending, sqlType: 'text',
      expression: sql`(select ${extreme}(s.val collate "C") from idx_string s where s.rid = r.id and s.shard = r.shard and s.k in (${keys}))`,
    }
    case 'values': return {
      code, descending, sqlType: 'float8',
      expression: sql`(select ${extreme}(${param.type === 'date' ? sql`s.lo` : sql`s.lo / 2 + s.hi / 2`}) from idx_value s where s.rid = r.id and s.shard = r.shard and s.k in (${keys}))`,
    }
    default: return null
  }
}

function unsortable(model: FhirModel, type: ResourceType, code: string): Issue {
  const sortable = ['_id', '_lastUpdated', ...[...model.searchParameters(type).values()]
    .filter((param) => param.storage === 'date' || param.storage === 'strings' || param.storage === 'values').map((param) => param.code)]
  const hint = nearest(code, sortable) ?? clinicalDate(type) ?? '_lastUpdated'
  return issue('parameter-invalid', {
    zh: `不能按“${code}”排序，可以试试 ${hint}。`, en: `Sorting by "${code}" is not offered. Try ${hint}.`,
  }, '_sort')
}
