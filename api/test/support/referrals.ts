/** A GP with contracts, a department that receives referrals, and a way to call the operations; on the desk of booking-desk.ts. */
import type { Appointment, Organization, Parameters, Practitioner, Resource, ServiceRequest, Task } from '@medplum/fhirtypes'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { taskStatus } from '../../src/booking/referral/resources.ts'
import { operations } from '../../src/catalogue/operations.ts'
import { keyOf, newResourceId, shardOf } from '../../src/fhir/id.ts'
import { OutcomeError } from '../../src/fhir/outcome.ts'
import { loadResource } from '../../src/records/read-resource.ts'
import { writeResources } from '../../src/records/write-resources.ts'
import type { Db } from '../../src/storage/pool.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { doctorId, hospitalId } from './booking-data.ts'
import type { Desk } from './booking-desk.ts'

export const centreId = '01930000-0000-7a17-8000-0000000000aa'
const person = (id: string, role: Principal['role'], practitioner: string | null, organization: string): Principal =>
  ({ ...anonymous, kind: 'person', id, name: id, role, practitioner, organization })
export const gp = person('account-gp', 'gp', '01930000-0000-7a17-8000-00000000009a', centreId)
export const otherGp = person('account-gp-2', 'gp', '01930000-0000-7a17-8000-00000000009b', '01930000-0000-7a17-8000-0000000000ab')
export const doctor = person('account-doctor', 'clinician', doctorId, hospitalId)
export const stranger = person('account-other-doctor', 'clinician', '01930000-0000-7a17-8000-0000000000d9', hospitalId)
export const office = person('account-office', 'scheduler', null, hospitalId)

export async function contract(db: Db, patient: string, by: Principal = gp): Promise<void> {
  await db.insertInto('care_relation').values({
    shard: shardOf(keyOf(patient)), pid: keyOf(patient), practitioner: keyOf(by.practitioner as string), organization: keyOf(by.organization as string), department: '02',
    reason: 'gp-contract', reason_id: keyOf(newResourceId(null)), from_at: '2026-01-01T00:00:00Z', until_at: '2027-12-31T00:00:00Z',
  }).execute()
}

/** The hospitals and doctors as resources, for what references them. */
export async function people(db: Db, desk: Desk): Promise<void> {
  const resources: (Organization | Practitioner)[] = [
    ...[hospitalId, centreId].map((id): Organization => ({ resourceType: 'Organization', id, name: id })),
    ...[gp, otherGp, doctor, stranger].map((each): Practitioner => ({ resourceType: 'Practitioner', id: each.practitioner as string, name: [{ text: each.name }] })),
  ]
  await inTransaction(db, (trx) => writeResources(trx, desk.ctx(), desk.store, resources.map((resource) => ({ method: 'create', type: resource.resourceType, id: resource.id ?? null, resource, ifMatch: null })), 'platform'))
}

type Value = string | boolean
const references: Readonly<Record<string, string>> = {
  patient: 'Patient', organization: 'Organization', practitioner: 'Practitioner', slot: 'Slot', appointment: 'Appointment', referral: 'ServiceRequest',
}
const codes: ReadonlySet<string> = new Set(['department', 'priority', 'step', 'channel'])

/** Runs an operation of a type; a refusal comes back as its codes. */
export async function call(db: Db, desk: Desk, as: Principal, type: 'ServiceRequest' | 'Appointment', name: string, input: Record<string, Value> = {}, options: { id?: string; key?: string } = {}): Promise<Resource | string> {
  const operation = operations({ gateway: undefined as never }).find((each) => each.name === name)
  if (!operation) throw new Error(`There is no ${name}.`)
  const parameter = Object.entries(input).map(([key, value]) => (key in references
    ? { name: key, valueReference: { reference: `${references[key]}/${value}` } }
    : codes.has(key) ? { name: key, valueCode: value } : { name: key, valueString: value }))
  try {
    const { resource } = await operation.run({
      db, ctx: desk.ctx(as), store: desk.store, base: 'http://127.0.0.1:8080/fhir', type, id: options.id ?? null, query: new URLSearchParams(),
      body: { resourceType: 'Parameters', parameter }, idempotencyKey: options.key ?? null, respondAsync: false, lenient: false,
    })
    if (!resource) throw new Error('The operation answered nothing.')
    return resource
  } catch (error) {
    if (error instanceof OutcomeError) return error.issues.map((each) => each.code).join(' ')
    throw error
  }
}

export interface Paper { id: string; code: string; pin: string }

/** Refers, and fails the test where that is refused. */
export async function refer(db: Db, desk: Desk, patient: string, given: Record<string, Value> = {}): Promise<Paper> {
  const answer = await call(db, desk, gp, 'ServiceRequest', '$refer', { patient, organization: hospitalId, department: '03.04', reason: '反复胸闷，请专科评估', ...given })
  if (typeof answer === 'string') throw new Error(answer)
  return paperIn(answer as Parameters)
}

export function paperIn({ parameter = [] }: Parameters): Paper {
  const text = (name: string) => parameter.find((each) => each.name === name)?.valueString ?? ''
  return { id: (parameter.find((each) => each.name === 'referral')?.resource as ServiceRequest).id as string, code: text('code'), pin: text('pin') }
}

export async function step(db: Db, desk: Desk, as: Principal, id: string, name: string, given: Record<string, Value> = {}): Promise<string> {
  const answer = await call(db, desk, as, 'ServiceRequest', '$referral-step', { step: name, ...given }, { id })
  return typeof answer === 'string' ? answer : (answer as Task).businessStatus?.coding?.[0]?.code ?? ''
}

export async function book(db: Db, desk: Desk, as: Principal, input: Record<string, Value>, verb: '$book' | '$hold' = '$book'): Promise<Appointment | string> {
  return await call(db, desk, as, 'Appointment', verb, input) as Appointment | string
}

export async function stateOf(db: Db, id: string): Promise<string> {
  return (await db.selectFrom('referral').select('state').where('id', '=', keyOf(id)).executeTakeFirstOrThrow()).state
}

/** What must hold of referrals at any time; returns what does not. */
export async function brokenReferrals(db: Db): Promise<string[]> {
  const faults: string[] = []
  for (const row of await db.selectFrom('referral').selectAll().execute()) {
    const over = ['completed', 'cancelled', 'expired'].includes(row.state)
    if (over !== (row.deadline_at === null)) faults.push(`${row.code}: ${row.state} with deadline ${row.deadline_at}`)
    const kept = await db.selectFrom('booking').select(['id', 'state']).where('referral', '=', row.id).where('state', 'not in', ['cancelled', 'noshow']).execute()
    if (kept.length > 1) faults.push(`${row.code}: ${kept.length} places`)
    const booked = kept.find((each) => each.state !== 'held')
    if ((row.state === 'booked') !== (booked !== undefined && booked.state !== 'fulfilled')) faults.push(`${row.code}: ${row.state}, booking ${booked?.state}`)
    if (row.state === 'booked' && row.booking !== booked?.id) faults.push(`${row.code}: another booking`)
    const task = await loadResource<Task>(db, 'Task', row.task)
    if (task?.status !== taskStatus[row.state] || task.businessStatus?.coding?.[0]?.code !== row.state) faults.push(`${row.code}: ${row.state}, Task ${task?.status}`)
    const request = await loadResource<ServiceRequest>(db, 'ServiceRequest', row.request)
    const wanted = over && row.state !== 'completed' ? 'revoked' : ['answered', 'completed'].includes(row.state) ? 'completed' : 'active'
    if (request?.status !== wanted) faults.push(`${row.code}: ${row.state}, ServiceRequest ${request?.status}`)
    const events = await db.selectFrom('referral_event').select(['from_state', 'to_state']).where('referral', '=', row.id).orderBy('id').execute()
    if (events.at(-1)?.to_state !== row.state || events.some((each, index) => index > 0 && each.from_state !== events[index - 1]?.to_state)) faults.push(`${row.code}: events do not lead to ${row.state}`)
  }
  return faults
}
