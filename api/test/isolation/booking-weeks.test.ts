/**
 * Two simulated weeks of a hospital with all that happens: places are held and booked, holds end, bookings are moved and cancelled, returned places cool and
 * are offered to who waits, clinics are suspended and given to other doctors, patients answer or do not, come or stay away, are called and seen.
 * Sweeps run as they do in the city. At the end the books balance: nothing is under way any more, every place and every fen has one explanation, and
 * everybody concerned was told. TEST_SEED and BOOKING_WEEKS draw others and more.
 */
import type { Appointment, Encounter } from '@medplum/fhirtypes'
import { expect, test } from 'vitest'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { expireHolds } from '../../src/booking/expire-holds.ts'
import { followUp } from '../../src/booking/follow-up.ts'
import { markNoShows } from '../../src/booking/mark-no-shows.ts'
import { callNext } from '../../src/booking/queue.ts'
import { returnPlaces } from '../../src/booking/return-places.ts'
import { substituteOperation, suspendOperation } from '../../src/booking/suspend-session.ts'
import { OutcomeError } from '../../src/fhir/outcome.ts'
import { typeCode } from '../../src/fhir/resource-types.ts'
import type { Operation } from '../../src/records/store.ts'
import { writeResources } from '../../src/records/write-resources.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { clinicTemplate, hospitalId } from '../support/booking-data.ts'
import { brokenInvariants, openDesk } from '../support/booking-desk.ts'
import { testDatabase } from '../support/database.ts'
import { clinician } from '../support/platform.ts'

const { db } = await testDatabase()
const desk = openDesk(db)
const seed = Number(process.env.TEST_SEED ?? 20261126)
const runs = Number(process.env.BOOKING_WEEKS ?? 1)
const scheduler: Principal = { ...anonymous, kind: 'person', id: 'account-weeks', name: '挂号处', role: 'scheduler', organization: hospitalId }
const departments = ['03.04', '10'] as const
const doctors = departments.map((_, index) => ['a', 'b', 'c'].map((each) => `weeks-${index}-${each}`))
const first = Date.parse('2026-11-23T06:00:00+08:00')
const hourMs = 3_600_000
const days = 14

const sweeps = async (): Promise<void> => {
  await expireHolds(db, desk.ctx(), desk.store)
  await followUp(db, desk.ctx(), desk.store)
  await returnPlaces(db, desk.ctx(), desk.store)
  await markNoShows(db, desk.ctx(), desk.store)
}

test.each(Array.from({ length: runs }, (_, run) => seed + run))('weeks of seed %i: nobody is left in limbo, and the books balance', async (start) => {
  for (const table of ['wait_log', 'wait_entry', 'booking', 'clinic_session', 'session_template', 'notice', 'absence', 'queue_ticket'] as const) await db.deleteFrom(table).execute()
  let state = start
  const random = (of: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * of)
  }
  const oneOf = <T>(list: readonly T[]): T => list[random(list.length)] as T
  await returnSoon()
  desk.clock.now = new Date(first)
  const people = await desk.citizens(40)
  // Monday to Friday, both departments in the morning, one of them in the afternoon too.
  await desk.sessions(...[1, 2, 3, 4, 5].flatMap((weekday) => [0, 0, 1].map((department, index) => clinicTemplate({
    weekday, department: departments[department] as string, practitioner: doctors[department]?.[(weekday + index) % 3] as string, practitioner_name_zh: `医生${weekday}${index}`, capacity: 6, segment_minutes: 120,
    half: index === 1 ? 'pm' : 'am', start_time: index === 1 ? '13:00' : '08:00', end_time: index === 1 ? '17:00' : '12:00', fee_fen: index === 1 ? 3000n : 5000n, healthcare_service: `weeks-${department}`,
  }))))
  const done = new Map<string, number>()
  const count = (what: string): void => { done.set(what, (done.get(what) ?? 0) + 1) }

  for (let at = first; at < first + days * 24 * hourMs; at += 2 * hourMs) {
    desk.clock.now = new Date(at)
    await Promise.all(Array.from({ length: 8 }, () => citizenActs(oneOf(people))))
    await answers()
    await visits()
    if (new Date(at).getUTCHours() === 2) await hospitalActs()
    await sweeps()
  }
  // Nothing new; what is under way runs out.
  for (let at = first + days * 24 * hourMs; at < first + (days + 16) * 24 * hourMs; at += 12 * hourMs) {
    desk.clock.now = new Date(at)
    await sweeps()
  }
  for (const what of ['booked', 'cancelled', 'moved', 'waits', 'suspended', 'substituted', 'accepted', 'declined', 'seen']) expect([what, (done.get(what) ?? 0) > 0]).toEqual([what, true])
  expect(await brokenInvariants(db)).toEqual([])
  expect(await unexplained()).toEqual([])

  async function citizenActs(person: Principal): Promise<void> {
    const open = await db.selectFrom('clinic_session').select(['id', 'department']).where('status', '=', 'open').where('end_at', '>', desk.clock.now.toISOString()).orderBy('id').execute()
    if (open.length === 0) return
    const session = oneOf(open)
    const slot = `${session.id}-${1 + random(6)}`
    switch (random(6)) {
      case 0: {
        const held = await desk.run(person, '$hold', { slot, patient: person.patient as string })
        if (typeof held !== 'string' && random(2) === 0) await desk.run(person, '$book', { appointment: held.id as string })
        return
      }
      case 1: {
        const from = desk.clock.now.toISOString().slice(0, 10)
        const waits = await desk.run(person, '$join-waitlist', { patient: person.patient as string, organization: hospitalId, department: session.department, from, until: new Date(desk.clock.now.getTime() + 5 * 24 * hourMs).toISOString().slice(0, 10) })
        if (typeof waits !== 'string') count('waits')
        return
      }
      case 2: case 3: {
        const own = await db.selectFrom('booking').select('appointment').where('patient', '=', person.patient as string).where('state', '=', 'booked').orderBy('id').executeTakeFirst()
        if (!own) return
        const answer = random(2) === 0 ? await desk.run(person, '$cancel', {}, { id: own.appointment }) : await desk.run(person, '$reschedule', { slot }, { id: own.appointment })
        if (typeof answer !== 'string') count(answer.id === own.appointment ? 'cancelled' : 'moved')
        return
      }
      default: if (typeof await desk.run(person, '$book', { slot, patient: person.patient as string }) !== 'string') count('booked')
    }
  }

  /** Of those who are asked a third agree, a third decline, and a third keep silent. */
  async function answers(): Promise<void> {
    const asked = await db.selectFrom('booking').select(['appointment', 'patient', 'id']).where((eb) => eb.or([eb('state', '=', 'offered'), eb.and([eb('state', '=', 'booked'), eb('choose_until', 'is not', null)])])).orderBy('id').execute()
    for (const each of asked) {
      const person = people.find((one) => one.patient === each.patient) as Principal
      const does = random(9)
      if (does > 1) continue
      const answer = await respond(person, each.appointment, does === 0 ? 'accepted' : 'declined')
      if (answer === null) count(does === 0 ? 'accepted' : 'declined')
    }
  }

  async function respond(person: Principal, appointment: string, participantStatus: 'accepted' | 'declined'): Promise<string | null> {
    const resource = { resourceType: 'AppointmentResponse' as const, appointment: { reference: `Appointment/${appointment}` }, actor: { reference: `Patient/${person.patient}` }, participantStatus }
    return inTransaction(db, (trx) => writeResources(trx, desk.ctx(person), desk.store, [{ method: 'create', type: 'AppointmentResponse', id: null, resource, ifMatch: null }], 'client')).then(() => null, codeOf)
  }

  /** Of those whose time it is two in three come; the doctor calls and sees them. */
  async function visits(): Promise<void> {
    const now = desk.clock.now.toISOString()
    const due = await db.selectFrom('booking').select(['appointment', 'patient', 'session_id']).where('state', '=', 'booked').where('choose_until', 'is', null).where('start_at', '<=', now).where('end_at', '>=', now).orderBy('id').execute()
    for (const each of due) if (random(3) > 0) await desk.run(people.find((one) => one.patient === each.patient) as Principal, '$check-in', {}, { id: each.appointment })
    const sessions = await db.selectFrom('clinic_session').select(['id', 'practitioner']).where('start_at', '<=', now).where('end_at', '>', new Date(desk.clock.now.getTime() - 2 * hourMs).toISOString()).orderBy('id').execute()
    for (const { id, practitioner } of sessions) {
      for (;;) {
        const called = await inTransaction(db, (trx) => callNext(trx, desk.ctx(clinician(practitioner, hospitalId)), desk.store, id)).catch((error: unknown) => {
          if (error instanceof OutcomeError) return null
          throw error
        })
        if (!called) break
        const visit = {
          resourceType: 'Encounter', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, subject: called.participant.find((one) => one.actor?.reference?.startsWith('Patient/'))?.actor,
          appointment: [{ reference: `Appointment/${called.id}` }], period: { start: now, end: now },
        } as Encounter
        await inTransaction(db, (trx) => writeResources(trx, desk.ctx(), desk.store, [{ method: 'create', type: 'Encounter', id: null, resource: visit, ifMatch: null }], 'client'))
        count('seen')
      }
    }
  }

  /** Each day a clinic of the days to come is suspended, or held by another doctor of the department. */
  async function hospitalActs(): Promise<void> {
    const ahead = await db.selectFrom('clinic_session').select(['id', 'department', 'practitioner']).where('status', '=', 'open').where('start_at', '>', desk.clock.now.toISOString()).where('used', '>', 0).orderBy('id').execute()
    if (ahead.length === 0) return
    const { id, department, practitioner } = oneOf(ahead)
    const suspends = random(2) === 0
    const others = (doctors[departments.indexOf(department as never)] ?? []).filter((each) => each !== practitioner)
    const body = { resourceType: 'Parameters' as const, parameter: suspends ? [{ name: 'reason', valueString: '医生外出' }] : [{ name: 'practitioner', valueReference: { reference: `Practitioner/${oneOf(others)}` } }] }
    if (await onSchedule(suspends ? suspendOperation : substituteOperation, id, body)) count(suspends ? 'suspended' : 'substituted')
  }
}, 240_000)

async function onSchedule(operation: Operation, id: string, body: object): Promise<boolean> {
  return Promise.resolve(operation.run({
    db, ctx: desk.ctx(scheduler), store: desk.store, base: '', type: 'Schedule', id, query: new URLSearchParams(), body: body as never, idempotencyKey: null, respondAsync: false, lenient: false,
  })).then(() => true, (error: unknown) => {
    if (error instanceof OutcomeError) return false
    throw error
  })
}

function codeOf(error: unknown): string {
  if (error instanceof OutcomeError) return error.issues[0]?.code ?? ''
  throw error
}

/** Returned places cool for an hour at most. */
async function returnSoon(): Promise<void> {
  await db.deleteFrom('booking_parameter').where('name', 'in', ['return.minMinutes', 'return.maxMinutes']).execute()
  await db.insertInto('booking_parameter').values([['return.minMinutes', 5], ['return.maxMinutes', 60]].map(([name, value]) => ({
    scope: 'city' as const, scope_id: '310000', name: name as string, value: value as number, from_at: '2020-01-01T00:00:00Z', until_at: null, set_by: 'weeks',
  }))).execute()
}

/** What nobody could explain to the patient, the hospital or the treasurer. */
async function unexplained(): Promise<string[]> {
  const faults: string[] = []
  const rows = await db.selectFrom('booking as b').innerJoin('clinic_session as s', 's.id', 'b.session_id').selectAll('b').select(['s.status', 's.fee_fen as session_fee', 's.substitute_for', 's.practitioner as held_by']).execute()
  const notices = await db.selectFrom('notice').select(['appointment', 'kind']).execute()
  const told = (appointment: string, ...kinds: string[]) => notices.some((each) => each.appointment === appointment && kinds.includes(each.kind))
  for (const row of rows) {
    const at = `${row.appointment} ${row.state} ${row.cancel_reason ?? ''}`.trim()
    if (!['cancelled', 'fulfilled', 'noshow', 'checked-in', 'arrived'].includes(row.state)) faults.push(`${at}: still under way`)
    if (row.choose_until !== null) faults.push(`${at}: still asked`)
    const byHospital = row.cancel_reason === 'provider-suspended' || row.cancel_reason === 'provider-changed'
    // Who agreed to a substitute of a lower fee is owed the difference; else the fee is owed back exactly where the hospital cancelled what was booked.
    const agreed = row.substitute_for !== null && row.practitioner === row.held_by && row.state !== 'cancelled'
    const paid = byHospital && !told(row.appointment, 'hold-suspended')
    if (row.offer_of === null && paid !== (row.refund_fen !== null) && !agreed) faults.push(`${at}: owed back ${row.refund_fen}`)
    if (row.refund_fen !== null && row.refund_fen < 0n) faults.push(`${at}: owed back less than nothing`)
    if (byHospital && row.offer_of === null && !told(row.appointment, 'session-suspended', 'session-suspended-no-choice', 'doctor-substituted', 'hold-suspended')) faults.push(`${at}: was not told`)
    if (row.state === 'fulfilled' && row.status === 'suspended') faults.push(`${at}: seen in a clinic that was suspended`)
  }
  const missed = await db.selectFrom('absence').select('booking').where('kind', '=', 'noshow').execute()
  const noShows = rows.filter((each) => each.state === 'noshow')
  if (missed.length !== noShows.length || noShows.some((each) => !missed.some(({ booking }) => booking === each.id))) faults.push(`${noShows.length} missed visits, ${missed.length} noted`)
  const waits = await db.selectFrom('wait_entry').select(['id', 'state', 'appointment']).execute()
  for (const each of waits) if (each.state === 'waiting' || each.state === 'offered') faults.push(`${each.appointment}: still waits`)
  for (const each of waits.filter(({ state }) => state === 'expired')) if (!told(each.appointment ?? '', 'waitlist-expired')) faults.push(`${each.appointment}: its end was not told`)
  const appointments = await db.selectFrom('resource').select('content').where('t', '=', typeCode('Appointment')).$narrowType<{ content: string }>().execute()
  for (const { content } of appointments) {
    const { id, status } = JSON.parse(content) as Appointment
    if (['pending', 'proposed', 'waitlist'].includes(status)) faults.push(`Appointment/${id}: ${status}`)
  }
  return faults
}
