/**
 * What a kick-off of a Bulk Data export asks for: its parameters, read from a query or a Parameters resource, checked and completed.
 * Under lenient handling what is not understood is left out and becomes an OperationOutcome of the manifest, but never what
 * narrows the export: without it more would be disclosed than was asked for.
 * Source: HL7 Bulk Data Access IG 2.0, § Bulk Data Kick-off Request.
 */
import { assertMayAsk } from '../../access/may-ask.ts'
import { scopeGrants } from '../../access/scopes.ts'
import type { Ctx } from '../../ctx.ts'
import { instantText, timeRange } from '../../fhir/date-time.ts'
import { nearest } from '../../fhir/nearest.ts'
import { type Issue, issue, OutcomeError } from '../../fhir/outcome.ts'
import { parseReference } from '../../fhir/references.ts'
import type { ResourceType } from '../../fhir/resource-types.ts'
import { parameterList } from '../operation-parameters.ts'
import { parseQuery, queryContext } from '../search/parse-query.ts'
import type { OperationCall, Store } from '../store.ts'

export type ExportLevel = 'system' | 'patient' | 'group'

export interface ExportRequest {
  level: ExportLevel
  /** Address of /fhir. */
  base: string
  types: ResourceType[]
  /** Only what changed after this instant; null for all. */
  since: string | null
  /** Searches of a type, one of which must fit. */
  filters: Partial<Record<ResourceType, string[]>>
  /** Elements to keep, by type or for all types (`*`). */
  elements: Record<string, string[]>
  /** Only these patients, by id; null for all that the level has. */
  patients: string[] | null
  /** What lenient handling left out. */
  warnings: Issue[]
}

/** Where an export is. `rows`: type by type, or batch by batch of the members. Then what they refer to, then what was deleted. */
export type ExportPosition =
  | { phase: 'rows'; part: number; after: { t: number; id: string } | null }
  | { phase: 'referenced' }
  | { phase: 'deleted'; after: { at: string; t: number; id: string } | null }

/** Directory types that come with an export of patients as far as its rows refer to them. */
export const referencedTypes: readonly ResourceType[] = ['Practitioner', 'PractitionerRole', 'Organization', 'Location', 'HealthcareService', 'Medication', 'Device']

/** A type that is all of one export's business: stored, and of patients, or referred to by what is, where the level says so. */
export function exportableTypes(store: Store, level: ExportLevel): ResourceType[] {
  return [...store.entries.values()].filter(({ type, projection }) => projection === null
    && (level === 'system' || type === 'Patient' || store.model.patientCompartment(type).length > 0 || referencedTypes.includes(type))).map((entry) => entry.type)
}

const narrowing: ReadonlySet<string> = new Set(['_type', '_typeFilter', '_since', 'patient'])

interface Given { name: string; value: string; posted: boolean }

const formats = new Set(['application/fhir+ndjson', 'application/ndjson', 'ndjson'])

/** Throws OutcomeError parameter-unknown, parameter-invalid, structure, and forbidden for a type the caller may not read. */
export function readExportRequest(call: OperationCall, level: ExportLevel): ExportRequest {
  const { ctx, store, base } = call
  const issues: Issue[] = []
  const possible = exportableTypes(store, level)
  const request: ExportRequest = { level, base, types: [], since: null, filters: {}, elements: {}, patients: null, warnings: [] }
  const context: Reading = { request, ctx, store, possible, named: [] }
  for (const { name, value, posted } of given(call)) {
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined
    if (name === 'patient' && !posted) issues.push(inBodyOnly())
    else if (reader) issues.push(...reader(context, value))
    else if (name !== '_format' && name !== '_pretty') issues.push(unknown(name))
  }
  issues.push(...filtersOutside(context))
  const refused = call.lenient ? issues.filter((each) => narrowing.has(each.expression ?? '')) : issues
  if (refused.length > 0) throw new OutcomeError(refused)
  request.warnings = issues.map((each) => ({ ...each, severity: 'warning' as const }))
  for (const type of context.named) assertMayAsk(ctx, type, 'r')
  // What comes with patients unasked comes only within the scopes, also what anybody may read.
  request.types = context.named.length > 0 ? possible.filter((type) => context.named.includes(type)) : possible.filter((type) => mayAsk(ctx, type) && (level === 'system' || !referencedTypes.includes(type) || scopeGrants(ctx.principal.scopes, type, 'r')))
  return request
}

function mayAsk(ctx: Ctx, type: ResourceType): boolean {
  try {
    assertMayAsk(ctx, type, 'r')
    return true
  } catch (error) {
    if (error instanceof OutcomeError) return false
    throw error
  }
}

interface Reading { request: ExportRequest; ctx: Ctx; store: Store; possible: readonly ResourceType[]; named: ResourceType[] }

const readers: Readonly<Record<string, (reading: Reading, value: string) => Issue[]>> = {
  _outputFormat: (_, value) => (formats.has(value.replace(' ', '+')) ? [] : [invalid('_outputFormat', value, [...formats].join(', '))]),
  _since: ({ request }, value) => {
    const range = timeRange(value.replace(' ', '+'))
    if (!range) return [invalid('_since', value, '2026-01-01T00:00:00+08:00')]
    request.since = instantText(range.lo)
    return []
  },
  _type: ({ possible, named }, value) => listOf(value).flatMap((name) => {
    const type = possible.find((each) => each === name)
    if (!type) return [invalid('_type', name, nearest(name, possible) ?? possible.slice(0, 5).join(', '))]
    if (!named.includes(type)) named.push(type)
    return []
  }),
  // A comma also stands inside a search, so a list is cut only before the next `Type?`.
  _typeFilter: (reading, value) => value.split(/,(?=[A-Z][A-Za-z]*\?)/).flatMap((each) => readFilter(reading, each)),
  _elements: ({ request, store, possible }, value) => listOf(value).flatMap((each) => {
    const [name = '', type = '*'] = each.split('.').reverse()
    const ofType = type === '*' ? possible : possible.filter((known) => known === type)
    if (ofType.some((known) => store.model.structures.get(known)?.elements.some((element) => element.name.replace('[x]', '') === name)) && each.split('.').length <= 2) {
      request.elements[type] = [...request.elements[type] ?? [], name]
      return []
    }
    return [invalid('_elements', each, 'name, Patient.name')]
  }),
  patient: ({ request }, value) => {
    const target = parseReference(value.startsWith(`${request.base}/`) ? value.slice(request.base.length + 1) : value)
    if (request.level === 'system' || target.kind !== 'local' || target.type !== 'Patient') return [invalid('patient', value, request.level === 'system' ? '–' : 'Patient/id')]
    request.patients = [...request.patients ?? [], target.id]
    return []
  },
  includeAssociatedData: (_, value) => [issue('parameter-invalid', {
    zh: `不提供 includeAssociatedData（${value.slice(0, 64)}）。请用 _type 列出要导出的类型，例如 Provenance。`,
    en: `includeAssociatedData (${value.slice(0, 64)}) is not offered. Name the types to export in _type, such as Provenance.`,
  }, 'includeAssociatedData')],
}

/** Parameters that say how a page looks have no meaning in a file. */
const controls = ['_count', '_sort', '_page', '_total', '_summary', '_elements', '_include', '_revinclude', '_format', '_pretty']

function readFilter({ request, ctx, store, possible }: Reading, filter: string): Issue[] {
  const at = filter.indexOf('?')
  const type = possible.find((each) => each === filter.slice(0, at))
  if (at < 0 || !type) return [invalid('_typeFilter', filter, 'Observation?code=http://loinc.org|8867-4')]
  const query = new URLSearchParams(filter.slice(at + 1))
  const control = [...query.keys()].find((name) => controls.includes(name.split(':')[0] ?? name))
  // A search ignores what has no value; here that would export more than was asked for.
  const empty = [...query.values()].some((value) => value.trim() === '')
  if (control !== undefined || query.size === 0 || empty) return [invalid('_typeFilter', filter, `${type}?${[...store.model.searchParameters(type).keys()][0]}=…`)]
  try {
    parseQuery(queryContext({ type, types: [type], ctx, base: request.base, lenient: false }, store), query)
  } catch (error) {
    if (error instanceof OutcomeError) return error.issues.map((each) => ({ ...each, expression: '_typeFilter' }))
    throw error
  }
  request.filters[type] = [...request.filters[type] ?? [], filter.slice(at + 1)]
  return []
}

/** A filter of a type that is not exported would silently do nothing. */
function filtersOutside({ request, named }: Reading): Issue[] {
  if (named.length === 0) return []
  return Object.keys(request.filters).filter((type) => !named.some((each) => each === type)).map((type) => invalid('_typeFilter', `${type}?…`, named.join(', ')))
}

/** Names and values in the order given; a list of patients is a parameter of the body only. */
function given({ query, body }: OperationCall): Given[] {
  const posted = parameterList(body).map((each): Given => {
    const key = Object.keys(each).find((name) => name.startsWith('value'))
    const value = key === undefined ? undefined : each[key]
    const text = key === 'valueReference' ? (value as { reference?: unknown } | null)?.reference : value
    if (typeof each.name !== 'string' || (typeof text !== 'string' && typeof text !== 'number' && typeof text !== 'boolean')) {
      throw new OutcomeError([issue('structure', { zh: '每个参数要有 name 和值。', en: 'Every parameter needs a name and a value.' }, 'Parameters.parameter')])
    }
    return { name: each.name, value: String(text), posted: true }
  })
  return [...[...query].map(([name, value]) => ({ name, value, posted: false })), ...posted]
}

function listOf(value: string): string[] {
  return value.split(',').map((each) => each.trim()).filter((each) => each !== '')
}

/** An address is written into logs; whose records are wanted is not for them. */
function inBodyOnly(): Issue {
  return issue('parameter-invalid', { zh: '参数 patient 只能在 POST 的 Parameters 中给出。', en: 'The parameter patient is taken from the Parameters of a POST only.' }, 'patient')
}

function unknown(name: string): Issue {
  const shown = name.slice(0, 64)
  const hint = nearest(name, Object.keys(readers)) ?? Object.keys(readers).join(', ')
  return issue('parameter-unknown', { zh: `$export 没有参数“${shown}”，可用：${hint}。`, en: `$export has no parameter "${shown}". Valid: ${hint}.` }, shown)
}

function invalid(name: string, value: string, valid: string): Issue {
  const shown = value.slice(0, 100)
  return issue('parameter-invalid', {
    zh: `参数 ${name} 的值“${shown}”不正确，可用：${valid}。`, en: `The value "${shown}" of ${name} is not valid. Valid: ${valid}.`,
  }, name)
}
