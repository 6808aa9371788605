/**
 * Booking on a database of its own, called through the same operations that HTTP calls, with as many callers at once as the test
 * wants. The clock stands at Monday 2026-11-23 07:30 in Shanghai unless moved.
 */
import type { Appointment, Patient } from '@medplum/fhirtypes'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { generateSessions, insertTemplates, registerProviders, type TemplateRow } from '../../src/booking/generate-sessions.ts'
import { operations } from '../../src/catalogue/operations.ts'
import { resourceEntries } from '../../src/catalogue/resource-types.ts'
import { type Ctx, makeCtx } from '../../src/ctx.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { loadModel } from '../../src/fhir/model.ts'
import { OutcomeError } from '../../src/fhir/outcome.ts'
import { loadResource } from '../../src/records/read-resource.ts'
import type { OperationResult, Store } from '../../src/records/store.ts'
import { writeResources } from '../../src/records/write-resources.ts'
import type { Db } from '../../src/storage/pool.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { hospital, plainNumbers } from './booking-data.ts'

/** Parameters that are codes; the others but words are references. */
const codes: ReadonlySet<string> = new Set(['decision', 'channel', 'half', 'clinicType', 'department'])

const system: Principal = { ...anonymous, kind: 'client', id: 'test-system', name: 'Test', scopes: ['system/*.cruds'] }

export function citizenOf(patient: string): Principal {
  return { ...anonymous, kind: 'person', id: `account-${patient}`, name: '市民', role: 'citizen', patient }
}

export interface Desk {
  store: Store
  clock: { now: Date }
  ctx(principal?: Principal): Ctx
  /** Citizens with a Patient of their own. */
  citizens(count: number): Promise<Principal[]>
  sessions(...templates: TemplateRow[]): Promise<string[]>
  /** Runs an operation; a refusal comes back as its first code. */
  run(as: Principal, name: string, input?: Record<string, string | boolean>, options?: { id?: string; key?: string }): Promise<Appointment | string>
}

export function openDesk(db: Db): Desk {
  const store: Store = { base: 'http://127.0.0.1:8080/fhir', model: loadModel(), entries: resourceEntries }
  const all = operations({ gateway: undefined as never })
  const clock = { now: new Date('2026-11-23T07:30:00+08:00') }
  const ctx = (principal: Principal = system) => makeCtx(principal, { now: clock.now })
  return {
    store, clock, ctx,
    async citizens(count) {
      const patients = Array.from({ length: count }, (_, index): Patient => ({
        resourceType: 'Patient', id: newResourceId(null), gender: 'female', birthDate: '1980-05-01',
        name: [{ use: 'official', text: `市民${index + 1}` }, { text: `Shi Min ${index + 1}` }],
      }))
      await inTransaction(db, (trx) => writeResources(trx, ctx(), store, patients.map((resource) => ({ method: 'create', type: 'Patient', id: resource.id ?? null, resource, ifMatch: null })), 'platform'))
      return patients.map((each) => citizenOf(each.id as string))
    },
    async sessions(...templates) {
      await plainNumbers(db)
      await inTransaction(db, async (trx) => {
        await registerProviders(trx, [...new Set(templates.map((each) => each.organization))].map((organization) => hospital({ organization })))
        await insertTemplates(trx, templates)
      })
      await generateSessions(db, '2026-11-23', 14)
      const rows = await db.selectFrom('clinic_session').select('id').where('template_id', 'in', templates.map((each) => each.id)).orderBy('start_at').execute()
      return rows.map((row) => row.id)
    },
    async run(principal, name, input = {}, options = {}) {
      const operation = all.find((each) => each.name === name)
      if (!operation) throw new Error(`There is no ${name}.`)
      const parameter = Object.entries(input).map(([key, value]) => (key === 'reason' || key === 'comment'
        ? { name: key, valueString: value }
        : codes.has(key) ? { name: key, valueCode: value }
        : key === 'from' || key === 'until' ? { name: key, valueDate: value }
        : typeof value === 'boolean' ? { name: key, valueBoolean: value }
        : key === 'earlierThan' ? { name: key, valueReference: { reference: `Appointment/${value}` } }
        : { name: key, valueReference: { reference: `${key.charAt(0).toUpperCase()}${key.slice(1)}/${value}` } }))
      try {
        const result: OperationResult = await operation.run({
          db, ctx: ctx(principal), store, base: 'http://127.0.0.1:8080/fhir', type: 'Appointment', id: options.id ?? null, query: new URLSearchParams(),
          body: { resourceType: 'Parameters', parameter }, idempotencyKey: options.key ?? null, respondAsync: false, lenient: false,
        })
        return result.resource as Appointment
      } catch (error) {
        if (error instanceof OutcomeError) return error.issues[0]?.code ?? ''
        throw error
      }
    },
  }
}

/** What must hold at any time; returns what does not. */
export async function brokenInvariants(db: Db): Promise<string[]> {
  const faults: string[] = []
  const sessions = await db.selectFrom('clinic_session').select(['id', 'used', 'capacity']).execute()
  const bookings = await db.selectFrom('booking').selectAll().execute()
  for (const session of sessions) {
    const active = bookings.filter((each) => each.session_id === session.id && each.state !== 'cancelled')
    if (active.length !== session.used) faults.push(`${session.id}: used ${session.used}, active ${active.length}`)
    if (new Set(active.map((each) => each.no)).size !== active.length) faults.push(`${session.id}: a place twice`)
    if (active.some((each) => each.no > session.capacity)) faults.push(`${session.id}: a place beyond capacity`)
  }
  const statusOf: Record<string, string> = { held: 'pending', offered: 'proposed' }
  for (const booking of bookings.filter((each) => each.state !== 'cooling')) {
    const appointment = await loadResource<Appointment>(db, 'Appointment', booking.appointment)
    const wanted = statusOf[booking.state] ?? booking.state
    if (appointment?.status !== wanted) faults.push(`${booking.appointment}: booking ${booking.state}, Appointment ${appointment?.status}`)
    if (!appointment?.slot?.[0]?.reference?.endsWith(`${booking.session_id}-${booking.no}`)) faults.push(`${booking.appointment}: another slot`)
    const grants = await db.selectFrom('care_relation').select('until_at').where('reason_id', '=', booking.id).execute()
    const open = grants.some((each) => Date.parse(each.until_at) > Math.max(Date.parse(booking.end_at), Date.parse(booking.updated_at)))
    // A missed visit is excused after its day: the record was open until then.
    if (booking.cancel_reason !== 'excused' && open !== ['booked', 'checked-in', 'arrived', 'fulfilled', 'noshow'].includes(booking.state)) faults.push(`${booking.appointment}: ${booking.state}, record ${open ? 'open' : 'closed'}`)
  }
  return faults
}
