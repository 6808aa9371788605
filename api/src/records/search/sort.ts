/**
 * `_sort`: `_id`, `_lastUpdated`, the type's clinical date (a column with an index of its own), and any parameter: strings and uris by their least
 * text, tokens by their least code, single references by their text, numbers, quantities and dates by their least value when ascending and their
 * greatest when descending, ranges by their lower end. What has no value comes last either way; but of the clinical date
 * first when descending, as its index has it. Source: FHIR R4 3.1.1.5.5.
 */
import { type RawBuilder, sql } from 'kysely'
import type { FhirModel } from '../../fhir/model.ts'
import { type Issue, issue } from '../../fhir/outcome.ts'
import type { ResourceType } from '../../fhir/resource-types.ts'
import { clinicalDate } from '../../fhir/clinical-date.ts'
import type { SearchParam } from '../../fhir/search-parameters.ts'
import { branchesOf } from './branches.ts'
import { isSortedByCode } from './extract-keys.ts'
import { orderKey, paramKey } from './keys.ts'
import { nearest } from '../../fhir/nearest.ts'
import type { SideOrder, SortKey, TextOrder } from './page.ts'
import { decidesCompartment, elementOf } from './reference.ts'

export const sortKeysMax = 4

type Column = Pick<SortKey, 'code' | 'descending' | 'expression' | 'sqlType'>

/** Of rows of equal value the index has the key ascending where the value descends. */
function byDate(code: string, descending: boolean): SortKey {
  return { code, descending, expression: sql`r.d0`, sqlType: 'timestamptz', missingFirst: descending, idDescending: !descending, walk: 'date' }
}

function byColumn(column: Column, walk: SortKey['walk'] = null): SortKey {
  return { ...column, missingFirst: false, idDescending: walk !== null && column.descending, walk }
}

/** Newest first by the clinical date; types without one are in the order of their keys. */
export function defaultSort(): SortKey[] {
  return [byDate('', true)]
}

/** Several types together: equal keys of different types are told apart by the type. */
export function typeKey(): SortKey {
  return byColumn({ code: '_type', descending: false, expression: sql`r.t`, sqlType: 'int2' })
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
  if (code === '_id') return byColumn({ code, descending, expression: idOf, sqlType: 'text' })
  if (code === '_lastUpdated') return byColumn({ code, descending, expression: sql`r.last_updated`, sqlType: 'timestamptz' }, 'updated')
  const param = model.searchParameters(type).get(code)
  if (!param) return null
  const keys = sql.join(param.storedAs.map((each) => sql`${String(paramKey(type, each))}::bigint`))
  const k = param.storedAs.length === 1 ? paramKey(type, param.storedAs[0] as string) : null
  switch (param.storage) {
    case 'date': return byDate(code, descending)
    case 'strings': return byColumn({
      code, descending, sqlType: 'text',
      expression: sql`(select min(s.val collate "C") from idx_string s where s.rid = r.id and s.shard = r.shard and s.k in (${keys}))`,
    }, k === null ? null : textOrder(k))
    case 'values': return param.type === 'special' ? null : byColumn({
      code, descending, sqlType: 'float8',
      expression: sql`(select ${sql.raw(descending ? 'max' : 'min')}(s.lo) from idx_value s where s.rid = r.id and s.shard = r.shard and s.k in (${keys}))`,
    }, k === null ? null : { table: 'idx_value', k, coded: param.codedBy !== undefined, value: (alias) => sql.ref(`${alias}.lo`), less: '<', greater: '>', better: descending ? 'greater' : 'less' })
    case 'keys': {
      const order = textsOf(model, type, param)
      const expression = order === null ? param.type === 'reference' ? referenceOf(model, type, param) : null : leastOf(order)
      return expression && byColumn({ code, descending, expression, sqlType: 'text' }, order)
    }
    default: return null
  }
}

/** The id as it is written, which stands eighth in stored text (content.ts): the key of an id that a client chose is a hash of it. */
const idOf = sql`(split_part(left(r.content, 160), '"', 8) collate "C")`

/** The index compares bytes. */
function textOrder(k: bigint): SideOrder {
  return { table: 'idx_string', k, coded: false, value: (alias) => sql.ref(`${alias}.val`), less: '~<~', greater: '~>~', better: 'less' }
}

/** Codes and uris are few, so search_text has them; identifiers are not, and have no order. */
function textsOf(model: FhirModel, type: ResourceType, param: SearchParam): TextOrder | null {
  const isCode = param.type === 'token' && isSortedByCode(model, type, param)
  if (!isCode && param.type !== 'uri') return null
  const [branch, ...others] = branchesOf(model, type, param)
  const element = elementOf(param)
  return {
    k: param.storedAs.map((each) => (isCode ? orderKey(type, each) : paramKey(type, each))),
    once: others.length === 0 && branch !== undefined && plainTypes.has(branch.type) && element !== null && model.structures.get(type)?.properties.get(element)?.many === false,
  }
}

/** One value has one text. (An address with a version has two.) */
const plainTypes: ReadonlySet<string> = new Set(['code', 'boolean'])

/** The least text behind the keys of a row. */
function leastOf({ k }: TextOrder): RawBuilder<unknown> {
  return sql`(select min(x.val collate "C") from search_text x where x.k in (${sql.join(k.map((each) => sql`${String(each)}::bigint`))}) and x.h = any(r.keys))`
}

/** Of one element that occurs once, as most are. */
function referenceOf(model: FhirModel, type: ResourceType, param: SearchParam): RawBuilder<unknown> | null {
  if (decidesCompartment({ model, type, param })) return sql`r.pid::text collate "C"`
  const element = elementOf(param)
  if (element === null || model.structures.get(type)?.properties.get(element)?.many !== false) return null
  return sql`((r.content::jsonb -> ${element}::text ->> 'reference') collate "C")`
}

function unsortable(model: FhirModel, type: ResourceType, code: string): Issue {
  const sortable = ['_id', '_lastUpdated', ...[...model.searchParameters(type).keys()].filter((each) => sortKey(model, type, each, false) !== null)]
  const hint = nearest(code, sortable) ?? clinicalDate(type) ?? '_lastUpdated'
  return issue('parameter-invalid', {
    zh: `不能按“${code}”排序，可以试试 ${hint}。`, en: `Sorting by "${code}" is not offered. Try ${hint}.`,
  }, '_sort')
}
