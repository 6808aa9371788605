/**
 * `GET /fhir/Appointment/$find`: clinic sessions with open places across all hospitals, soonest first, out of memory (open-sessions.ts).
 * Parameters: `specialty` (department), `complaint` (everyday words that lead to departments), `service-type` (clinic type), `practitioner`,
 * `doctor` (name, pinyin or initials), `organization`, `location`, `district` (GB/T 2260), `near` (latitude|longitude|km), `fee-max` (yuan),
 * `insured` (true: what insurance takes), `channel` (a quota), `start`, `end` (days or instants; the sessions that begin between
 * them), `_count`, `_page`.
 *
 * The answer is a Parameters resource; names carry English as translation extension on `_display`:
 *   session*   schedule: valueReference · organization, practitioner: valueReference with display
 *              department, title, clinicType: valueCoding · date: valueDate · half: valueCode am|pm|night
 *              start, end: valueInstant · fee: valueMoney · insured: valueBoolean · free, capacity: valueInteger
 *              distance: valueDecimal, km (only with `near`)
 *              segment*: part start, end: valueInstant · free: valueInteger · slot: valueReference (absent when full or past)
 *   next?      valueString: the `_page` of the next page; absent at the end
 * It says the same as `SessionOffer[]` of shapes.ts; `sessionOffersFromParameters` of the portal reads it back.
 * A Slot stands for its segment: whoever books it gets that place or, when it was just taken, another one of the segment.
 */
import type { Ctx } from '../ctx.ts'
import { addMinutes, instantInShanghai } from '../fhir/date-time.ts'
import type { Operation } from '../records/store.ts'
import { pageKey, type PageKey, pageQuery } from '../records/search/projected-page.ts'
import type { Db } from '../storage/pool.ts'
import { type Channel, channels } from './channels.ts'
import { departmentName, departmentsFor } from './departments.ts'
import { candidates } from './candidates.ts'
import { fold } from './doctor-names.ts'
import { systems } from './fhir-names.ts'
import { greatCircleKm } from './home-distance.ts'
import { freeBySegment, nextChange, type OpenSession, type OpenSessions, openSessions } from './open-sessions.ts'
import { assertKnown, badValue, codesAmong, oneOf, pageSize, referenceValues, spanOf, tokenCodes } from './search-input.ts'
import { answerTo, type Found } from './offer-text.ts'
import { slotIdOf } from './segments.ts'
import type { SessionOffer } from './shapes.ts'

export interface SlotQuestion {
  departments: string[] | null
  clinicTypes: string[] | null
  practitioners: string[] | null
  /** Folded; null: any doctor. */
  doctor: string | null
  organizations: string[] | null
  locations: string[] | null
  districts: string[] | null
  near: Near | null
  feeMaxFen: number | null
  insured: boolean | null
  channel: Channel
  /** Sessions that begin at or after; null: from now on. */
  from: Date | null
  /** Sessions that begin before; null: no end but the booking window's. */
  until: Date | null
  count: number
  after: PageKey | null
}

interface Near { latitude: number; longitude: number; km: number }

const known = [
  'specialty', 'complaint', 'service-type', 'practitioner', 'doctor', 'organization', 'location', 'district', 'near', 'fee-max', 'insured', 'channel', 'start', 'end', '_count', '_page',
]

export const findSlotsOperation: Operation = {
  name: '$find', level: 'type', types: ['Appointment'], methods: ['GET'], affectsState: false,
  summary: 'Open places across all hospitals, grouped by doctor and session.',
  async run({ db, ctx, query }) {
    const { found, next } = await find(db, ctx, slotQuestion(query))
    const page = next === null ? null : pageQuery(query, next).get('_page')
    return { resource: null, bytes: answerTo(query.toString(), found, page) }
  },
}

/** @throws OutcomeError `parameter-unknown`, `parameter-invalid`. */
export function slotQuestion(query: URLSearchParams): SlotQuestion {
  assertKnown(query, known)
  const ids = (name: 'practitioner' | 'organization' | 'location', type: 'Practitioner' | 'Organization' | 'Location') =>
    referenceValues(query, name, [type])?.map((each) => each.id) ?? null
  const departments = tokenCodes(query, 'specialty', systems.department)
  const complaint = oneOf(query, 'complaint')?.flatMap(departmentsFor) ?? null
  return {
    departments: complaint === null ? departments : departments === null ? complaint : complaint.filter((each) => departments.includes(each)),
    clinicTypes: tokenCodes(query, 'service-type', systems.clinicType),
    practitioners: ids('practitioner', 'Practitioner'),
    doctor: oneOf(query, 'doctor')?.map(fold).join('') ?? null,
    organizations: ids('organization', 'Organization'),
    locations: ids('location', 'Location'),
    districts: oneOf(query, 'district'),
    near: nearOf(query),
    feeMaxFen: feeOf(query),
    insured: codesAmong(query, 'insured', ['true', 'false'])?.map((each) => each === 'true')[0] ?? null,
    channel: codesAmong(query, 'channel', channels)?.[0] ?? 'public',
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

/** As the R4 parameter of Location: latitude|longitude|distance, in km. */
function nearOf(query: URLSearchParams): Near | null {
  const given = query.get('near')
  if (given === null) return null
  const match = /^(-?\d{1,2}(?:\.\d{1,9})?)\|(-?\d{1,3}(?:\.\d{1,9})?)\|(\d{1,3}(?:\.\d{1,3})?)(?:\|km)?$/.exec(given)
  const [latitude, longitude, km] = [Number(match?.[1]), Number(match?.[2]), Number(match?.[3])]
  if (!match || Math.abs(latitude) > 90 || Math.abs(longitude) > 180 || km <= 0) throw badValue('near', '应为 纬度|经度|公里数，例如 31.23|121.47|5。', 'give latitude|longitude|km, such as 31.23|121.47|5.')
  return { latitude, longitude, km }
}

function feeOf(query: URLSearchParams): number | null {
  const given = query.get('fee-max')
  if (given === null) return null
  if (!/^\d{1,5}(\.\d{1,2})?$/.test(given)) throw badValue('fee-max', '应为金额（元），例如 50。', 'give an amount in yuan, such as 50.')
  return Math.round(Number(given) * 100)
}

interface FoundIn extends Found { session: OpenSession }

/** One page of offers, and the key of the next page. */
export async function findSlots(db: Db, ctx: Ctx, question: SlotQuestion): Promise<{ offers: SessionOffer[]; next: PageKey | null }> {
  const { found, next } = await find(db, ctx, question)
  return { offers: found.map((each) => each.offer), next }
}

async function find(db: Db, ctx: Ctx, question: SlotQuestion): Promise<{ found: FoundIn[]; next: PageKey | null }> {
  const sessions = await openSessions(db, ctx.now)
  const { from, until, after, near } = question
  const distances = near === null ? null : hospitalsNear(sessions, near)
  const list = candidates(sessions, { ...question, hospitals: distances && new Set(distances.keys()) })
  // A session lasts half a day at most.
  const first = (from ?? addMinutes(ctx.now, -720)).toISOString()
  const end = until?.toISOString() ?? null
  const found: FoundIn[] = []
  for (let index = firstAt(list, after && after.at > first ? after.at : first); index < list.length; index++) {
    const session = list[index] as OpenSession
    const { start_at, id, organization } = session.row
    if (end !== null && start_at >= end) break
    if (after && (start_at < after.at || (start_at === after.at && id <= after.id))) continue
    const km = distances?.get(organization) ?? null
    if ((distances !== null && km === null) || !fits(session, question)) continue
    const offer = offerAt(session, question.channel, ctx.now)
    if (offer.free === 0) continue
    if (found.length === question.count) return { found, next: keyOf(found.at(-1)) }
    found.push({ session, offer, km })
  }
  return { found, next: null }
}

function keyOf(last: FoundIn | undefined): PageKey | null {
  return last ? { at: last.session.row.start_at, id: last.session.row.id, place: 0, backwards: false } : null
}

/** Kilometres to the hospitals that are near enough. */
function hospitalsNear({ byOrganization }: OpenSessions, near: Near): Map<string, number> {
  const found = new Map<string, number>()
  for (const [organization, [session]] of byOrganization) {
    const km = session ? distanceKm(near, session) : null
    if (km !== null && km <= near.km) found.set(organization, km)
  }
  return found
}

/** Index of the first session that begins at an instant or later. */
function firstAt(list: readonly OpenSession[], instant: string): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((list[middle] as OpenSession).row.start_at < instant) low = middle + 1
    else high = middle
  }
  return low
}

/** What the list was not chosen by. */
function fits({ row }: OpenSession, question: SlotQuestion): boolean {
  const { departments, clinicTypes, organizations, locations, districts, feeMaxFen, insured } = question
  return row.status === 'open' && among(departments, row.department) && among(clinicTypes, row.clinic_type)
    && among(organizations, row.organization) && among(locations, row.location) && among(districts, row.district_code)
    && (feeMaxFen === null || Number(row.fee_fen) <= feeMaxFen) && (insured === null || insured === isInsured(row.clinic_type))
}

function among(wanted: readonly string[] | null, value: string): boolean {
  return wanted === null || wanted.includes(value)
}

function isInsured(clinicType: string): boolean {
  return clinicType !== 'special-need'
}

/** Great-circle distance to the hospital; null where its place is unknown. */
function distanceKm({ latitude, longitude }: Near, { row }: OpenSession): number | null {
  return row.latitude === null || row.longitude === null ? null : greatCircleKm({ latitude, longitude }, { latitude: row.latitude, longitude: row.longitude })
}

/** The offer to everybody is kept until the clock or a booking changes it. */
function offerAt(session: OpenSession, channel: Channel, now: Date): SessionOffer {
  if (channel !== 'public') return offerOf(session, new Set(['public', channel]), now)
  if (!session.offer || session.offer.until <= now.getTime() || session.offer.from > now.getTime()) {
    session.offer = { made: offerOf(session, new Set(['public']), now), from: now.getTime(), until: nextChange(session, now) }
  }
  return session.offer.made
}

/** The pure part: a session, its taken places and the time → what somebody may choose from. */
export function offerOf(session: OpenSession, entitled: ReadonlySet<Channel>, now: Date): SessionOffer {
  const { row } = session
  const segments = freeBySegment(session, entitled, now).map(({ segment, places: [first, ...more] }) => ({
    start: instantInShanghai(segment.start), end: instantInShanghai(segment.end),
    free: first === undefined ? 0 : 1 + more.length, slot: first === undefined ? null : slotIdOf(row.id, first),
  }))
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
    insured: isInsured(row.clinic_type),
    free: segments.reduce((sum, each) => sum + each.free, 0),
    capacity: row.capacity,
    segments,
  }
}
