/**
 * What the search needs to know of a resource, for every search parameter of its type. Pure: the writer stores the row in
 * the columns and side tables of migrations/platform/0001-records.sql, the search asks them with the same functions
 * (search/keys.ts, search/normalise.ts, fhir/date-time.ts).
 * Each type's parameters are compiled once into a list of property reads; where the values of a parameter go is
 * `SearchParam.storage`. Source: FHIR R4 3.1.1 (search), the Patient CompartmentDefinition.
 */
import { instantText, openEnd, openStart } from '../fhir/date-time.ts'
import { keyOf } from '../fhir/id.ts'
import type { FhirModel } from '../fhir/model.ts'
import { parseReference } from '../fhir/references.ts'
import { compileSearchExpression, type Branch } from '../fhir/search-expression.ts'
import type { SearchParam } from '../fhir/search-parameters.ts'
import type { TextRow } from './index-texts.ts'
import { type DatedKey, placeOfDate, withDates } from './search/by-date.ts'
import { withCodes } from './search/extract-codes.ts'
import { compositeCollectors } from './search/extract-composite.ts'
import { narrativeWords } from './search/extract-words.ts'
import { indexContained } from './search/contained.ts'
import { compartmentKey, paramKey, wordKey } from './search/keys.ts'
import { positionCollector } from './search/extract-position.ts'
import { dateCollector, valueCollector } from './search/extract-values.ts'
import { referenceCollector, tokenCollector, uriCollector } from './search/extract-keys.ts'
import { stringCollector } from './search/extract-strings.ts'

export interface StringRow { k: bigint; val: string }
/** `c`: the code it belongs to, where values are stored by code (search/coded-values.ts). */
export interface ValueRow { k: bigint; lo: number; hi: number; c?: bigint }

/** One resource's share of the index. */
export interface IndexRow {
  /** For resource.keys: hashes of tokens, references, uris and further compartments, each once. */
  keys: bigint[]
  /** keyOf(id) of the Patient whose compartment it is in; null outside any. */
  pid: string | null
  /** Earliest and latest instant of the clinical date, ISO in UTC; both null when there is none. An open period ends at `openEnd`. */
  d0: string | null
  d1: string | null
  /** For idx_string. */
  strings: StringRow[]
  /** For idx_value; dates in epoch seconds. */
  values: ValueRow[]
  /** For search_text: what some of the keys stand for. */
  texts: TextRow[]
}

/** What the collectors of one resource fill. */
export interface Sink {
  keys: Set<bigint>
  strings: StringRow[]
  values: ValueRow[]
  texts: TextRow[]
  /** Codes and references that are stored by the clinical date, each once. */
  dated: DatedKey[]
  /** Milliseconds; NaN while no date was found. */
  lo: number
  hi: number
}

/** Puts one value of a parameter into the sink. `holder[key]` is the value, for the digits of a decimal. */
export type Collect = (value: unknown, sink: Sink, holder: object, key: string, resource: object) => void

/** `present` is the key that says the parameter has a value, for `:missing`; null where rows or columns say it. */
interface Entry { branch: Branch; collect: Collect; present: bigint | null }
interface Plan { entries: readonly Entry[]; compartment: readonly Branch[] }

const plans = new WeakMap<FhirModel, Map<string, Plan>>()

export function indexResource(model: FhirModel, resource: { resourceType: string; id?: string }): IndexRow {
  const plan = planOf(model, resource.resourceType)
  const sink: Sink = { keys: new Set(), strings: [], values: [], texts: [], dated: [], lo: Number.NaN, hi: Number.NaN }
  for (const { branch, collect, present } of plan.entries) {
    branch.run(resource, (value, holder, key) => {
      if (present !== null) sink.keys.add(present)
      collect(value, sink, holder, key, resource)
    })
  }
  indexContained(model, resource, sink)
  const [pid = null, ...further] = patientKeys(plan, resource)
  for (const key of further) sink.keys.add(compartmentKey(key))
  for (const word of narrativeWords(resource)) sink.keys.add(wordKey(resource.resourceType, word))
  const dated = !Number.isNaN(sink.lo)
  const place = placeOfDate(sink.lo)
  for (const { k, c } of sink.dated) sink.values.push({ k, c, lo: place, hi: place })
  return {
    keys: [...sink.keys],
    pid,
    d0: dated ? instantText(sink.lo) : null,
    d1: dated ? instantText(sink.hi) : null,
    strings: sink.strings,
    values: sink.values,
    texts: sink.texts,
  }
}

/** Ends of open periods as they stand in d0 and d1. */
export const openD0 = instantText(openStart)
export const openD1 = instantText(openEnd)

/** Keys of all Patients whose compartment holds the resource, the subject's first; a Patient is in its own. */
function patientKeys(plan: Plan, resource: { resourceType: string; id?: string }): Set<string> {
  const keys = new Set<string>()
  if (resource.resourceType === 'Patient' && resource.id !== undefined) keys.add(keyOf(resource.id))
  for (const branch of plan.compartment) {
    branch.run(resource, (value) => {
      const reference = (value as { reference?: unknown }).reference
      if (typeof reference !== 'string') return
      const parsed = parseReference(reference)
      if (parsed.kind === 'local' && parsed.type === 'Patient') keys.add(keyOf(parsed.id))
    })
  }
  return keys
}

function planOf(model: FhirModel, type: string): Plan {
  let byType = plans.get(model)
  if (!byType) plans.set(model, byType = new Map())
  let plan = byType.get(type)
  if (!plan) byType.set(type, plan = makePlan(model, type))
  return plan
}

function makePlan(model: FhirModel, type: string): Plan {
  const structure = model.structures.get(type)
  if (!structure) throw new Error(`There is no resource type ${type} to index.`)
  const parameters = model.searchParameters(type)
  const branchesOf = (parameter: SearchParam | undefined): Branch[] =>
    parameter?.expression ? compileSearchExpression(parameter.expression, structure, model.structures) : []
  const stored = [...parameters.values()].filter((parameter) => parameter.storage !== 'none' && parameter.storedAs.includes(parameter.code))
  return {
    entries: stored.flatMap((parameter) => branchesOf(parameter).flatMap((branch) => {
      if (parameter.type === 'composite') return compositeCollectors(model, type, parameter, branch).map((collect) => ({ branch, collect, present: null }))
      const collect = withDates(type, parameter, withCodes(type, parameter, collectorOf(model, type, parameter, branch)))
      return collect ? [{ branch, collect, present: parameter.storage === 'keys' ? paramKey(type, parameter.code) : null }] : []
    })),
    compartment: model.patientCompartment(type).flatMap((code) => branchesOf(parameters.get(code)))
      .filter((branch) => branch.type === 'Reference'),
  }
}

/** The collector for one parameter and one type of value; null when that type has no meaning for the parameter. */
export function collectorOf(model: FhirModel, type: string, parameter: Pick<SearchParam, 'type' | 'code' | 'storage'>, branch: Branch): Collect | null {
  switch (parameter.type) {
    case 'token': return tokenCollector(model, type, parameter.code, branch)
    case 'reference': return referenceCollector(type, parameter.code, branch.type)
    case 'uri': return uriCollector(type, parameter.code)
    case 'string': return stringCollector(type, parameter.code, branch.type)
    case 'date': return dateCollector(type, parameter.code, branch.type, parameter.storage === 'date')
    case 'number': case 'quantity': return valueCollector(type, parameter.code, branch.type)
    case 'special': return parameter.code === 'near' ? positionCollector(type) : null
    default: return null
  }
}
