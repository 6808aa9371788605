/**
 * A weekly pattern begins, changes or ends from a day on (never today: people are on their way). The row is not overwritten: it ends on the day
 * before, and another begins. Sessions that are there already follow (pattern-effects.ts) in the same transaction, under their locks; new ones
 * are generated at once. Every change leaves a row of supply_change with who made it. One change of a hospital at a time.
 */
import type { Appointment, Location, Reference } from '@medplum/fhirtypes'
import type { Insertable, Selectable } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { addDays, dayInShanghai, isDate } from '../fhir/date-time.ts'
import { fail, forbidden, notFound, type OutcomeError } from '../fhir/outcome.ts'
import { writeNotices } from '../notices/write-notices.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Store } from '../records/store.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { SessionTemplateTable } from '../storage/tables.ts'
import { reference } from './fhir-names.ts'
import { endSessions, lockPatients, lockSessions, thisTransaction } from './booking-rows.ts'
import { daysKeptAhead, generatePattern, organizationShard } from './generate-sessions.ts'
import { noticeParams } from './notice-params.ts'
import { type ConcernedSession, effectOn, type Effects, effectsOf, overlaps, type PatternTimes } from './pattern-effects.ts'
import { listDoctors, works } from './doctors.ts'
import { roomOf } from './rooms.ts'
import { type ClinicType, serviceOf } from './services.ts'
import type { Named, SupplyPreview } from './shapes.ts'
import { selectSessions } from './session-rows.ts'
import { storeAppointments } from './take-place.ts'
import { recordSupplyChange } from './supply-changes.ts'

type Template = Selectable<SessionTemplateTable>

export interface PatternWish {
  /** session_template.id; null: a new pattern. */
  pattern: string | null
  /** First day of the change. */
  from: string
  /** Null: the pattern ends. */
  times: PatternTimes | null
  /** Only of a new one: whose it is and of which clinic; the kind may be left out where the service has one only. */
  practitioner: string | null
  service: string | null
  clinicType: ClinicType | null
}

const sessionsMax = 400

/** What the change would do, and who else holds clinics in the room at that time. @throws OutcomeError as the change itself. */
export async function previewPattern(db: Db, ctx: Ctx, wish: PatternWish): Promise<SupplyPreview> {
  const { before } = await checked(db, ctx, wish)
  const effects = before === null ? { closed: 0, moved: 0, suspended: 0, patients: 0 } : effectsOf(await concerned(db, before, wish.from), timesOf(before), wish.times)
  return { ...effects, shares: wish.times === null ? [] : await sharing(db, ownHospital(ctx), wish.times, wish.from, before?.id ?? null) }
}

/** Doctors with a pattern in the room that overlaps, by name. */
async function sharing(db: Db, organization: string, times: PatternTimes, from: string, except: string | null): Promise<Named[]> {
  const rows = await db.selectFrom('session_template').selectAll().where('organization', '=', organization).where('location', '=', times.room).where('weekday', '=', times.weekday)
    .where((eb) => eb.or([eb('valid_until', 'is', null), eb('valid_until', '>=', from)])).orderBy('practitioner_name_en').execute()
  const names = new Map(rows.filter((row) => row.id !== except && overlaps(timesOf(row), times)).map((row) => [row.practitioner, { zh: row.practitioner_name_zh, en: row.practitioner_name_en }]))
  return [...names.values()]
}

/** @returns the effects, and the sessions whose bookings have to be followed up (follow-up.ts). @throws OutcomeError `forbidden`, `not-found`, `parameter-invalid`, `business-rule`. */
export async function changePattern(trx: Trx, ctx: Ctx, store: Store, wish: PatternWish): Promise<{ effects: Effects; suspended: string[] }> {
  const organization = ownHospital(ctx)
  await trx.selectFrom('clinic_provider').select('organization').where('organization', '=', organization).forUpdate().execute()
  const { before, made } = await checked(trx, ctx, wish)
  if (before) await trx.updateTable('session_template').set({ valid_until: addDays(wish.from, -1) }).where('id', '=', before.id).where('shard', '=', before.shard).execute()
  if (made) await trx.insertInto('session_template').values(made).execute()
  const { effects, suspended, kept } = before ? await follow(trx, ctx, store, before, wish) : { effects: effectsOf([], noTimes, null), suspended: [], kept: [] }
  if (made) await openNew(trx, ctx, made.id, wish.from, kept)
  await recordSupplyChange(trx, ctx, {
    kind: before === null ? 'pattern-new' : made === null ? 'pattern-ended' : 'pattern-changed', subject: made?.id ?? before?.id ?? '', from: wish.from,
    before: before ? { ...timesOf(before), doctor: before.practitioner_name_zh } : null, after: made ? { ...wish.times, doctor: made.practitioner_name_zh } : null,
    sessions: effects.closed + effects.moved + effects.suspended, patients: effects.patients,
  })
  return { effects, suspended }
}

const noTimes: PatternTimes = { weekday: 1, half: 'am', start: '', end: '', room: '', capacity: 1, segmentMinutes: 30, feeFen: 0 }

export function timesOf(row: Template): PatternTimes {
  return {
    weekday: row.weekday, half: row.half, start: row.start_time.slice(0, 5), end: row.end_time.slice(0, 5), room: row.location, capacity: row.capacity,
    segmentMinutes: row.segment_minutes, feeFen: Number(row.fee_fen),
  }
}

/** The hospital of the scheduler who asks. @throws OutcomeError `forbidden`. */
export function ownHospital({ principal }: Ctx): string {
  if (principal.kind !== 'person' || principal.role !== 'scheduler' || principal.organization === null) throw forbidden()
  return principal.organization
}

async function checked(db: Db, ctx: Ctx, wish: PatternWish): Promise<{ before: Template | null; made: Insertable<SessionTemplateTable> | null }> {
  const organization = ownHospital(ctx)
  if (!isDate(wish.from) || wish.from.length !== 10 || wish.from <= dayInShanghai(ctx.now)) throw invalid('from', '应为明天或以后的日期。', 'Give a day from tomorrow on.')
  const before = wish.pattern === null ? null : await templateOf(db, organization, wish.pattern)
  if (before?.valid_until && before.valid_until < wish.from) throw invalid('from', '该排班在这一天之前已经结束。', 'The pattern ends before this day.')
  if (wish.times === null) {
    if (before === null) throw invalid('times', '请填写出诊时间。', 'Give the times of the clinic.')
    return { before, made: null }
  }
  assertTimes(wish.times)
  const base = before ?? await baseOf(db, organization, wish)
  const room = await roomOf(db, ctx, organization, wish.times.room, wish.from)
  await assertDoctorFree(db, base.practitioner, wish.times, wish.from, before?.id ?? null)
  return { before, made: {
    ...base, id: ctx.newId(organizationShard(organization)), shard: organizationShard(organization), weekday: wish.times.weekday, half: wish.times.half, start_time: wish.times.start, end_time: wish.times.end,
    location: room.id, location_name_zh: room.name.zh, location_name_en: room.name.en, capacity: wish.times.capacity, segment_minutes: wish.times.segmentMinutes, fee_fen: BigInt(wish.times.feeFen),
    valid_from: wish.from > (before?.valid_from ?? '') ? wish.from : before?.valid_from ?? wish.from, valid_until: before?.valid_until ?? null,
  } }
}

async function templateOf(db: Db, organization: string, id: string): Promise<Template> {
  const row = await db.selectFrom('session_template').selectAll().where('id', '=', id).where('organization', '=', organization).executeTakeFirst()
  if (!row) throw notFound(id)
  return row
}

type Base = Pick<Template, 'organization' | 'department' | 'healthcare_service' | 'clinic_type' | 'practitioner' | 'practitioner_role' | 'practitioner_name_zh' | 'practitioner_name_en' | 'title'>

/** A new pattern is of a clinic that the hospital offers and of a doctor who works in that department. */
async function baseOf(db: Db, organization: string, { practitioner, service, clinicType, from }: PatternWish): Promise<Base> {
  const offered = await serviceOf(db, organization, service, clinicType, from)
  const doctor = (await listDoctors(db, organization, offered.department)).find((each) => each.practitioner === practitioner && works(each, from))
  if (!doctor) throw invalid('practitioner', '请选择本科室的医生。', 'Choose a doctor of this department.')
  return {
    organization, department: offered.department, healthcare_service: offered.id, clinic_type: offered.clinicType,
    practitioner: doctor.practitioner, practitioner_role: doctor.role, practitioner_name_zh: doctor.name.zh, practitioner_name_en: doctor.name.en, title: doctor.title,
  }
}

function assertTimes({ start, end, capacity, segmentMinutes }: PatternTimes): void {
  const minutes = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))
  if (minutes(end) - minutes(start) < 30) throw invalid('times.end', '结束应至少晚于开始 30 分钟。', 'The end must lie at least 30 minutes after the start.')
  if (capacity < Math.ceil((minutes(end) - minutes(start)) / segmentMinutes)) throw invalid('times.capacity', '号数应不少于时段数。', 'There must be a place for each time segment.')
}

/** @throws OutcomeError `business-rule` when the doctor has another pattern at that time. */
async function assertDoctorFree(db: Db, practitioner: string, times: PatternTimes, from: string, except: string | null): Promise<void> {
  const others = await db.selectFrom('session_template').selectAll().where('practitioner', '=', practitioner).where('weekday', '=', times.weekday)
    .where((eb) => eb.or([eb('valid_until', 'is', null), eb('valid_until', '>=', from)])).execute()
  if (others.some((each) => each.id !== except && overlaps(timesOf(each), times))) {
    throw fail('business-rule', { zh: '该医生在这个时间已有门诊。', en: 'The doctor has a clinic at that time already.' })
  }
}

async function concerned(db: Db, before: Template, from: string): Promise<(ConcernedSession & { date: string })[]> {
  const rows = await db.selectFrom('clinic_session as s').select(['s.id', 's.used', 's.service_date'])
    .select((eb) => eb.selectFrom('booking as b').select((each) => each.fn.countAll<number>().as('count')).whereRef('b.session_id', '=', 's.id').where('b.state', 'in', ['held', 'booked']).as('patients'))
    .where('s.organization', '=', before.organization).where('s.template_id', '=', before.id).where('s.service_date', '>=', from).where('s.status', '=', 'open').orderBy('s.start_at').limit(sessionsMax).execute()
  return rows.map((row) => ({ id: row.id, used: row.used, patients: Number(row.patients ?? 0), date: row.service_date }))
}

async function follow(trx: Trx, ctx: Ctx, store: Store, before: Template, wish: PatternWish): Promise<{ effects: Effects; suspended: string[]; kept: string[] }> {
  const found = await concerned(trx, before, wish.from)
  const holders = found.length === 0 ? [] : await trx.selectFrom('booking').select('pid').where('session_id', 'in', found.map((each) => each.id)).where('state', 'in', ['held', 'booked']).execute()
  // Patients before sessions, as everybody does; then read again what the locks hold still.
  await lockPatients(trx, holders.map((each) => each.pid))
  await lockSessions(trx, found.map((each) => each.id))
  const sessions = await concerned(trx, before, wish.from)
  const times = timesOf(before)
  const by = (effect: string) => sessions.filter((each) => effectOn(each, times, wish.times) === effect)
  for (const [effect, status] of [['close', 'closed'], ['suspend', 'suspended']] as const) await endSessions(trx, by(effect).map((each) => each.id), { status, reason: '排班调整', now: ctx.now })
  const kept = by('move')
  if (wish.times) for (const each of kept) await moveSession(trx, ctx, store, each.id, await roomOf(trx, ctx, before.organization, wish.times.room, wish.from))
  return { effects: effectsOf(sessions, times, wish.times), suspended: by('suspend').map((each) => each.id), kept: kept.map((each) => each.date) }
}

/** The same clinic in another room: session, Appointments and patients are told. */
async function moveSession(trx: Trx, ctx: Ctx, store: Store, id: string, room: Awaited<ReturnType<typeof roomOf>>): Promise<void> {
  await trx.updateTable('clinic_session').set({ location: room.id, location_name_zh: room.name.zh, location_name_en: room.name.en, updated_at: ctx.now, changed: thisTransaction }).where('id', '=', id).execute()
  const session = await selectSessions(trx).where('s.id', '=', id).executeTakeFirstOrThrow()
  const rows = await trx.selectFrom('booking').selectAll().where('session_id', '=', id).where('shard', '=', session.shard).where('state', 'in', ['held', 'booked']).execute()
  const appointments = await Promise.all(rows.map((row) => loadResource<Appointment>(trx, 'Appointment', row.appointment)))
  await storeAppointments(trx, store, appointments.flatMap((each) => (each ? [{ ctx, method: 'update' as const, appointment: inRoom(each, room) }] : [])))
  await writeNotices(trx, ctx, rows.filter((row) => row.state === 'booked').map((row) => ({
    recipient: { kind: 'patient' as const, id: row.patient }, kind: 'room-changed', appointment: row.appointment, params: { ...noticeParams(session, new Date(row.start_at)), place: { ...room.name } },
  })))
}

function inRoom(appointment: Appointment, room: Awaited<ReturnType<typeof roomOf>>): Appointment {
  const actor = reference(`Location/${room.id}`, room.name) as Reference<Location>
  const participant = (appointment.participant ?? []).map((each) => (each.actor?.reference?.startsWith('Location/') ? { ...each, actor } : each))
  return { ...appointment, participant }
}

/** Sessions of the new pattern as far ahead as the worker keeps them; not on days whose session was kept in another room. */
async function openNew(trx: Trx, ctx: Ctx, pattern: string, from: string, kept: readonly string[]): Promise<void> {
  const days = await daysKeptAhead(trx) - Math.round((Date.parse(from) - Date.parse(dayInShanghai(ctx.now))) / 86_400_000)
  if (days <= 0) return
  await generatePattern(trx, from, days, pattern)
  if (kept.length > 0) await trx.updateTable('clinic_session').set({ status: 'closed', changed: thisTransaction }).where('organization', '=', ownHospital(ctx)).where('template_id', '=', pattern).where('service_date', 'in', kept).execute()
}

function invalid(field: string, zh: string, en: string): OutcomeError {
  return fail('parameter-invalid', { zh, en }, field)
}
