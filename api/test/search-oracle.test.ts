/**
 * Random searches find what a plain evaluator finds: for every query the ids from SQL equal those of a loop over the resources in
 * memory. Values are taken out by another FHIRPath engine and compared by code written for this test, so that index and search cannot be
 * wrong alike. Data: random resources of the types that vary most, one full resource of every type, and real bundles where at hand.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { evalFhirPathTyped, indexStructureDefinitionBundle, parseFhirPath, toTypedValue } from '@medplum/core'
import type { Bundle, Resource, StructureDefinition } from '@medplum/fhirtypes'
import { readSource } from '@pujiang/fhir-profiles/source.ts'
import { beforeAll, expect, test } from 'vitest'
import { anonymous } from '../src/access/principal.ts'
import { makeCtx } from '../src/ctx.ts'
import { openEnd, openStart, timeRange } from '../src/fhir/date-time.ts'
import { loadModel } from '../src/fhir/model.ts'
import { isResourceType, type ResourceType } from '../src/fhir/resource-types.ts'
import type { SearchParam } from '../src/fhir/search-parameters.ts'
import { bulkLoad } from '../src/records/bulk-load.ts'
import { reindexChanged } from '../src/records/reindex.ts'
import { normaliseString, pinyinForms } from '../src/records/search/normalise.ts'
import { search } from '../src/records/search/search.ts'
import { connect } from '../src/storage/pool.ts'
import { fullResources } from './support/full-resource.ts'
import { testPlatform } from './support/platform.ts'
import { randomResources, seededRandom } from './support/random-resources.ts'

const { db, url, services, clock } = await testPlatform()
const model = loadModel()
const { UcumLhcUtils } = createRequire(import.meta.url)('@lhncbc/ucum-lhc') as { UcumLhcUtils: { getInstance(): { convertUnitTo(from: string, value: number, to: string): { toVal: number | null } } } }
const units = UcumLhcUtils.getInstance()
const realData = join(import.meta.dirname, '../../../shared/data/synthea-r4')
const seed = Number(process.env.TEST_SEED ?? 20261123)
const random = seededRandom(seed)
const byType = new Map<ResourceType, Resource[]>()
const ctx = makeCtx({ ...anonymous, kind: 'client', id: 'oracle', name: 'Oracle', scopes: ['system/*.cruds'] }, { now: clock.now })

const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T

beforeAll(async () => {
  for (const name of ['profiles-types.json', 'profiles-resources.json']) indexStructureDefinitionBundle(readSource(name) as Bundle<StructureDefinition>)
  const resources: Resource[] = [...randomResources(random, 60)]
  for (const [type, structure] of model.structures) {
    if (structure.kind !== 'resource' || structure.abstract || !isResourceType(type) || services.store.entries.get(type)?.projection !== null) continue
    fullResources(model, type).forEach((each, index) => resources.push({ ...each, id: `full-${index}` } as unknown as Resource))
  }
  if (existsSync(realData)) {
    const file = readdirSync(realData).filter((name) => name.endsWith('.json.gz')).sort()[0] ?? ''
    const bundle = JSON.parse(gunzipSync(readFileSync(join(realData, file))).toString()) as Bundle
    for (const { resource, fullUrl } of bundle.entry ?? []) if (resource) resources.push({ ...resource, id: resource.id ?? (fullUrl ?? '').replace('urn:uuid:', '') } as Resource)
  }
  for (const resource of resources) {
    const type = resource.resourceType as ResourceType
    byType.set(type, [...byType.get(type) ?? [], resource])
  }
  // Notes the types as indexed by the parameters of today, so that values are searched for within their codes.
  await reindexChanged(db, ctx, services.store)
  const sql = connect(url, { max: 4 })
  await bulkLoad(sql, services.store, resources, clock.now)
  await sql.end()
}, 120_000)

/** What a resource has under a parameter. */
interface Held { tokens: { system: string | null; code: string }[]; strings: string[]; ranges: { lo: number; hi: number; unit: string | null; system: string | null; text: string | null }[]; references: string[]; uris: string[]; present: boolean }

const atoms = new Map<string, ReturnType<typeof parseFhirPath>>()
const kept = new WeakMap<Resource, Map<string, Held>>()

function held(resource: Resource, param: SearchParam): Held {
  let known = kept.get(resource)
  if (!known) kept.set(resource, known = new Map())
  let result = known.get(param.code)
  if (!result) known.set(param.code, result = read(resource, param))
  return result
}

function read(resource: Resource, param: SearchParam): Held {
  const expression = (param.expression ?? '').replaceAll(/\bResource\./g, `${resource.resourceType}.`)
  let atom = atoms.get(expression)
  if (!atom) atoms.set(expression, atom = parseFhirPath(expression))
  const found: Held = { tokens: [], strings: [], ranges: [], references: [], uris: [], present: false }
  for (const value of evalFhirPathTyped(atom, [toTypedValue(resource)])) add(found, value, param)
  if (param.storage === 'date' && found.ranges.length > 1) {
    found.ranges = [{ lo: Math.min(...found.ranges.map((each) => each.lo)), hi: Math.max(...found.ranges.map((each) => each.hi)), unit: null, system: null, text: null }]
  }
  return found
}

// biome-ignore lint/suspicious/noExplicitAny: values of every FHIR type.
function add(found: Held, { value, type }: { value: any; type: string }, param: SearchParam): void {
  found.present = true
  switch (param.type) {
    case 'token':
      if (type === 'CodeableConcept') for (const each of value.coding ?? []) token(found, each.system, each.code)
      else if (type === 'Coding') token(found, value.system, value.code)
      else if (type === 'Identifier' || type === 'ContactPoint') token(found, value.system, value.value)
      else token(found, type === 'code' ? undefined : null, String(value))
      return
    case 'reference':
      if (typeof value === 'string') found.references.push(value)
      else if (typeof value.reference === 'string') found.references.push(value.reference.replace(/\/_history\/.*/, ''))
      return
    case 'uri': found.uris.push(String(value)); return
    case 'string': strings(found, value, type, param); return
    case 'date': {
      const range = dateRange(value)
      if (range) found.ranges.push({ ...range, unit: null, system: null, text: null })
      return
    }
    default: number(found, value)
  }
}

function token(found: Held, system: string | null | undefined, code: string | undefined): void {
  if (code !== undefined) found.tokens.push({ system: system ?? null, code })
}

// biome-ignore lint/suspicious/noExplicitAny: as above.
function strings(found: Held, value: any, type: string, param: SearchParam): void {
  const name = type === 'HumanName' || ['name', 'family', 'given'].includes(param.code)
  const whole = type !== 'HumanName' ? [] : wholeNames(value)
  const parts: unknown[] = typeof value === 'string' ? [value] : [value.text, value.family, ...value.given ?? [], ...value.line ?? [], value.city, value.district, value.state, value.postalCode, value.country, ...whole]
  for (const part of parts) {
    if (typeof part !== 'string' || part === '') continue
    found.strings.push(normaliseString(part))
    if (name && (type !== 'HumanName' || whole.includes(part))) found.strings.push(...pinyinForms(part, type === 'HumanName' || param.code === 'family'))
  }
}

/** Chinese is written without a space, family first; another name is put together only where no text has it. */
function wholeNames({ text, family = '', given = [] }: { text?: string; family?: string; given?: string[] }): string[] {
  const chinese = /\p{Script=Han}/u.test(family + given.join(''))
  return [...(text ? [text] : []), ...(chinese ? [family + given.join('')] : text ? [] : [[...given, family].join(' ').trim()])]
}

// biome-ignore lint/suspicious/noExplicitAny: as above.
function dateRange(value: any): { lo: number; hi: number } | null {
  if (typeof value === 'string') return timeRange(value)
  const events = (value.event ?? []).map((each: string) => timeRange(each))
  const period = value.repeat?.boundsPeriod ?? (value.start !== undefined || value.end !== undefined ? value : null)
  if (period) {
    const lo = period.start ? (timeRange(period.start)?.lo ?? openStart) : openStart
    const hi = period.end ? (timeRange(period.end)?.hi ?? openEnd) : openEnd
    events.push(lo <= hi ? { lo, hi } : { lo: hi, hi: lo })
  }
  return events.length === 0 ? null : { lo: Math.min(...events.map((each: { lo: number }) => each.lo)), hi: Math.max(...events.map((each: { hi: number }) => each.hi)) }
}

// biome-ignore lint/suspicious/noExplicitAny: as above.
function number(found: Held, value: any): void {
  if (value.low !== undefined || value.high !== undefined) {
    const [low, high] = [value.low, value.high].map((end) => {
      const inner: Held = { tokens: [], strings: [], ranges: [], references: [], uris: [], present: true }
      if (end) number(inner, end)
      return inner.ranges[0]
    })
    if (low || high) found.ranges.push({ lo: low?.lo ?? -Number.MAX_VALUE, hi: high?.hi ?? Number.MAX_VALUE, unit: (low ?? high)?.unit ?? null, system: (low ?? high)?.system ?? null, text: null })
    return
  }
  const amount = typeof value === 'object' ? value.value : value
  if (amount === undefined) return
  const open = value.comparator as string | undefined
  found.ranges.push({
    lo: open?.startsWith('<') ? -Number.MAX_VALUE : Number(amount), hi: open?.startsWith('>') ? Number.MAX_VALUE : Number(amount),
    system: value.currency ? 'urn:iso:std:iso:4217' : value.system ?? null, unit: value.currency ?? value.code ?? null, text: value.unit ?? null,
  })
}

type Match = (resource: Resource) => boolean
interface Clause { name: string; value: string; match: Match }

/** A random condition by a parameter, with a value that some resource has or nearly has. */
function clause(type: ResourceType, resources: readonly Resource[]): Clause | null {
  const params = [...model.searchParameters(type).values()].filter((each) => ['keys', 'strings', 'values', 'date'].includes(each.storage)
    && each.storedAs.includes(each.code) && each.expression && each.type !== 'special' && each.code !== 'phonetic')
  const param = pick(params)
  const example = held(pick(resources), param)
  if (!example.present || random() < 0.05) {
    const missing = random() < 0.5
    return indexed(param) ? { name: `${param.code}:missing`, value: String(missing), match: (each) => known(held(each, param), param) !== missing } : null
  }
  switch (param.type) {
    case 'token': return tokenClause(param, example)
    case 'string': return stringClause(param, example)
    case 'reference': return referenceClause(param, example)
    case 'uri': return uriClause(param, example)
    case 'date': return dateClause(param, example)
    case 'number': case 'quantity': return numberClause(param, example)
    default: return null
  }
}

/** Where presence is told by rows, a value that makes no row is none. */
function known(each: Held, param: SearchParam): boolean {
  if (param.storage === 'keys') return each.present
  return param.storage === 'strings' ? each.strings.length > 0 : each.ranges.length > 0
}

/** The other engine does not know the type of what another server's address points to; we read it off the address. */
function indexed(param: SearchParam): boolean {
  return param.type !== 'quantity' && !param.expression?.includes('resolve()')
}

function escape(text: string): string {
  return text.replace(/[\\,$|]/g, '\\$&')
}

function tokenClause(param: SearchParam, example: Held): Clause | null {
  if (example.tokens.length === 0) return null
  const { system, code } = pick(example.tokens)
  const withSystem = system !== null && random() < 0.5
  const not = random() < 0.2
  const fits: Match = (each) => held(each, param).tokens.some((one) => one.code === code && (!withSystem || one.system === system))
  return { name: not ? `${param.code}:not` : param.code, value: withSystem ? `${escape(system)}|${escape(code)}` : escape(code), match: (each) => fits(each) !== not }
}

function stringClause(param: SearchParam, example: Held): Clause | null {
  const text = pick(example.strings.filter((each) => each !== ''))
  if (!text) return null
  const characters = [...text]
  const contains = random() < 0.3
  const from = contains ? Math.floor(random() * characters.length) : 0
  const piece = normaliseString(characters.slice(from, from + 1 + Math.floor(random() * 6)).join(''))
  if (piece === '') return null
  return {
    name: contains ? `${param.code}:contains` : param.code, value: escape(piece),
    match: (each) => held(each, param).strings.some((one) => (contains ? one.includes(piece) : one.startsWith(piece))),
  }
}

function referenceClause(param: SearchParam, example: Held): Clause | null {
  const reference = pick(example.references)
  if (!reference || !/^[A-Z]\w+\/[A-Za-z0-9\-.]{1,64}$/.test(reference) || !isResourceType(reference.split('/')[0] ?? '')) return null
  const [type = '', id = ''] = reference.split('/')
  const typed = random() < 0.3
  return { name: typed ? `${param.code}:${type}` : param.code, value: typed ? id : reference, match: (each) => held(each, param).references.includes(reference) }
}

function uriClause(param: SearchParam, example: Held): Clause | null {
  const uri = pick(example.uris)
  if (!uri) return null
  if (random() < 0.5) return { name: param.code, value: escape(uri), match: (each) => held(each, param).uris.some((one) => one === uri || one.split('|')[0] === uri) }
  const prefix = uri.slice(0, 3 + Math.floor(random() * uri.length))
  return { name: `${param.code}:below`, value: escape(prefix), match: (each) => held(each, param).uris.some((one) => one.startsWith(prefix) && !one.startsWith('urn:')) }
}

const prefixes = ['', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap']

function dateClause(param: SearchParam, example: Held): Clause | null {
  const { lo } = pick(example.ranges) ?? { lo: Number.NaN }
  if (Number.isNaN(lo) || lo <= openStart + 1e12) return null
  const instant = new Date(lo + 8 * 3_600_000 + Math.floor((random() - 0.5) * pick([0, 1, 1e3, 1e8, 1e10])))
  const iso = instant.toISOString()
  const text = pick([iso.slice(0, 4), iso.slice(0, 7), iso.slice(0, 10), `${iso.slice(0, 16)}+08:00`, `${iso.slice(0, 19)}+08:00`, new Date(instant.getTime() - 8 * 3_600_000).toISOString()])
  const asked = timeRange(text)
  if (!asked) return null
  const prefix = pick(prefixes)
  return { name: param.code, value: prefix + text, match: (each) => held(each, param).ranges.some((one) => compares(prefix, one, prefix === 'ap' ? around(asked) : asked)) }
}

function around({ lo, hi }: { lo: number; hi: number }): { lo: number; hi: number } {
  const tenth = Math.abs(clock.now.getTime() - (lo + hi) / 2) / 10
  return { lo: Math.max(openStart, lo - tenth), hi: Math.min(openEnd, hi + tenth) }
}

/** FHIR R4 3.1.1.4.5: how the stored range lies to the asked one. */
function compares(prefix: string, stored: { lo: number; hi: number }, asked: { lo: number; hi: number }): boolean {
  const inside = stored.lo >= asked.lo && stored.hi <= asked.hi
  switch (prefix) {
    case 'ne': return !inside
    case 'gt': return stored.hi > asked.hi
    case 'lt': return stored.lo < asked.lo
    case 'ge': return stored.hi > asked.hi || inside || (stored.lo >= asked.lo)
    case 'le': return stored.lo < asked.lo || inside
    case 'sa': return stored.lo > asked.hi
    case 'eb': return stored.hi < asked.lo
    case 'ap': return stored.lo <= asked.hi && stored.hi >= asked.lo
    default: return inside
  }
}

const otherUnits: Readonly<Record<string, string>> = { mg: 'g', g: 'mg', 'mmol/L': 'umol/L', 'umol/L': 'mmol/L' }

function numberClause(param: SearchParam, example: Held): Clause | null {
  const given = pick(example.ranges)
  if (!given || Math.abs(given.lo) > 1e15 || Math.abs(given.hi) > 1e15) return null
  // The same amount, now and then in another unit of its kind.
  const other = given.system === 'http://unitsofmeasure.org' && random() < 0.5 ? otherUnits[given.unit ?? ''] : undefined
  const range = { ...given, ...(other === undefined ? {} : { unit: other, ...(inUnit(given, { ...given, unit: other }) ?? given) }) }
  const value = Number((((range.lo + range.hi) / 2) + pick([0, 0, 0.5, -1])).toFixed(other === undefined ? pick([0, 1, 2]) : 6))
  const text = String(value)
  const prefix = pick(prefixes)
  const half = 0.5 * 10 ** -((text.split('.')[1] ?? '').length)
  const withUnit = param.type === 'quantity' && range.unit !== null && range.system !== null && random() < 0.5
  // What two ways of converting a unit differ by; real measurements stand closer to one another than a billionth.
  const near = 1e-12 * Math.max(1, Math.abs(value))
  return {
    name: param.code, value: prefix + text + (withUnit ? `|${escape(range.system ?? '')}|${escape(range.unit ?? '')}` : ''),
    match: (each) => held(each, param).ranges.some((stored) => {
      const one = withUnit ? inUnit(stored, range) : stored
      if (one === null) return false
      switch (prefix) {
        case 'gt': return one.hi > value + near
        case 'ge': return one.hi >= value - near
        case 'lt': return one.lo < value - near
        case 'le': return one.lo <= value + near
        case 'sa': return one.lo > value + near
        case 'eb': return one.hi < value - near
        case 'ap': return one.lo <= value + Math.abs(value) / 10 + near && one.hi >= value - Math.abs(value) / 10 - near
        // FHIR R4 3.1.1.4.9: 100 is [99.5, 100.5).
        case 'ne': return one.lo < value - half - near || one.hi >= value + half - near
        default: return one.lo >= value - half - near && one.hi < value + half - near
      }
    }),
  }
}

interface Measured { lo: number; hi: number; unit: string | null; system: string | null }

/** A range in the unit of another; null when it does not convert. */
function inUnit(one: Measured, asked: Measured): { lo: number; hi: number } | null {
  if (one.system !== asked.system) return null
  if (one.unit === asked.unit) return one
  if (one.system !== 'http://unitsofmeasure.org' || one.unit === null || asked.unit === null) return null
  // What a score or a percentage counts can't be told from its unit, so it stays as it is.
  if (/[{%]/.test(one.unit + asked.unit)) return null
  const [lo, hi] = [one.lo, one.hi].map((value) => (Math.abs(value) === Number.MAX_VALUE ? value : units.convertUnitTo(one.unit ?? '', value, asked.unit ?? '').toVal))
  return typeof lo === 'number' && typeof hi === 'number' ? { lo, hi } : null
}

async function find(type: ResourceType, params: URLSearchParams): Promise<string[]> {
  const ids: string[] = []
  const result = await search(db, ctx, services.store, type, params)
  ids.push(...result.matches.map((each) => each.id))
  return ids.sort()
}

async function compare(rounds: number, types: readonly ResourceType[]): Promise<{ asked: number; found: number; wrong: string[] }> {
  const wrong: string[] = []
  let asked = 0
  let found = 0
  for (let round = 0; round < rounds; round++) {
    const type = pick(types)
    const resources = byType.get(type) ?? []
    const clauses: Clause[] = []
    for (let number = 1 + Math.floor(random() * 2.5); number > 0; number--) {
      const each = clause(type, resources)
      // Two values between commas are alternatives.
      const other = each && random() < 0.2 && !each.name.includes(':') ? clause(type, resources) : null
      if (each && other && other.name === each.name) clauses.push({ name: each.name, value: `${each.value},${other.value}`, match: (resource) => each.match(resource) || other.match(resource) })
      else if (each) clauses.push(each)
    }
    if (clauses.length === 0) continue
    const params = new URLSearchParams([...clauses.map((each): [string, string] => [each.name, each.value]), ['_count', '1000']])
    const expected = resources.filter((resource) => clauses.every((each) => each.match(resource))).map((each) => each.id ?? '').sort()
    const got = await find(type, params).catch((error: unknown) => [`failed: ${(error as Error).message}`])
    asked++
    if (expected.length > 0 && expected.length < resources.length) found++
    if (got.join() !== expected.join() && wrong.length < 15) wrong.push(`${type}?${decodeURIComponent(params.toString())}\n  sql    ${got.slice(0, 8).join()} (${got.length})\n  memory ${expected.slice(0, 8).join()} (${expected.length})`)
  }
  return { asked, found, wrong }
}

test('random searches of the types that vary most', async () => {
  const result = await compare(2_500, ['Patient', 'Observation', 'Encounter', 'Condition', 'MedicationRequest', 'ValueSet'])
  expect(result.wrong, `seed ${seed}`).toEqual([])
  expect(result.found).toBeGreaterThan(result.asked / 4)
}, 240_000)

test('random searches of every type', async () => {
  const result = await compare(2_000, [...byType.keys()])
  expect(result.wrong, `seed ${seed}`).toEqual([])
  expect(result.asked).toBeGreaterThan(1_000)
}, 240_000)


/** What a resource is sorted by: the least value, of numbers and dates the greatest when descending; null when it has none. */
function sortValue(each: Held, param: SearchParam, descending: boolean): string | number | null {
  if (param.type === 'token' || param.type === 'string') {
    const texts = (param.type === 'token' ? each.tokens.map((one) => one.code) : each.strings).filter((one) => one !== '')
    return texts.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))[0] ?? null
  }
  const numbers = each.ranges.map((one) => one.lo)
  if (numbers.length === 0) return null
  return descending && param.storage !== 'date' ? Math.max(...numbers) : Math.min(...numbers)
}

function inOrder(one: string | number | null, next: string | number | null, descending: boolean, missingFirst: boolean): boolean {
  if (one === null || next === null) return one === next || (missingFirst ? one === null : next === null)
  const compared = typeof one === 'number' && typeof next === 'number' ? one - next : Buffer.compare(Buffer.from(String(one)), Buffer.from(String(next)))
  const slack = typeof one === 'number' ? 1e-9 * Math.max(1, Math.abs(one)) : 0
  return descending ? compared >= -slack : compared <= slack
}

test('random orders, page by page: every resource once, in order, what has no value at its end', async () => {
  const wrong: string[] = []
  for (let round = 0; round < 60; round++) {
    const type = pick(['Patient', 'Observation', 'Encounter', 'Condition', 'MedicationRequest'] as const)
    const resources = new Map((byType.get(type) ?? []).map((each) => [each.id ?? '', each]))
    const param = pick([...model.searchParameters(type).values()].filter((each) => ['string', 'date', 'number', 'quantity', 'token'].includes(each.type)
      && !['none', 'pairs'].includes(each.storage) && each.storedAs.includes(each.code) && each.expression && !['identifier', 'email', 'phone', 'telecom', 'phonetic', '_id'].includes(each.code)))
    const descending = random() < 0.5
    const seen: string[] = []
    for (let query: URLSearchParams | null = new URLSearchParams([['_sort', (descending ? '-' : '') + param.code], ['_count', '23']]); query !== null;) {
      const page: Awaited<ReturnType<typeof search>> = await search(db, ctx, services.store, type, query)
      seen.push(...page.matches.map((each) => each.id))
      query = page.next
    }
    const values = seen.map((id) => sortValue(held(resources.get(id) as Resource, param), param, descending))
    const fault = values.findIndex((value, index) => index > 0 && !inOrder(values[index - 1] ?? null, value, descending, param.storage === 'date' && descending))
    if (new Set(seen).size !== resources.size || seen.length !== resources.size || fault >= 0) wrong.push(`${type}?_sort=${descending ? '-' : ''}${param.code}: ${seen.length} of ${resources.size}, ${seen[fault]}: ${values[fault - 1]} ${values[fault]}`)
  }
  expect(wrong, `seed ${seed}`).toEqual([])
}, 240_000)

/** All pages of a search and their ids; then back again from the last. */
async function walkPages(type: ResourceType, params: URLSearchParams): Promise<{ there: string[][]; back: string[][] }> {
  const there: string[][] = []
  const back: string[][] = []
  let last: Awaited<ReturnType<typeof search>> | null = null
  for (let query: URLSearchParams | null = params; query !== null; query = last.next) {
    last = await search(db, ctx, services.store, type, query)
    there.push(last.matches.map((each) => each.id))
  }
  while (last?.previous) {
    last = await search(db, ctx, services.store, type, last.previous)
    back.unshift(last.matches.map((each) => each.id))
  }
  return { there, back }
}

test('random searches in the order of the server, page by page and back: every match once', async () => {
  const wrong: string[] = []
  let pages = 0
  const kinds = new Set(['string', 'number', 'quantity', 'date'])
  for (let round = 0; round < 300; round++) {
    const type = pick(['Patient', 'Observation', 'Encounter', 'Condition', 'MedicationRequest'] as const)
    const resources = byType.get(type) ?? []
    const clauses = [clause(type, resources), ...(random() < 0.3 ? [clause(type, resources)] : [])]
    if (clauses.some((each) => each === null || !kinds.has(model.searchParameters(type).get(each.name.split(':')[0] ?? '')?.type ?? ''))) continue
    const asked = clauses as Clause[]
    const params = new URLSearchParams([...asked.map((each): [string, string] => [each.name, each.value]), ['_count', '4']])
    const { there, back } = await walkPages(type, params)
    const expected = resources.filter((resource) => asked.every((each) => each.match(resource))).map((each) => each.id ?? '').sort()
    pages += there.length
    if (there.flat().sort().join() !== expected.join() || (there.length > 1 && back.flat().join() !== there.slice(0, -1).flat().join())) wrong.push(`${type}?${decodeURIComponent(params.toString())}: ${there.flat().length} of ${expected.length}, back ${back.flat().length}`)
  }
  expect(wrong, `seed ${seed}`).toEqual([])
  expect(pages).toBeGreaterThan(150)
}, 240_000)

test('a code and a value together: every prefix, with and without system and unit, by parameter and by composite', async () => {
  const resources = byType.get('Observation') ?? []
  const [byCode, byValue] = ['code', 'value-quantity'].map((code) => model.searchParameters('Observation').get(code) as SearchParam) as [SearchParam, SearchParam]
  const wrong: string[] = []
  let found = 0
  for (let round = 0; round < 400; round++) {
    const example = pick(resources)
    const codes = held(example, byCode).tokens
    const value = numberClause(byValue, held(random() < 0.7 ? example : pick(resources), byValue))
    if (codes.length === 0 || value === null) continue
    const { system, code } = pick(codes)
    const token = system !== null && random() < 0.5 ? `${escape(system)}|${escape(code)}` : escape(code)
    const query: [string, string][] = random() < 0.5 ? [['code', token], ['value-quantity', value.value]] : [['code-value-quantity', `${token}$${value.value}`]]
    const sort: [string, string][] = random() < 0.3 ? [['_sort', pick(['value-quantity', '-value-quantity', '-date'])]] : []
    const params = new URLSearchParams([...query, ...sort, ['_count', '3']])
    const { there, back } = await walkPages('Observation', params)
    const expected = resources.filter((each) => value.match(each) && held(each, byCode).tokens.some((one) => one.code === code && (!token.includes('|') || one.system === system))).map((each) => each.id ?? '').sort()
    if (expected.length > 0) found++
    if (there.flat().sort().join() !== expected.join() || (there.length > 1 && back.flat().join() !== there.slice(0, -1).flat().join())) wrong.push(`Observation?${decodeURIComponent(params.toString())}: ${there.flat().join()} instead of ${expected.join()}, back ${back.flat().join()}`)
  }
  expect(wrong.slice(0, 10), `seed ${seed}`).toEqual([])
  expect(found).toBeGreaterThan(50)
}, 240_000)
