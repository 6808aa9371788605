/**
 * One search parameter with its modifier and values → criterion. The table says which modifiers each type has here; each
 * parameter type has a file of its own. `:missing` and the parameters that are columns are the same for all types.
 * Source: FHIR R4 3.1.1.4 (modifiers by type).
 */
import { sql, type SqlBool } from 'kysely'
import { isFhirId, keyOf } from '../../fhir/id.ts'
import type { FhirModel } from '../../fhir/model.ts'
import { fail, OutcomeError } from '../../fhir/outcome.ts'
import type { ResourceType } from '../../fhir/resource-types.ts'
import type { SearchParam } from '../../fhir/search-parameters.ts'
import {
  type Asked, byCondition, byKeys, byRowKeys, bySide, type Criterion, hasSideRow, invalidValue, nothing, type ParameterSearch, sideOf, splitUnescaped, unescapeValue, withoutKeys,
} from './criterion.ts'
import { searchComposite } from './composite.ts'
import { containedParameter, isStoredOfContained } from './contained.ts'
import { latitudeParam } from './extract-position.ts'
import { searchDate, searchLastUpdated } from './date.ts'
import { paramKey } from './keys.ts'
import { searchList } from './list.ts'
import { searchNear } from './near.ts'
import { nearest } from '../../fhir/nearest.ts'
import { searchNumber, searchQuantity } from './number.ts'
import type { QueryContext } from './parse-query.ts'
import { isReferenceModifier, searchReference } from './reference.ts'
import { searchString } from './string.ts'
import { searchToken } from './token.ts'
import { searchContent, searchNarrative } from './texts.ts'
import { searchUri } from './uri.ts'

const valuesMax = 1000

/** What each type of parameter offers: modifiers beside `:missing`, and its search. */
const parameterTypes: Readonly<Record<string, { modifiers: readonly string[]; search: ParameterSearch }>> = {
  string: { modifiers: ['exact', 'contains'], search: searchString },
  token: { modifiers: ['not', 'text', 'in', 'not-in', 'above', 'below', 'of-type'], search: searchToken },
  reference: { modifiers: ['identifier', 'above', 'below', '[type]'], search: searchReference },
  date: { modifiers: [], search: searchDate },
  number: { modifiers: [], search: searchNumber },
  quantity: { modifiers: [], search: searchQuantity },
  composite: { modifiers: [], search: (asked) => searchComposite(asked, searchPart) },
  special: { modifiers: [], search: searchNear },
  uri: { modifiers: ['above', 'below'], search: searchUri },
}

/** Modifiers that nobody may write: `_filter` compares by them. */
const ofFilter: Readonly<Record<string, readonly string[]>> = { string: ['equal', 'ends'] }

/** Parameters that are no values of an element but of the row itself. */
const ofRows: readonly string[] = ['_id', '_lastUpdated', '_list', '_text', '_content']

/** Codes of all parameters of a type that a search may use. */
export function searchableCodes(model: FhirModel, type: ResourceType): string[] {
  return [...ofRows, ...[...model.searchParameters(type).values()].filter(isSearchable).map((param) => param.code)]
}

export function isSearchable(param: SearchParam): boolean {
  if (param.type === 'composite') return (param.components?.length ?? 0) > 1
  return param.storage !== 'none' && parameterTypes[param.type] !== undefined
}

function searchPart(asked: Asked): Criterion {
  return (parameterTypes[asked.param.type] as { search: ParameterSearch }).search(asked)
}

/** Modifiers of a parameter, `missing` included, for the CapabilityStatement. */
export function modifiersOf(param: SearchParam): readonly string[] {
  const own = parameterTypes[param.type]?.modifiers ?? []
  return param.type === 'composite' ? own : [...own, 'missing']
}

/** The criterion of `name=value`; null when the type has no such parameter. Throws parameter-unknown and parameter-invalid. */
export function parameterCriterion(context: QueryContext, name: string, value: string): Criterion | null {
  const { model, type, base } = context
  const [code = '', modifier = null, ...more] = name.split(':')
  const values = splitUnescaped(value, ',').filter((each) => each !== '')
  if (more.length > 0 || (code.includes('.') || modifier?.includes('.'))) return null
  if (values.length === 0 || values.length > valuesMax) {
    throw new OutcomeError([invalidValue({ name }, value, { zh: `请给出 1 到 ${valuesMax} 个值。`, en: `give 1 to ${valuesMax} values.` })])
  }
  const { within } = context
  if (within && ofRows.includes(code)) return nothing
  if (code === '_id') return modifier === null || modifier === 'not' ? byIds(name, values, modifier === 'not') : null
  if (modifier === null && code === '_list') return searchList(type, values)
  if (modifier === null && code === '_text') return searchNarrative(type, values)
  if (modifier === null && code === '_content') return searchContent(values)
  const found = code === '_lastUpdated' ? lastUpdatedParam : model.searchParameters(type).get(code)
  if (!found || (found !== lastUpdatedParam && !isSearchable(found))) return null
  if (within && !isStoredOfContained(found)) return nothing
  const param = within ? containedParameter(found, within.trail) : found
  const asked: Asked = { model, type, param, modifier, values, name, base, now: context.ctx.now }
  if (param === lastUpdatedParam) return modifier === null ? searchLastUpdated(asked) : null
  if (modifier === 'missing' && param.type !== 'composite') return byPresence(asked)
  if (modifier !== null && !(context.filtering && ofFilter[param.type]?.includes(modifier))) assertModifier(asked, modifier)
  return (parameterTypes[param.type] as { search: ParameterSearch }).search(asked)
}

const lastUpdatedParam: SearchParam = {
  code: '_lastUpdated', type: 'date', url: 'http://hl7.org/fhir/SearchParameter/Resource-lastUpdated', targets: [], storage: 'none',
  storedAs: ['_lastUpdated'], expression: 'Resource.meta.lastUpdated',
}

function byIds(name: string, values: readonly string[], not: boolean): Criterion {
  const ids = values.map(unescapeValue)
  const wrong = ids.find((id) => !isFhirId(id))
  if (wrong !== undefined) throw new OutcomeError([invalidValue({ name }, wrong, { zh: '编号由字母、数字、“-”和“.”组成。', en: 'an id has letters, digits, "-" and ".".' })])
  if (not) return byCondition(sql<SqlBool>`r.id <> all(${ids.map(keyOf)}::uuid[])`)
  return byRowKeys(ids.map(keyOf))
}

function byPresence(asked: Asked): Criterion {
  const [value] = asked.values
  if (asked.values.length !== 1 || (value !== 'true' && value !== 'false')) {
    throw new OutcomeError([invalidValue(asked, asked.values.join(','), { zh: '只能是 true 或 false。', en: 'it is true or false.' })])
  }
  const missing = value === 'true'
  const keys = (asked.param.type === 'special' ? [latitudeParam] : asked.param.storedAs).map((code) => paramKey(asked.type, code))
  switch (asked.param.storage) {
    case 'date': return byCondition(missing ? sql<SqlBool>`r.d0 is null` : sql<SqlBool>`r.d0 is not null`)
    case 'keys': return missing ? withoutKeys(keys) : byKeys(keys)
    default: {
      const strings = asked.param.storage === 'strings'
      const any = sql<SqlBool>`true`
      const fits = [{ keys, condition: any, bounds: [{ column: strings ? 'val' as const : 'lo' as const, condition: any }] }]
      const table = strings ? 'idx_string' : 'idx_value'
      return missing ? byCondition(sql<SqlBool>`not ${hasSideRow(sideOf(table, fits))}`) : bySide(table, fits)
    }
  }
}

function assertModifier({ param, name }: Asked, modifier: string): void {
  const { modifiers } = parameterTypes[param.type] as { modifiers: readonly string[] }
  if (modifiers.includes(modifier) || (param.type === 'reference' && isReferenceModifier(modifier))) return
  const all = modifiersOf(param)
  const hint = nearest(modifier, all.filter((each) => each !== '[type]')) ?? all.join(', ')
  throw fail('parameter-unknown', {
    zh: `参数 ${param.code} 不支持修饰符“:${modifier.slice(0, 32)}”，最接近的是 :${hint}。`,
    en: `Parameter ${param.code} has no modifier ":${modifier.slice(0, 32)}"; the nearest is :${hint}.`,
  }, name.slice(0, 64))
}
