/**
 * Schedule as FHIR shows it: a doctor's half-day, read from `clinic_session`. Search by _id, actor, date, specialty, service-type,
 * active, _lastUpdated; pages by key, soonest first or last. Everything here is public. Source: FHIR R4 Schedule; docs/booking.md, "In FHIR".
 */
import type { Schedule } from '@medplum/fhirtypes'
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { instantInShanghai } from '../fhir/date-time.ts'
import { shardOf } from '../fhir/id.ts'
import type { Projection } from '../records/store.ts'
import type { Db } from '../storage/pool.ts'
import { projectedPage, readingOf } from '../records/search/projected-page.ts'
import { serviceName } from './appointment-resource.ts'
import { clinicTypeCoding, clinicTypeConcept, departmentConcept, extensions, moneyOfFen, reference, systems, titleCoding } from './fhir-names.ts'
import { assertKnown, codesAmong, type DateValue, dateValues, instantMatches, oneOf, pageSize, referenceValues, tokenCodes } from './search-input.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'
import type { Named } from './shapes.ts'

export const sessionId = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/
const known = ['_id', 'actor', 'date', 'specialty', 'service-type', 'active', '_lastUpdated', '_count', '_page', '_sort']
const actorColumns = { PractitionerRole: 's.practitioner_role', Practitioner: 's.practitioner', HealthcareService: 's.healthcare_service', Location: 's.location' } as const
const actorTypes = Object.keys(actorColumns) as (keyof typeof actorColumns)[]

export const scheduleProjection: Projection = {
  parameters: known.filter((name) => !['_count', '_page', '_sort'].includes(name)),
  order: 'date',

  async read(db, _ctx, id) {
    if (!sessionId.test(id)) return null
    const row = await selectSessions(db).where('s.id', '=', id).where('s.shard', '=', shardOf(id)).executeTakeFirst()
    return row ? scheduleOf(row) : null
  },

  async search(db, _ctx, query) {
    assertKnown(query, known)
    const count = pageSize(query, 20, 200)
    const reading = readingOf(query, this.order)
    const { after, behind, direction } = reading
    let select = filtered(db, query)
    if (after) select = select.where(sql<SqlBool>`(s.start_at, s.id) ${behind} (${after.at}::timestamptz, ${after.id}::uuid)`)
    const rows = await select.orderBy(sql`s.start_at ${direction}`).orderBy(sql`s.id ${direction}`).limit(count + 1).execute()
    return projectedPage(query, rows, count, reading, (row) => ({ at: row.start_at, id: row.id, place: 0 }), scheduleOf)
  },

  async count(db, _ctx, query) {
    assertKnown(query, known)
    const { total } = await filtered(db, query).clearSelect().select(sql<number>`count(*)::int`.as('total')).executeTakeFirstOrThrow()
    return total
  },
}

function filtered(db: Db, query: URLSearchParams) {
  let select = selectSessions(db)
  const ids = oneOf(query, '_id')
  const actors = referenceValues(query, 'actor', actorTypes)
  const departments = tokenCodes(query, 'specialty', systems.department)
  const clinicTypes = tokenCodes(query, 'service-type', systems.clinicType)
  const active = codesAmong(query, 'active', ['true', 'false'])
  if (ids) select = select.where(sql<SqlBool>`s.id = any(${ids.filter((id) => sessionId.test(id))}::uuid[])`)
  if (departments) select = select.where(sql<SqlBool>`s.department = any(${departments}::text[])`)
  if (clinicTypes) select = select.where(sql<SqlBool>`s.clinic_type = any(${clinicTypes}::text[])`)
  if (active) select = select.where(sql<SqlBool>`(s.status = 'open')::text = any(${active}::text[])`)
  if (actors) {
    select = select.where((eb) => eb.or(actors.flatMap((actor) =>
      actorTypes.filter((type) => actor.type === null || actor.type === type).map((type) => eb(actorColumns[type], '=', actor.id)))))
  }
  for (const value of dateValues(query, 'date')) select = select.where(periodMatches(value))
  for (const value of dateValues(query, '_lastUpdated')) select = select.where(instantMatches(sql.ref('s.updated_at'), value))
  return select
}

/** How a period compares with a date, R4 § 3.1.1.4.8: the half-day [start_at, end_at). */
function periodMatches({ prefix, from, until }: DateValue): RawBuilder<SqlBool> {
  const [a, b] = [from, until].map((each) => sql`${each.toISOString()}::timestamptz`) as [RawBuilder<unknown>, RawBuilder<unknown>]
  switch (prefix) {
    case 'eq': return sql<SqlBool>`s.start_at >= ${a} and s.end_at <= ${b}`
    case 'ne': return sql<SqlBool>`not (s.start_at >= ${a} and s.end_at <= ${b})`
    case 'ge': return sql<SqlBool>`s.end_at > ${a}`
    case 'gt': return sql<SqlBool>`s.end_at > ${b}`
    case 'le': return sql<SqlBool>`s.start_at < ${b}`
    case 'lt': return sql<SqlBool>`s.start_at < ${a}`
    case 'sa': return sql<SqlBool>`s.start_at >= ${b}`
    case 'eb': return sql<SqlBool>`s.end_at <= ${a}`
    case 'ap': return sql<SqlBool>`s.start_at < ${b} and s.end_at > ${a}`
  }
}

function scheduleOf(row: SessionRow): Schedule {
  const doctor: Named = { zh: row.practitioner_name_zh, en: row.practitioner_name_en }
  return {
    resourceType: 'Schedule',
    id: row.id,
    meta: { lastUpdated: instantInShanghai(new Date(row.updated_at)) },
    extension: [
      { url: extensions.organization, valueReference: reference(`Organization/${row.organization}`, { zh: row.name_zh, en: row.name_en }) },
      { url: extensions.clinicType, valueCoding: clinicTypeCoding(row.clinic_type) },
      { url: extensions.title, valueCoding: titleCoding(row.title) },
      { url: extensions.fee, valueMoney: moneyOfFen(row.fee_fen) },
      { url: extensions.capacity, valuePositiveInt: row.capacity },
      { url: extensions.sessionStatus, valueCode: row.status },
      { url: extensions.releaseAt, valueInstant: instantInShanghai(new Date(row.release_at)) },
    ],
    active: row.status === 'open',
    serviceType: [clinicTypeConcept(row.clinic_type)],
    specialty: [departmentConcept(row.department)],
    actor: [
      reference(`PractitionerRole/${row.practitioner_role}`, doctor),
      reference(`Practitioner/${row.practitioner}`, doctor),
      reference(`HealthcareService/${row.healthcare_service}`, serviceName(row)),
      reference(`Location/${row.location}`, { zh: row.location_name_zh, en: row.location_name_en }),
    ],
    planningHorizon: { start: instantInShanghai(new Date(row.start_at)), end: instantInShanghai(new Date(row.end_at)) },
  }
}
