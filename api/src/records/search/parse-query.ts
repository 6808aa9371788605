/**
 * Query string → criteria and controls. What is not offered is an issue that names the nearest valid parameter; under
 * `handling=lenient` it is left out of the search and of the self link, and becomes a warning. `applied` is exactly what the search
 * does, in the order given. Source: FHIR R4 3.1.1 (search), 3.1.1.5 (result parameters).
 */
import type { FhirModel } from '../../fhir/model.ts'
import { type Issue, issue, OutcomeError } from '../../fhir/outcome.ts'
import type { ResourceType } from '../../fhir/resource-types.ts'
import type { Ctx } from '../../ctx.ts'
import type { Projection, Store } from '../store.ts'
import { isChain, newBranches, readChain } from './chain.ts'
import type { Criterion } from './criterion.ts'
import { filterCriteria } from './filter.ts'
import { functionalList } from './functional-list.ts'
import { readInclude, type Include } from './include.ts'
import { nearest } from '../../fhir/nearest.ts'
import { parameterCriterion, searchableCodes } from './parameter.ts'
import type { SortKey } from './page.ts'
import { defaultSort, readSort, sortKeysMax } from './sort.ts'
import { elementHint, isSummary, type Summary } from './elements.ts'

export const countDefault = 20
export const countMax = 1000
const parametersMax = 60

export interface SearchQuery {
  criteria: Criterion[]
  /** Rows of a page; 0 for the total only. */
  count: number
  /** Null: not said; then a search whose matches all stand on its first page says how many they are. */
  total: 'none' | 'estimate' | 'accurate' | null
  sort: SortKey[]
  includes: Include[]
  revincludes: Include[]
  /** Top-level elements to return; null for all. */
  elements: string[] | null
  summary: Summary
  /** Opaque position to go on from; null for the first page. */
  page: string | null
  /** What was applied, for the self and next links; without `_page`. */
  applied: URLSearchParams
  /** What was left out under lenient handling. */
  warnings: Issue[]
}

export interface QueryContext {
  model: FhirModel
  type: ResourceType
  ctx: Pick<Ctx, 'now'>
  /** Address of /fhir. */
  base: string
  lenient: boolean
  /** All types that are searched together. */
  types: readonly ResourceType[]
  /** Links of a chain that lead to this type; 0 for the type that is searched. */
  links: number
  /** What all chains together may still try. */
  branches: { left: number }
  /** Whether rows of a type are in the store; a projection's are not. */
  stored(type: ResourceType): boolean
  /** What a domain offers of a type that it makes of its own tables; null for a type of the store. */
  projected(type: ResourceType): Projection | null
  unknown(context: QueryContext, name: string): Issue
  /** It is `_filter` that asks. */
  filtering?: true
  /** Resources of `type` are asked for that are contained in rows of another type, where they are reached by this trail (contained.ts). */
  within?: { rows: ResourceType; trail: string } | undefined
}

/** The context of a search over one type. */
export function queryContext(given: Pick<QueryContext, 'type' | 'types' | 'ctx' | 'base' | 'lenient'>, store: Store): QueryContext {
  return {
    ...given, model: store.model, links: 0, branches: newBranches(),
    stored: (type) => store.entries.get(type)?.projection === null, projected: (type) => store.entries.get(type)?.projection ?? null, unknown: (context, name) => unknownParameter(context, name, null),
  }
}

type Reader = (query: SearchQuery, value: string, context: QueryContext, name: string) => Issue[]

/** Result parameters: each reads its value into the query and returns what is wrong with it. */
const controls: Readonly<Record<string, Reader>> = {
  _count: (query, value) => {
    const count = /^\d{1,6}$/.test(value) ? Number(value) : null
    if (count === null) return [badControl('_count', value, '0 – 1000')]
    query.count = Math.min(count, countMax)
    query.applied.set('_count', String(query.count))
    return []
  },
  _total: (query, value) => {
    if (value !== 'none' && value !== 'estimate' && value !== 'accurate') return [badControl('_total', value, 'none, estimate, accurate')]
    query.total = value
    query.applied.set('_total', value)
    return []
  },
  _summary: (query, value) => {
    if (!isSummary(value)) return [badControl('_summary', value, 'true, text, data, count, false')]
    if (value === 'count') query.count = 0
    query.summary = value
    query.applied.set('_summary', value)
    return []
  },
  _sort: (query, value, { model, type }) => {
    const { keys, applied, issues } = readSort(model, type, value)
    if (keys.length > 0) {
      // Given twice, the second orders what the first leaves equal.
      const before = query.applied.get('_sort')
      query.sort = before === null ? keys : [...query.sort, ...keys].slice(0, sortKeysMax)
      query.applied.set('_sort', [...before?.split(',') ?? [], ...applied].slice(0, sortKeysMax).join(','))
    }
    return issues
  },
  _elements: (query, value, { model, type }) => {
    const names = value.split(',').map((name) => name.trim()).filter((name) => name !== '')
    const known = model.structures.get(type)?.elements.map((element) => element.name.replace('[x]', '')) ?? []
    const unknown = names.filter((name) => !known.includes(name))
    const valid = names.filter((name) => known.includes(name))
    if (valid.length > 0) {
      query.elements = [...new Set([...query.elements ?? [], ...valid])]
      query.applied.set('_elements', query.elements.join(','))
    }
    return unknown.map((name) => badControl('_elements', name, elementHint(name, known)))
  },
  _include: (query, value, context, name) => include(query, query.includes, name, value, context),
  _revinclude: (query, value, context, name) => include(query, query.revincludes, name, value, context),
  _page: (query, value) => {
    query.page = value
    return []
  },
  // Contained resources are never matches of their own, which is what `false` asks for.
  _contained: (query, value) => {
    if (value !== 'false') return [badControl('_contained', value, 'false')]
    query.applied.set('_contained', value)
    return []
  },
  _format: () => [],
  _pretty: () => [],
}

/** Throws OutcomeError parameter-unknown and parameter-invalid with every fault of the query. */
export function parseQuery(context: QueryContext, params: URLSearchParams): SearchQuery {
  const query: SearchQuery = {
    criteria: [], count: countDefault, total: null, sort: defaultSort(), includes: [], revincludes: [], elements: null, summary: 'false', page: null,
    applied: new URLSearchParams(), warnings: [],
  }
  const issues: Issue[] = []
  let number = 0
  for (const [name, value] of params) {
    // Source: FHIR R4 3.1.1.2, empty parameters are no error; names that there are not stay one. Conditions of writes refuse them before they come here.
    if (value === '') {
      if (!isParameter(context, name)) issues.push(unknownParameter(context, name, null))
      continue
    }
    if (++number > parametersMax) {
      issues.push(issue('parameter-invalid', { zh: `参数超过 ${parametersMax} 个。`, en: `There are more than ${parametersMax} parameters.` }))
      break
    }
    issues.push(...readParameter(query, name, value, context))
  }
  if (issues.length > 0 && !context.lenient) throw new OutcomeError(issues)
  query.warnings = issues.map((each) => ({ ...each, severity: 'warning' as const }))
  return query
}

function isParameter({ model, type }: QueryContext, name: string): boolean {
  const code = name.split(/[:.]/)[0] ?? name
  return code === '_has' || code === '_filter' || controlOf(code) !== undefined || searchableCodes(model, type).includes(code)
}

/** A name such as `constructor` is in every object. */
function controlOf(name: string): Reader | undefined {
  return Object.hasOwn(controls, name) ? controls[name] : undefined
}

function readParameter(query: SearchQuery, name: string, value: string, context: QueryContext): Issue[] {
  const control = controlOf(/^_(?:rev)?include:/.test(name) ? name.slice(0, name.indexOf(':')) : name)
  if (control) return control(query, value, context, name)
  const at = name.indexOf(':')
  const code = at < 0 ? name : name.slice(0, at)
  if (controlOf(code)) return [unknownParameter(context, name, code)]
  try {
    if (name === '_filter') {
      query.criteria.push(...filterCriteria(context, value))
      query.applied.append(name, value)
      return []
    }
    const listed = name === '_list' ? functionalList(context, value) : null
    if (listed !== null) {
      query.criteria.push(...listed)
      query.applied.append(name, value)
      return []
    }
    const criterion = isChain(name) ? readChain(context, name, value) : parameterCriterion(context, name, value)
    if (criterion === null) return [unknownParameter(context, name, null)]
    query.criteria.push(criterion)
    query.applied.append(name, value)
    return []
  } catch (error) {
    if (error instanceof OutcomeError) return [...error.issues]
    throw error
  }
}

function include(query: SearchQuery, list: Include[], name: string, value: string, context: QueryContext): Issue[] {
  const read = readInclude(context, name, value)
  if ('issue' in read) return [read.issue]
  list.push(read.include)
  query.applied.append(name, value)
  return []
}

/** Of FHIR, but not here. */
const notOffered = new Set(['_query', '_containedType'])

/** `known` is the valid parameter when only its modifier is wrong. */
function unknownParameter({ model, type, types, links }: QueryContext, name: string, known: string | null): Issue {
  const shown = name.slice(0, 64)
  if (notOffered.has(name)) {
    return issue('parameter-unknown', {
      zh: `不提供 ${shown}，请使用资源类型的搜索参数、链式参数和 _has。`, en: `${shown} is not offered. Use the parameters of the type, chains and _has.`,
    }, shown)
  }
  if (types.length > 1 && links === 0 && known === null) {
    return issue('parameter-unknown', {
      zh: `搜索的 ${types.length} 个资源类型中，${type} 没有搜索参数“${shown}”。请只用它们共有的参数，或用 _type 指明类型。`,
      en: `Of the ${types.length} types that are searched, ${type} has no search parameter "${shown}". Use parameters that all of them have, or name the types in _type.`,
    }, shown)
  }
  const bare = name.split(/[:.]/)[0] ?? name
  const hint = known ?? nearest(bare, [...searchableCodes(model, type), ...Object.keys(controls)].filter((each) => each !== name))
  return issue('parameter-unknown', {
    zh: `${type} 不支持搜索参数“${shown}”${hint ? `，最接近的是 ${hint}` : ''}。`,
    en: `${type} has no search parameter "${shown}"${hint ? `; the nearest is ${hint}` : ''}.`,
  }, shown)
}

function badControl(name: string, value: string, valid: string): Issue {
  return issue('parameter-invalid', {
    zh: `参数 ${name} 的值“${value.slice(0, 64)}”不正确，可用：${valid}。`, en: `The value "${value.slice(0, 64)}" of ${name} is not valid. Valid: ${valid}.`,
  }, name)
}
