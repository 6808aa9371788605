/**
 * Slot as FHIR shows it: one numbered place of a session; places have no rows, their state is computed. free: can be booked
 * now · busy-tentative: held · busy: booked, or its time is over · busy-unavailable: suspended, not released
 * or kept for another channel. Search by
 * _id, schedule, status, start, specialty, service-type, appointment-type; pages by key, soonest session first or last. When a place last
 * changed is not said: it becomes free and busy by the clock. Everything here is public: a Slot never says who took it. Source: FHIR R4 Slot; docs/booking.md, "In FHIR".
 */
import type { Slot } from '@medplum/fhirtypes'
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { addMinutes, instantInShanghai } from '../fhir/date-time.ts'
import type { Projection } from '../records/store.ts'
import type { Db } from '../storage/pool.ts'
import { projectedPage, type Reading, readingOf } from '../records/search/projected-page.ts'
import { clinicTypeCoding, clinicTypeConcept, departmentConcept, extensions, moneyOfFen, systems } from './fhir-names.ts'
import { platformDefaults } from './parameter-definitions.ts'
import { sessionId } from './schedule-projection.ts'
import { assertKnown, codesAmong, type DatePrefix, type DateValue, dateValues, instantMatches, oneOf, pageSize, referenceValues, tokenCodes } from './search-input.ts'
import { parseSlotId, slotIdOf } from './segments.ts'

const known = ['_id', 'schedule', 'status', 'start', 'specialty', 'service-type', 'appointment-type', '_count', '_page', '_sort']
const statuses = ['free', 'busy', 'busy-tentative', 'busy-unavailable'] as const

interface SlotRow {
  session: string
  no: number
  session_start: string
  start_at: string
  end_at: string
  status: (typeof statuses)[number]
  department: string
  clinic_type: string
  fee_fen: bigint
}

export const slotProjection: Projection = {
  parameters: known.filter((name) => !['_count', '_page', '_sort'].includes(name)),
  order: 'start',

  async read(db, ctx, id) {
    const slot = parseSlotId(id)
    if (!slot) return null
    const [row] = await selectSlots(db, ctx, [sql<SqlBool>`s.id = ${slot.session}::uuid`, sql<SqlBool>`n.no = ${slot.place}`], 1)
    return row ? slotOf(row) : null
  },

  async search(db, ctx, query) {
    assertKnown(query, known)
    const count = pageSize(query, 20, 500)
    const reading = readingOf(query, this.order)
    const rows = await selectSlots(db, ctx, [...conditionsOf(query, ctx), ...behind(reading)], count + 1, reading)
    return projectedPage(query, rows, count, reading, (row) => ({ at: row.session_start, id: row.session, place: row.no }), slotOf)
  },

  async count(db, ctx, query) {
    assertKnown(query, known)
    const { rows } = await sql<{ total: number }>`select count(*)::int as total ${fromSlots(ctx, conditionsOf(query, ctx))}`.execute(db)
    return rows[0]?.total ?? 0
  },
}

const segmentIndex = sql`((n.no - 1) * s.segments / s.capacity)`
const segmentStart = sql`s.start_at + make_interval(mins => ${segmentIndex} * s.segment_minutes)`
const segmentEnd = sql`least(s.start_at + make_interval(mins => (${segmentIndex} + 1) * s.segment_minutes), s.end_at)`

/** From when everybody may take a place: that of channels.ts, in SQL; a test holds the two equal. */
const publicFrom = sql`(case substr(s.channels, n.no, 1) when 'g' then coalesce(s.gp_return_at, 'infinity') when 'f' then coalesce(s.follow_up_return_at, 'infinity')
  when 'w' then coalesce(s.onsite_return_at, 'infinity') else s.release_at end)`

function statusAt(ctx: Ctx): RawBuilder<unknown> {
  const now = sql`${ctx.now.toISOString()}::timestamptz`
  const bookableUntil = sql`${addMinutes(ctx.now, platformDefaults['window.minLeadMinutes']).toISOString()}::timestamptz`
  return sql`case when b.state = 'cooling' then 'busy-unavailable' when b.state in ('held', 'offered') then 'busy-tentative' when b.state is not null then 'busy'
    when s.status <> 'open' or s.release_at > ${now} or ${publicFrom} > ${now} then 'busy-unavailable'
    when ${segmentEnd} <= ${bookableUntil} then 'busy' else 'free' end`
}

async function selectSlots(db: Db, ctx: Ctx, conditions: readonly RawBuilder<SqlBool>[], limit: number, { direction }: Pick<Reading, 'direction'> = { direction: sql`asc` }): Promise<SlotRow[]> {
  const { rows } = await sql<SlotRow>`
    select s.id as session, n.no, s.start_at as session_start, ${segmentStart} as start_at, ${segmentEnd} as end_at, ${statusAt(ctx)} as status,
      s.department, s.clinic_type, s.fee_fen
    ${fromSlots(ctx, conditions)} order by s.start_at ${direction}, s.id ${direction}, n.no ${direction} limit ${limit}`.execute(db)
  return rows
}

function fromSlots(ctx: Ctx, conditions: readonly RawBuilder<SqlBool>[]): RawBuilder<unknown> {
  return sql`from clinic_session s cross join lateral generate_series(1, s.capacity) as n (no)
    left join booking b on b.session_id = s.id and b.shard = s.shard and b.no = n.no and b.state <> 'cancelled'
      and (b.held_until is null or b.held_until > ${ctx.now.toISOString()}::timestamptz)
    ${conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`}`
}

/** Said of the indexed column first. */
function behind({ after, behind: compares }: Reading): RawBuilder<SqlBool>[] {
  if (after === null) return []
  return [sql<SqlBool>`s.start_at ${compares}= ${after.at}::timestamptz and (s.start_at, s.id, n.no) ${compares} (${after.at}::timestamptz, ${after.id}::uuid, ${after.place}::int)`]
}

function conditionsOf(query: URLSearchParams, ctx: Ctx): RawBuilder<SqlBool>[] {
  const conditions: RawBuilder<SqlBool>[] = []
  const ids = oneOf(query, '_id')
  const schedules = referenceValues(query, 'schedule', ['Schedule'])
  const wanted = codesAmong(query, 'status', statuses)
  const departments = tokenCodes(query, 'specialty', systems.department)
  const clinicTypes = tokenCodes(query, 'service-type', systems.clinicType)
  const appointmentTypes = tokenCodes(query, 'appointment-type', systems.appointmentType)
  if (ids) conditions.push(idMatches(ids))
  if (schedules) conditions.push(sql<SqlBool>`s.id = any(${schedules.map((each) => each.id).filter((id) => sessionId.test(id))}::uuid[])`)
  if (departments) conditions.push(sql<SqlBool>`s.department = any(${departments}::text[])`)
  if (clinicTypes) conditions.push(sql<SqlBool>`s.clinic_type = any(${clinicTypes}::text[])`)
  if (appointmentTypes && !appointmentTypes.includes('ROUTINE')) conditions.push(sql<SqlBool>`false`)
  for (const value of dateValues(query, 'start')) conditions.push(...startMatches(value))
  if (wanted) conditions.push(sql<SqlBool>`${statusAt(ctx)} = any(${wanted}::text[])`)
  // What is free lies ahead: said on the indexed column, so that the past is not computed.
  if (wanted?.every((each) => each === 'free')) conditions.push(sql<SqlBool>`s.start_at >= ${addMinutes(ctx.now, -720).toISOString()}::timestamptz`)
  return conditions
}

function idMatches(ids: readonly string[]): RawBuilder<SqlBool> {
  const slots = ids.map(parseSlotId).filter((each) => each !== null)
  return sql<SqlBool>`s.id = any(${slots.map((each) => each.session)}::uuid[]) and (s.id, n.no) in
    (select * from unnest(${slots.map((each) => each.session)}::uuid[], ${slots.map((each) => each.place)}::int[]))`
}

/** A session lasts less than a day: that bounds the indexed column too. */
function startMatches(value: DateValue): RawBuilder<SqlBool>[] {
  const at = (date: Date) => sql`${date.toISOString()}::timestamptz`
  const { prefix, from, until } = value
  const notBefore = (edge: Date) => sql<SqlBool>`s.start_at >= ${at(addMinutes(edge, -24 * 60))}`
  const before = (edge: Date) => sql<SqlBool>`s.start_at < ${at(edge)}`
  const bounds: Readonly<Record<DatePrefix, readonly RawBuilder<SqlBool>[]>> = {
    eq: [notBefore(from), before(until)], ap: [notBefore(from), before(until)], ne: [], ge: [notBefore(from)], gt: [notBefore(until)], sa: [notBefore(until)],
    le: [before(until)], lt: [before(from)], eb: [before(from)],
  }
  return [instantMatches(segmentStart, value), ...bounds[prefix]]
}

function slotOf(row: SlotRow): Slot {
  return {
    resourceType: 'Slot',
    id: slotIdOf(row.session, row.no),
    extension: [
      { url: extensions.fee, valueMoney: moneyOfFen(row.fee_fen) },
      { url: extensions.clinicType, valueCoding: clinicTypeCoding(row.clinic_type) },
      { url: extensions.serialNumber, valuePositiveInt: row.no },
    ],
    serviceType: [clinicTypeConcept(row.clinic_type)],
    specialty: [departmentConcept(row.department)],
    appointmentType: { coding: [{ system: systems.appointmentType, code: 'ROUTINE', display: 'Routine appointment' }] },
    schedule: { reference: `Schedule/${row.session}` },
    status: row.status,
    start: instantInShanghai(new Date(row.start_at)),
    end: instantInShanghai(new Date(row.end_at)),
  }
}
