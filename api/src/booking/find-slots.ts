/**
 * `GET /fhir/Appointment/$find`: clinic sessions with open places across all hospitals, soonest first; one statement a page.
 * Parameters: `specialty` (department), `service-type` (clinic type), `practitioner`, `organization`, `location`, `district`
 * (GB/T 2260), `start`, `end` (days or instants; the sessions that begin between them), `_count`, `_page`.
 *
 * The answer is a Parameters resource; names carry English as translation extension on `_display`:
 *   session*   schedule: valueReference · organization, practitioner: valueReference with display
 *              department, title, clinicType: valueCoding · date: valueDate · half: valueCode am|pm|night
 *              start, end: valueInstant · fee: valueMoney · insured: valueBoolean · free, capacity: valueInteger
 *              segment*: part start, end: valueInstant · free: valueInteger · slot: valueReference (absent when full or past)
 *   next?      valueString: the `_page` of the next page; absent at the end
 * It says the same as `SessionOffer[]` of shapes.ts; `sessionOffersFromParameters` of the portal reads it back.
 * A Slot stands for its segment: whoever books it gets that place or, when it was just taken, another one of the segment.
 */
import type { Parameters, ParametersParameter } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { addMinutes, instantInShanghai } from '../fhir/date-time.ts'
import type { Operation } from '../records/store.ts'
import type { Db } from '../storage/pool.ts'
import { clinicTypeCoding, coding, moneyOfFen, reference, systems, titleCoding } from './fhir-names.ts'
import { departmentName } from './departments.ts'
import { platformDefaults } from './parameter-definitions.ts'
import { assertKnown, badValue, nextQuery, oneOf, type PageKey, pageKey, pageSize, referenceValues, spanOf, tokenCodes } from './search-input.ts'
import { freePlaceIn, segmentsOf, slotIdOf } from './segments.ts'
import { selectSessions, type SessionRow, takenPlaces } from './session-rows.ts'
import type { SessionOffer } from './shapes.ts'

export interface SlotQuestion {
  departments: string[] | null
  clinicTypes: string[] | null
  practitioners: string[] | null
  organizations: string[] | null
  locations: string[] | null
  districts: string[] | null
  /** Sessions that begin at or after; null: from now on. */
  from: Date | null
  /** Sessions that begin before; null: no end but the booking window's. */
  until: Date | null
  count: number
  after: PageKey | null
}

const known = ['specialty', 'service-type', 'practitioner', 'organization', 'location', 'district', 'start', 'end', '_count', '_page']

export const findSlotsOperation: Operation = {
  name: '$find', level: 'type', types: ['Appointment'], methods: ['GET'], affectsState: false,
  summary: 'Open places across all hospitals, grouped by doctor and session.',
  async run({ db, ctx, query }) {
    const { offers, next } = await findSlots(db, ctx, slotQuestion(query))
    return { resource: parametersOfOffers(offers, next === null ? null : nextQuery(query, next).get('_page')) }
  },
}

/** @throws OutcomeError `parameter-unknown`, `parameter-invalid`. */
export function slotQuestion(query: URLSearchParams): SlotQuestion {
  assertKnown(query, known)
  const ids = (name: 'practitioner' | 'organization' | 'location', type: 'Practitioner' | 'Organization' | 'Location') =>
    referenceValues(query, name, [type])?.map((each) => each.id) ?? null
  return {
    departments: tokenCodes(query, 'specialty', systems.department),
    clinicTypes: tokenCodes(query, 'service-type', systems.clinicType),
    practitioners: ids('practitioner', 'Practitioner'),
    organizations: ids('organization', 'Organization'),
    locations: ids('location', 'Location'),
    districts: oneOf(query, 'district'),
    from: edge(query, 'start')?.from ?? null,
    until: edge(query, 'end')?.until ?? null,
    count: pageSize(query, 20, 200),
    after: pageKey(query),
  }
}

function edge(query: URLSearchParams, name: string): { from: Date; until: Date } | null {
  const given = oneOf(query, name)
  if (given === null) return null
  const span = given.length === 1 ? spanOf(given[0] as string) : null
  if (!span) throw badValue(name, '应为日期或时间，例如 2026-11-24。', 'give a date or time, such as 2026-11-24.')
  return span
}

/** One page of offers, and the key of the next page. */
export async function findSlots(db: Db, ctx: Ctx, question: SlotQuestion): Promise<{ offers: SessionOffer[]; next: PageKey | null }> {
  // The page is cut first, along the index; names and taken places are looked up for its rows only.
  const rows = await selectSessions(db).select(takenPlaces(ctx.now).as('taken'))
    .innerJoin(pageOfIds(db, ctx.now, question).as('page'), (join) => join.onRef('page.id', '=', 's.id').onRef('page.shard', '=', 's.shard'))
    .orderBy('s.start_at').orderBy('s.id').execute()
  const page = rows.slice(0, question.count)
  const last = page.at(-1)
  return {
    offers: page.map((row) => offerOf(row, new Set(row.taken), ctx.now)).filter((offer) => offer.free > 0),
    next: rows.length > question.count && last ? { at: last.start_at, id: last.id, place: 0 } : null,
  }
}

/** Ids of the sessions of a page and of one more, which tells whether there is a next page. */
function pageOfIds(db: Db, now: Date, question: SlotQuestion) {
  let query = db.selectFrom('clinic_session as s').select(['s.id', 's.shard'])
    .where('s.status', '=', 'open').where('s.release_at', '<=', now.toISOString())
    .where('s.end_at', '>', addMinutes(now, platformDefaults['window.minLeadMinutes']).toISOString())
    .whereRef('s.used', '<', 's.capacity')
    // A session lasts half a day at most: this bound on the indexed column leaves out the past.
    .where('s.start_at', '>=', (question.from ?? addMinutes(now, -720)).toISOString())
    .orderBy('s.start_at').orderBy('s.id').limit(question.count + 1)
  if (question.until) query = query.where('s.start_at', '<', question.until.toISOString())
  if (question.departments) query = query.where('s.department', 'in', question.departments.length > 0 ? question.departments : [''])
  if (question.clinicTypes) query = query.where('s.clinic_type', 'in', (question.clinicTypes.length > 0 ? question.clinicTypes : ['']) as 'expert'[])
  if (question.practitioners) query = query.where('s.practitioner', 'in', question.practitioners)
  if (question.organizations) query = query.where('s.organization', 'in', question.organizations)
  if (question.locations) query = query.where('s.location', 'in', question.locations)
  const { districts, after } = question
  if (districts) query = query.where('s.organization', 'in', (eb) => eb.selectFrom('clinic_provider as o').select('o.organization').where('o.district_code', 'in', districts))
  if (after) query = query.where((eb) => eb(eb.refTuple('s.start_at', 's.id'), '>', eb.tuple(after.at, after.id)))
  return query
}

/** The pure part: a session, its taken places and the time → what a citizen may choose from. */
export function offerOf(row: SessionRow, taken: ReadonlySet<number>, now: Date): SessionOffer {
  const bookableUntil = addMinutes(now, platformDefaults['window.minLeadMinutes'])
  const segments = segmentsOf(row).map((segment) => {
    const open = segment.end > bookableUntil
    const place = open ? freePlaceIn(segment, taken) : null
    let free = 0
    if (open) for (let no = segment.firstPlace; no <= segment.lastPlace; no++) if (!taken.has(no)) free++
    return { start: instantInShanghai(segment.start), end: instantInShanghai(segment.end), free, slot: place === null ? null : slotIdOf(row.id, place) }
  })
  return {
    schedule: row.id,
    organization: { id: row.organization, name: { zh: row.name_zh, en: row.name_en } },
    department: { code: row.department, name: departmentName(row.department) },
    practitioner: { id: row.practitioner, name: { zh: row.practitioner_name_zh, en: row.practitioner_name_en } },
    title: row.title,
    clinicType: row.clinic_type,
    date: row.service_date,
    half: row.half,
    start: instantInShanghai(new Date(row.start_at)),
    end: instantInShanghai(new Date(row.end_at)),
    feeFen: Number(row.fee_fen),
    insured: row.clinic_type !== 'special-need',
    free: segments.reduce((sum, each) => sum + each.free, 0),
    capacity: row.capacity,
    segments,
  }
}

function parametersOfOffers(offers: readonly SessionOffer[], next: string | null): Parameters {
  const parameter: ParametersParameter[] = offers.map((offer) => ({ name: 'session', part: partsOf(offer) }))
  if (next !== null) parameter.push({ name: 'next', valueString: next })
  return { resourceType: 'Parameters', parameter }
}

function partsOf(offer: SessionOffer): ParametersParameter[] {
  return [
    { name: 'schedule', valueReference: { reference: `Schedule/${offer.schedule}` } },
    { name: 'organization', valueReference: reference(`Organization/${offer.organization.id}`, offer.organization.name) },
    { name: 'department', valueCoding: coding(systems.department, offer.department.code, offer.department.name) },
    { name: 'practitioner', valueReference: reference(`Practitioner/${offer.practitioner.id}`, offer.practitioner.name) },
    { name: 'title', valueCoding: titleCoding(offer.title) },
    { name: 'clinicType', valueCoding: clinicTypeCoding(offer.clinicType) },
    { name: 'date', valueDate: offer.date },
    { name: 'half', valueCode: offer.half },
    { name: 'start', valueInstant: offer.start },
    { name: 'end', valueInstant: offer.end },
    { name: 'fee', valueMoney: moneyOfFen(BigInt(offer.feeFen)) },
    { name: 'insured', valueBoolean: offer.insured },
    { name: 'free', valueInteger: offer.free },
    { name: 'capacity', valueInteger: offer.capacity },
    ...offer.segments.map((segment) => ({
      name: 'segment',
      part: [
        { name: 'start', valueInstant: segment.start },
        { name: 'end', valueInstant: segment.end },
        { name: 'free', valueInteger: segment.free },
        ...(segment.slot === null ? [] : [{ name: 'slot', valueReference: { reference: `Slot/${segment.slot}` } }]),
      ],
    })),
  ]
}
