/**
 * Turns wishes into bookings: a free place of a session that is really there, its Appointment, the row that holds the place and
 * the care relation it opens. Invariant: what booking's constraints and rules forbid is never made — a place once, a patient
 * once a session and once a department and day, no two places of a patient at one time.
 */
import type { Patient } from '@medplum/fhirtypes'
import { appointmentInState, newAppointment } from '@pujiang/api/booking/appointment-resource.ts'
import { letterOf } from '@pujiang/api/booking/channels.ts'
import { segmentOfPlace } from '@pujiang/api/booking/segments.ts'
import { selectSessions, type SessionRow } from '@pujiang/api/booking/session-rows.ts'
import { keyOf } from '@pujiang/api/fhir/id.ts'
import type { Db, Trx } from '@pujiang/api/storage/pool.ts'
import type { BookingTable, CareRelationTable } from '@pujiang/api/storage/tables.ts'
import type { Insertable } from 'kysely'
import { type Day, dayText } from '../calendar.ts'
import type { City } from '../directory/city.ts'
import { humanNames, type Made } from '../fhir-elements.ts'
import type { Life } from '../history/life.ts'
import { Random } from '../random.ts'
import { favourites, type Wish, wishesOf } from './wishes.ts'

export interface CityBookings {
  appointments: Made[]
  bookings: Insertable<BookingTable>[]
  relations: Insertable<CareRelationTable>[]
  /** Session id → places newly taken. */
  used: Map<string, number>
}

interface Clinic { session: SessionRow; taken: Set<number>; patients: Set<string>; placesMax: number }

/** Clinics of the favourite doctors on the city's first days, with what is already taken in them. */
export interface Clinics { byRole: ReadonlyMap<string, readonly Clinic[]>; wanted: ReturnType<typeof favourites> }

const minutesMs = 60_000
const dayMs = 1440 * minutesMs

/** @param days the city's own days; sessions that the platform made since then are not the generator's to fill. */
export async function loadClinics(db: Db, city: City, days: number): Promise<Clinics> {
  const wanted = favourites(city)
  const roles = new Set<string>([...wanted.values()].flat().map((each) => each.post.role))
  for (const each of city.byDepartment.get('02') ?? []) roles.add(each.post.role)
  for (const each of city.byDepartment.get('11') ?? []) roles.add(each.post.role)
  const sessions = await selectSessions(db).where('s.practitioner_role', 'in', [...roles]).where('s.service_date', '>=', dayText(city.today)).where('s.service_date', '<', dayText(city.today + days))
    .orderBy('s.start_at').orderBy('s.id').execute()
  const rows = await db.selectFrom('booking').select(['session_id', 'no', 'pid']).where('state', '<>', 'cancelled')
    .where('service_date', '>=', dayText(city.today)).execute()
  const clinics = new Map<string, Clinic>(sessions.map((session) => {
    const random = new Random(`${city.seed}/filling/${session.practitioner_role}/${session.service_date}/${session.half}`)
    return [session.id, { session, taken: new Set<number>(), patients: new Set<string>(), placesMax: Math.round(session.capacity * random.pick([0.5, 0.6, 0.7, 0.8, 0.9, 1])) }]
  }))
  for (const row of rows) {
    clinics.get(row.session_id)?.taken.add(row.no)
    clinics.get(row.session_id)?.patients.add(row.pid)
  }
  const byRole = new Map<string, Clinic[]>()
  for (const clinic of clinics.values()) byRole.set(clinic.session.practitioner_role, [...(byRole.get(clinic.session.practitioner_role) ?? []), clinic])
  return { byRole, wanted }
}

export function bookingsOf(city: City, clinics: Clinics, lives: readonly Life[], now: Date): CityBookings {
  const made: CityBookings = { appointments: [], bookings: [], relations: [], used: new Map() }
  for (const life of lives) {
    const random = new Random(`${city.seed}/booking/${life.person.index}`)
    const own: SessionRow[] = []
    for (const wish of wishesOf(city, life, clinics.wanted)) {
      const clinic = chooseClinic(random, clinics.byRole.get(wish.role) ?? [], wish, city.today, own)
      if (clinic) take(random, city.today, clinic, life, now, made)
      if (clinic) own.push(clinic.session)
    }
  }
  return made
}

/** Sooner is likelier; never a full one, nor one on a half-day or in a department and day that the patient has already. */
function chooseClinic(random: Random, list: readonly Clinic[], wish: Wish, today: Day, own: readonly SessionRow[]): Clinic | null {
  const first = dayText(today)
  const possible = list.filter(({ session, taken, placesMax }) => taken.size < placesMax && session.status === 'open'
    && (wish.day === 'soon' || session.service_date === first) && !own.some((each) => each.service_date === session.service_date))
  return possible.length === 0 ? null : random.weighted(possible.map((each, index) => [each, 1 / (index + 1.5 + (each.session.service_date === first ? 1 : 0))] as const))
}

function take(random: Random, today: Day, clinic: Clinic, life: Life, now: Date, made: CityBookings): void {
  const { session, taken, patients } = clinic
  const { person } = life
  const pid = keyOf(person.id)
  if (patients.has(pid)) return
  const free = Array.from({ length: session.capacity }, (_, index) => index + 1).filter((place) => !taken.has(place) && letterOf(session, place) === 'p')
  if (free.length === 0) return
  const place = random.pick(free)
  const segment = segmentOfPlace(session, place)
  const created = new Date(Math.min(today * dayMs - random.int(1, 12) * 60 * minutesMs, segment.start.getTime() - dayMs))
  const id = random.id(created.getTime(), person.shard)
  const over = segment.end.getTime() + 30 * minutesMs < now.getTime()
  const booked = newAppointment({
    id, state: 'booked', session, segment, place, created, heldUntil: null, given: null, channel: 'public',
    patient: { resourceType: 'Patient', id: person.id, name: humanNames(person.name) } as Patient & { id: string },
  })
  taken.add(place)
  patients.add(pid)
  made.used.set(session.id, (made.used.get(session.id) ?? 0) + 1)
  made.appointments.push((over ? appointmentInState(booked, { state: 'fulfilled', reason: null, comment: null }) : booked) as unknown as Made)
  made.bookings.push({
    shard: session.shard, id: keyOf(id), appointment: id, session_id: session.id, no: place, pid, patient: person.id, state: over ? 'fulfilled' : 'booked',
    held_until: null, start_at: segment.start, end_at: segment.end, service_date: session.service_date, organization: session.organization,
    department: session.department, practitioner: session.practitioner, booked_by: 'demo-city', cancel_reason: null, created_at: created, updated_at: created,
  })
  made.relations.push({
    shard: person.shard, pid, practitioner: keyOf(session.practitioner), organization: keyOf(session.organization), department: session.department, reason: 'appointment', reason_id: keyOf(id),
    from_at: new Date(segment.start.getTime() - dayMs), until_at: new Date(segment.start.getTime() + 30 * dayMs),
  })
}

const rowsPerStatement = 500

export async function insertBookings(trx: Trx, made: CityBookings): Promise<void> {
  for (let from = 0; from < made.bookings.length; from += rowsPerStatement) {
    await trx.insertInto('booking').values(made.bookings.slice(from, from + rowsPerStatement)).execute()
  }
  for (const [id, count] of made.used) {
    await trx.updateTable('clinic_session').set((eb) => ({ used: eb('used', '+', count) })).where('id', '=', id).execute()
  }
}
