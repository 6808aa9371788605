/**
 * Check-in at the machine or the registrar's desk: by the QR code or its six characters, or by the document alone, which finds the visit of
 * today. Either way name and document have to be those of the patient (identity.ts). Once more is no error: the same number again.
 */
import type { Appointment, Patient } from '@medplum/fhirtypes'
import { type SqlBool, sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { dayInShanghai, instantInShanghai } from '../fhir/date-time.ts'
import { isFhirId, keyOf } from '../fhir/id.ts'
import { fail, forbidden, type OutcomeError } from '../fhir/outcome.ts'
import { normalizeResidentId, residentIdSystem } from '../fhir/resident-id.ts'
import { typeCode } from '../fhir/resource-types.ts'
import { loadResource } from '../records/read-resource.ts'
import { tokenKey } from '../records/search/keys.ts'
import type { Store } from '../records/store.ts'
import type { Trx } from '../storage/pool.ts'
import { assertShown, checkInRow } from './check-in.ts'
import { loadOwnFacts } from './facts.ts'
import { maskedName, type ShownIdentity } from './identity.ts'
import type { Arrival } from './shapes.ts'
import { storeAppointment } from './take-place.ts'

export interface ArrivalWish extends ShownIdentity {
  /** What the QR code says, or the six characters under it; null: found by the document. */
  code: string | null
}

const qrPrefix = 'pujiang:appointment:'
const present = ['booked', 'checked-in', 'arrived'] as const

/** @throws OutcomeError `forbidden`, `check-in-nothing`, `identity-mismatch` and the codes of the rules of check-in. */
export async function checkInAtDesk(trx: Trx, ctx: Ctx, store: Store, wish: ArrivalWish): Promise<Arrival> {
  const { principal } = ctx
  if (principal.kind !== 'person' || principal.role !== 'scheduler' || principal.organization === null) throw forbidden()
  const id = await findVisit(trx, ctx, principal.organization, wish)
  const appointment = id === null ? null : await loadResource<Appointment>(trx, 'Appointment', id)
  if (appointment === null) throw nothingToday()
  const own = await loadOwnFacts(trx, ctx, appointment)
  await assertShown(trx, own, wish)
  if (own.row.state === 'booked') await storeAppointment(trx, ctx, store, await checkInRow(trx, ctx, own), 'update')
  const ticket = await trx.selectFrom('queue_ticket').select('number').where('booking', '=', own.row.id).where('shard', '=', own.row.shard).executeTakeFirst()
  const patient = await loadResource<Patient>(trx, 'Patient', own.row.patient)
  return {
    appointment: own.row.appointment, number: ticket?.number ?? null, name: maskedName(patient?.name?.[0]?.text ?? ''), again: own.row.state !== 'booked',
    place: { zh: own.session.location_name_zh, en: own.session.location_name_en }, doctor: { zh: own.session.practitioner_name_zh, en: own.session.practitioner_name_en },
    start: instantInShanghai(new Date(own.row.start_at)),
  }
}

/** FHIR id of the Appointment at this hospital; null when there is none. By code of any day: the rules say when check-in is open. */
async function findVisit(trx: Trx, ctx: Ctx, organization: string, wish: ArrivalWish): Promise<string | null> {
  const visits = trx.selectFrom('booking').select('appointment').where('organization', '=', organization).where('state', 'in', present).orderBy('start_at').limit(1)
  const code = wish.code?.trim() ?? ''
  const [today, last] = [dayInShanghai(ctx.now), code.replace(/[\s-]/g, '').toLowerCase()]
  if (code.startsWith(qrPrefix)) {
    const id = code.slice(qrPrefix.length)
    return isFhirId(id) ? (await visits.where('id', '=', keyOf(id)).executeTakeFirst())?.appointment ?? null : null
  }
  if (code !== '') {
    const found = await visits.where('service_date', '=', today).where(sql<SqlBool>`right(replace(appointment, '-', ''), 6) = ${last}`).executeTakeFirst()
    return found?.appointment ?? null
  }
  const pid = await personOf(trx, wish.document)
  if (pid === null) return null
  // Several visits on a day: the next one that is not over.
  const found = await visits.where('pid', '=', pid).where('service_date', '=', today).where('end_at', '>', new Date(ctx.now.getTime() - 3_600_000).toISOString()).executeTakeFirst()
  return found?.appointment ?? null
}

/** Key of the Patient with this document; null when none or several have it. */
async function personOf(trx: Trx, document: string): Promise<string | null> {
  const value = normalizeResidentId(document)
  const keys = [residentIdSystem, 'urn:x-sh:ssc', 'urn:oid:2.16.156.10011.1.2'].map((system) => tokenKey('Patient', 'identifier', system, value))
  const { rows } = await sql<{ id: string }>`select r.id from resource r where r.t = ${sql.raw(String(typeCode('Patient')))} and r.keys && ${`{${keys.join()}}`}::bigint[] limit 2`.execute(trx)
  return rows.length === 1 ? rows[0]?.id ?? null : null
}

function nothingToday(): OutcomeError {
  return fail('check-in-nothing', { zh: '没有找到今天在本院的预约，请核对证件或到人工窗口。', en: 'No appointment at this hospital today was found. Check the document, or ask at the desk.' })
}
