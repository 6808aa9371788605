/**
 * The search parameters of each resource type, and where the store keeps what they find. The values themselves are
 * taken out by records/index-resource.ts; both sides read `storage` here and so cannot disagree.
 * Source: FHIR R4 search-parameters; our own SearchParameter files in fhir-profiles/pujiang come on top.
 */
import type { SearchRow } from '@pujiang/fhir-profiles/extracts.ts'
import { clinicalDate } from './clinical-date.ts'
import type { Definition } from './model.ts'
import type { Structure } from './structure.ts'

/**
 * `keys`: hashes in resource.keys. `strings`: rows in idx_string. `values`: rows in idx_value (dates in epoch seconds).
 * `date`: columns d0 and d1. `pairs`: a composite whose parts, two or three, are stored together, each part as its own type is.
 * `none`: not indexed (composites that their parts answer, special ones, _id and _lastUpdated, which are columns).
 */
export type Storage = 'keys' | 'strings' | 'values' | 'date' | 'pairs' | 'none'

export interface SearchParam {
  code: string
  type: SearchRow['type']
  /** Canonical address. */
  url: string
  /** Resource types a reference may point to; empty for other kinds. */
  targets: readonly string[]
  storage: Storage
  /**
   * Codes of the parameters whose keys hold the values: its own, but for one that repeats others, such as
   * combo-value-quantity (value-quantity and component-value-quantity). A search asks for the keys of any of them.
   */
  storedAs: readonly string[]
  /** FHIRPath for this resource type alone; null when there is none to evaluate. */
  expression: string | null
  /** Its values are stored with the codes that this parameter has, so that those of one code lie together. */
  codedBy?: string
  /** Of a composite: the parameter of each part and where it starts. */
  components?: readonly { definition: string; expression: string }[]
}

/** Parameters that are the union of others; storing them again would double the rows of every observation. (phonetic is name.) */
const unions: Readonly<Record<string, readonly string[]>> = {
  'Observation.combo-code-value-concept': ['code-value-concept', 'component-code-value-concept'],
  'Observation.combo-code-value-quantity': ['code-value-quantity', 'component-code-value-quantity'],
  'Observation.combo-code': ['code', 'component-code'],
  'Observation.combo-data-absent-reason': ['data-absent-reason', 'component-data-absent-reason'],
  'Observation.combo-value-concept': ['value-concept', 'component-value-concept'],
  'Observation.combo-value-quantity': ['value-quantity', 'component-value-quantity'],
}

/** Values that are asked for within one code, because without it they mean nothing. */
const coded: Readonly<Record<string, string>> = { 'Observation.value-quantity': 'code' }

/** Whether values of a type are stored with the codes of this parameter. */
export function codesValues(type: string, code: string): boolean {
  return Object.entries(coded).some(([values, by]) => by === code && values.startsWith(`${type}.`))
}

type Mutable = Map<string, Map<string, SearchParam>>

export function searchParametersByType(
  rows: readonly SearchRow[], own: Iterable<Definition>, structures: ReadonlyMap<string, Structure>,
): Mutable {
  const resourceTypes = [...structures.values()].filter((each) => each.kind === 'resource' && !each.abstract).map((each) => each.name)
  const result: Mutable = new Map(resourceTypes.map((name) => [name, new Map()]))
  const all = [...rows, ...[...own].filter((each) => each.resourceType === 'SearchParameter').map(rowOf)]
  for (const row of all) {
    const bases = row.base.flatMap((base) => (base === 'Resource' || base === 'DomainResource' ? heirs(base, structures, resourceTypes) : [base]))
    for (const base of bases) result.get(base)?.set(row.code, searchParam(row, base, structures))
  }
  return result
}

function heirs(base: string, structures: ReadonlyMap<string, Structure>, resourceTypes: readonly string[]): string[] {
  return base === 'Resource' ? [...resourceTypes] : resourceTypes.filter((name) => structures.get(name)?.properties.has('text'))
}

function rowOf(definition: Definition): SearchRow {
  const { url, code, type, base, expression, target, component } = definition as unknown as Omit<SearchRow, 'targets' | 'components'> & {
    target?: string[]
    component?: { definition: string; expression: string }[]
  }
  return { url, code, type, base, expression: expression ?? null, ...(target ? { targets: target } : {}), ...(component ? { components: component } : {}) }
}

function searchParam(row: SearchRow, type: string, structures: ReadonlyMap<string, Structure>): SearchParam {
  const expression = row.expression ? expressionFor(row.expression, type, structures) : null
  return {
    code: row.code,
    type: row.type,
    url: row.url,
    targets: targetsOf(row, expression),
    storage: storageOf(row, type, expression),
    storedAs: unions[`${type}.${row.code}`] ?? (row.code === 'phonetic' ? ['name'] : [row.code]),
    expression,
    ...(coded[`${type}.${row.code}`] === undefined ? {} : { codedBy: coded[`${type}.${row.code}`] as string }),
    ...(row.components ? { components: componentsOf(row) } : {}),
  }
}

/** The branches of a shared expression that start at this type; `Resource.meta` and bare paths fit every type. */
function expressionFor(expression: string, type: string, structures: ReadonlyMap<string, Structure>): string | null {
  const branches = expression.split('|').map((branch) => branch.trim()).filter((branch) => {
    const head = /^[( ]*(\w+)/.exec(branch)?.[1] ?? ''
    return head === type || head === 'Resource' || head === 'DomainResource' || !structures.has(head)
  })
  return branches.length ? branches.join(' | ') : null
}

/** R4 exchanges the definitions of the two parts of DocumentReference's `relationship`. */
function componentsOf({ url, components = [] }: SearchRow): NonNullable<SearchRow['components']> {
  const [code, target] = components
  if (!url.endsWith('/DocumentReference-relationship') || !code || !target) return components
  return [{ ...code, definition: target.definition }, { ...target, definition: code.definition }]
}

/** `where(resolve() is T)` says more than the list of targets, which several types share. */
function targetsOf(row: SearchRow, expression: string | null): readonly string[] {
  if (row.type !== 'reference') return []
  const only = [...(expression ?? '').matchAll(/resolve\(\) is (\w+)/g)].map((match) => match[1] as string)
  return only.length ? [...new Set(only)] : row.targets ?? []
}

function storageOf(row: SearchRow, type: string, expression: string | null): Storage {
  if (!expression || row.code === '_id' || row.code === '_lastUpdated') return 'none'
  switch (row.type) {
    case 'token': case 'reference': case 'uri': return 'keys'
    case 'string': return 'strings'
    case 'number': case 'quantity': return 'values'
    case 'date': return clinicalDate(type) === row.code ? 'date' : 'values'
    case 'composite': return (row.components?.length ?? 0) > 1 && expression !== type ? 'pairs' : 'none'
    case 'special': return row.code === 'near' ? 'values' : 'none'
    default: return 'none'
  }
}
