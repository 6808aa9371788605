/**
 * `_filter`: comparisons of search parameters, joined by `and`, `or` and `not`. Each comparison is asked as the parameter with its modifiers and prefixes would be, chains and `_has` too; what
 * `and` joins at the top is as if it were given as parameters of its own. Of alternatives with few rows those are named, so that no index is walked to its end for them; `not` filters.
 * `ne` of what has no order means that there is a value and none is equal. Source: FHIR R4 search_filter.html.
 */
import { sql, type SqlBool } from 'kysely'
import type { FhirModel } from '../../fhir/model.ts'
import { fail, OutcomeError } from '../../fhir/outcome.ts'
import { isResourceType, type ResourceType } from '../../fhir/resource-types.ts'
import { sideBySideMax } from './by-date.ts'
import { isChain, readChain } from './chain.ts'
import { byCondition, byKeys, byReading, type Criterion, isOnly, type Walk } from './criterion.ts'
import { type FilterNode, type FilterOperator, readFilter } from './filter-expression.ts'
import { parameterCriterion } from './parameter.ts'
import type { QueryContext } from './parse-query.ts'
import { conditionOf, either } from './row-keys.ts'

/** Every one must hold. Throws parameter-invalid and parameter-unknown. */
export function filterCriteria(context: QueryContext, text: string): Criterion[] {
  const node = readFilter(text)
  if (!('kind' in node)) throw new OutcomeError([node])
  return criteriaOf({ ...context, filtering: true }, node)
}

function criteriaOf(context: QueryContext, node: FilterNode): Criterion[] {
  switch (node.kind) {
    case 'test': return testCriteria(context, node)
    case 'and': return node.parts.flatMap((part) => criteriaOf(context, part))
    case 'not': {
      const part = criteriaOf(context, node.part)
      // What has no value is neither less nor more, and so not what is said of it.
      return [readOnce(async (walk) => byCondition(sql<SqlBool>`(${await conditionOf(walk, context.type, part)}) is not true`))]
    }
    case 'or': {
      const alternatives = node.parts.map((part) => criteriaOf(context, part))
      return [oneKeyOf(alternatives) ?? readOnce((walk) => either(walk, context.type, alternatives))]
    }
  }
}

/** A part may be asked twice, by what stands around it, and so may that in turn. */
function readOnce(read: (walk: Walk) => Promise<Criterion>): Criterion {
  const known = new WeakMap<Walk, Promise<Criterion>>()
  return byReading((walk) => {
    const found = known.get(walk) ?? read(walk)
    known.set(walk, found)
    return found
  })
}

/** As the values between commas are; null where something else than keys is asked for. */
function oneKeyOf(alternatives: readonly (readonly Criterion[])[]): Criterion | null {
  const all = alternatives.flatMap(([only, ...more]) => (only && more.length === 0 && isOnly(only, 'anyOf') && only.allOf === undefined ? [only] : []))
  if (all.length < alternatives.length) return null
  const dated = all.flatMap((each) => each.dated ?? [])
  const byDate = all.every((each) => each.dated !== undefined) && dated.length <= sideBySideMax
  return { ...byKeys(all.flatMap(({ anyOf }) => anyOf ?? [])), ...(byDate ? { dated } : {}) }
}

type Test = Extract<FilterNode, { kind: 'test' }>

/** How a comparison is asked: with a modifier or a prefix. */
interface Question { modifier?: string; prefix?: string }

const prefixes = Object.fromEntries((['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'ap', 'sa', 'eb'] as const).map((prefix) => [prefix, [{ prefix }]])) as Partial<Record<FilterOperator, readonly Question[]>>

/** What each type of parameter offers, beside `ne` and `pr`. All questions of a comparison must hold. */
const comparisons: Readonly<Record<string, Partial<Record<FilterOperator, readonly Question[]>>>> = {
  string: { eq: [{ modifier: 'equal' }], co: [{ modifier: 'contains' }], sw: [{}], ew: [{ modifier: 'ends' }] },
  token: { eq: [{}], in: [{ modifier: 'in' }], ni: [{ modifier: 'not-in' }], ss: [{ modifier: 'below' }], sb: [{ modifier: 'above' }] },
  reference: { eq: [{}], re: [{}] },
  uri: { eq: [{}], sw: [{ modifier: 'below' }] },
  // Ranges that have something in common: neither ends before the other begins.
  date: { ...prefixes, po: [{ prefix: 'ge' }, { prefix: 'le' }] },
  number: prefixes,
  quantity: prefixes,
  composite: { eq: [{}] },
  special: { eq: [{}] },
  id: { eq: [{}], ne: [{ modifier: 'not' }] },
}

function testCriteria(context: QueryContext, test: Test): Criterion[] {
  const { operator, value } = test
  const { path, kind } = named(context, test.path)
  if (kind === null) {
    // The search says best what is wrong with a name; what it would take all the same has a modifier, which an operator stands for here.
    criterionOf(context, path, value)
    throw new OutcomeError([context.unknown(context, path)])
  }
  const questions = comparisons[kind]?.[operator]
  const presence = kind !== 'composite' && !columns.has(path)
  if (questions) return questions.map(({ modifier, prefix = '' }) => criterionOf(context, modifier === undefined ? path : `${path}:${modifier}`, `${prefix}${written(kind, value)}`))
  if (operator === 'pr' && presence && (value === 'true' || value === 'false')) return [criterionOf(context, `${path}:missing`, value === 'true' ? 'false' : 'true')]
  if (operator === 'ne' && presence) return criteriaOf(context, { kind: 'and', parts: [{ kind: 'not', part: { ...test, operator: 'eq' } }, { ...test, operator: 'pr', value: 'true' }] })
  const valid = [...Object.keys(comparisons[kind] ?? {}), ...(presence ? [...(kind in { date: 0, number: 0, quantity: 0 } ? [] : ['ne']), 'pr'] : [])]
  throw fail('parameter-invalid', {
    zh: `_filter 中的 ${path} 不能用“${operator} ${value.slice(0, 32)}”比较，可用：${valid.join('、')}（pr 的值为 true 或 false）。`,
    en: `In _filter, ${path} can't be compared by "${operator} ${value.slice(0, 32)}". Valid: ${valid.join(', ')} (pr takes true or false).`,
  }, '_filter')
}

function criterionOf(context: QueryContext, name: string, value: string): Criterion {
  const criterion = isChain(name) ? readChain(context, name, value) : parameterCriterion(context, name, value)
  if (criterion === null) throw new OutcomeError([context.unknown(context, name)])
  return criterion
}

/** Parameters that are no values of an element. */
const columns = new Map([['_id', 'id'], ['_lastUpdated', 'date'], ['_list', 'special'], ['_text', 'special'], ['_content', 'special']])

/** The path as a search names it, and the type of the parameter at its end; null when there is none. `id` is the id, as in the examples of the specification. */
function named({ model, type }: QueryContext, path: string): { path: string; kind: string | null } {
  const kind = kindAt(model, type, path)
  if (kind !== null || !/(?:^|[.:])id$/.test(path)) return { path, kind }
  return { path: path.replace(/id$/, '_id'), kind: kindAt(model, type, path.replace(/id$/, '_id')) }
}

function kindAt(model: FhirModel, type: ResourceType, path: string): string | null {
  if (path.startsWith('_has:')) {
    const [, source = '', , ...rest] = path.split(':')
    return isResourceType(source) ? kindAt(model, source, rest.join(':')) : null
  }
  const dot = path.indexOf('.')
  if (dot < 0) return columns.get(path) ?? model.searchParameters(type).get(path)?.type ?? null
  const [code = '', only] = path.slice(0, dot).split(':')
  const targets = model.searchParameters(type).get(code)?.targets ?? []
  for (const target of targets) {
    if (!isResourceType(target) || (only !== undefined && only !== target)) continue
    const kind = kindAt(model, target, path.slice(dot + 1))
    if (kind !== null) return kind
  }
  return null
}

/** A value as a parameter takes it: what would part it is escaped, but for what parts a code from its system and a number from its unit. */
function written(kind: string, value: string): string {
  if (kind === 'composite') return value.replace(/,/g, '\\,')
  return value.replace(kind === 'token' || kind === 'quantity' ? /[\\,$]/g : /[\\,$|]/g, '\\$&')
}
