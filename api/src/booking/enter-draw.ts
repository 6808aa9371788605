/**
 * `POST Appointment/$enter-draw`: asks for a place in a session that is drawn. Input: schedule, patient, slot* (of the segments that suit, the
 * dearest first; none: any). One ticket a patient, whenever it is asked for between opening and closing; asking again answers the same.
 * Answers an Appointment `proposed`, whose identifier is the ticket that the published draw names. `$cancel` on it withdraws.
 */
import type { Appointment, Parameters, ParametersParameter, Patient } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { clockInShanghai, dayInShanghai, instantInShanghai } from '../fhir/date-time.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { fail, notFound, type OutcomeError } from '../fhir/outcome.ts'
import { parseReference } from '../fhir/references.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Operation, OperationCall, OperationResult } from '../records/store.ts'
import { answerOnce } from '../storage/answer-once.ts'
import type { Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { actingFor } from './acting.ts'
import { drawTicketAppointment } from './appointment-resource.ts'
import { lockPatients } from './booking-rows.ts'
import { at, readInput, requiredId } from './operation-input.ts'
import { parseSlotId, segmentIndexOf } from './segments.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'
import { storeAppointment } from './take-place.ts'

export const enterDrawOperation: Operation = {
  name: '$enter-draw', level: 'type', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'Asks for a place in a session that is drawn; answers an Appointment proposed.',
  run: enterDraw,
}

const segmentsMax = 12

async function enterDraw({ db, ctx, store, body, idempotencyKey }: OperationCall): Promise<OperationResult> {
  const { slots, rest } = splitSlots(body)
  const input = readInput(rest, ['schedule', 'patient'])
  const wish = { session: requiredId(input, 'schedule', 'Schedule'), patient: requiredId(input, 'patient', 'Patient'), slots }
  const resource = await inTransaction(db, (trx) => answerOnce(trx, ctx, { key: idempotencyKey, request: `$enter-draw ${JSON.stringify(body)}` }, async () => {
    const { appointment, isNew } = await enter(trx, ctx, wish)
    return isNew ? storeAppointment(trx, ctx, store, appointment, 'create') : appointment
  }))
  return { resource }
}

/** The only parameter of booking that may come more than once. */
function splitSlots(body: unknown): { slots: string[]; rest: unknown } {
  const { parameter } = (body ?? {}) as Partial<Parameters>
  if (!Array.isArray(parameter)) return { slots: [], rest: body }
  const isSlot = (each: ParametersParameter | null) => each?.name === 'slot'
  const slots = parameter.filter(isSlot).map((each) => {
    const parsed = parseReference(each.valueReference?.reference ?? '')
    if (parsed.kind === 'local' && parsed.type === 'Slot') return parsed.id
    throw fail('reference-invalid', { zh: '参数 slot 应为指向 Slot 的引用。', en: 'slot must be a reference to a Slot.' }, at('slot'))
  })
  return { slots, rest: { ...(body as Parameters), parameter: parameter.filter((each) => !isSlot(each)) } }
}

interface DrawWish { session: string; patient: string; slots: readonly string[] }

/** @throws OutcomeError `not-your-patient`, `proxy-not-valid`, `booking-barred`, `draw-closed`, `slot-unknown`, `not-found`. */
async function enter(trx: Trx, ctx: Ctx, wish: DrawWish): Promise<{ appointment: Appointment; isNew: boolean }> {
  const pid = keyOf(wish.patient)
  const acting = await actingFor(trx, ctx, pid)
  if (acting.proxyFault !== null) throw fail('proxy-not-valid', { zh: '您代这位就诊人办理的授权无效或已到期。', en: 'Your permission to act for this patient is not valid.' })
  if (!acting.mayAct) throw fail('not-your-patient', { zh: '您不能为这位就诊人办理。', en: 'You may not arrange appointments for this patient.' })
  const session = isUuid(wish.session) ? await selectSessions(trx).where('s.id', '=', wish.session).executeTakeFirst() : undefined
  if (!session) throw notFound(`Schedule/${wish.session}`)
  const patient = await loadResource<Patient>(trx, 'Patient', wish.patient)
  if (!patient) throw notFound(`Patient/${wish.patient}`)
  // Whoever holds the draw waits for this lock, so no ticket comes after the list is closed. The draw before the patient, as there.
  const draw = await trx.selectFrom('draw').select(['opens_at', 'closes_at', 'drawn_at']).where('session_id', '=', session.id).where('shard', '=', session.shard).forShare().executeTakeFirst()
  if (!draw || draw.drawn_at !== null || Date.parse(draw.closes_at) <= ctx.now.getTime()) throw closed('号源的抽签登记已结束，或该门诊不抽签。', 'The time to enter is over, or places of this clinic are not drawn.')
  if (Date.parse(draw.opens_at) > ctx.now.getTime()) {
    const opens = new Date(draw.opens_at)
    throw closed(`抽签登记于 ${dayInShanghai(opens)} ${clockInShanghai(opens)} 开始。`, `The draw can be entered from ${dayInShanghai(opens)} ${clockInShanghai(opens)}.`)
  }
  const barred = (await lockPatients(trx, [pid])).get(pid) ?? null
  if (barred !== null && barred > ctx.now) throw fail('booking-barred', { zh: `该就诊人在 ${dayInShanghai(barred)} 之前不能网上预约。`, en: `The patient may not book online before ${dayInShanghai(barred)}.` })
  const there = await trx.selectFrom('draw_ticket').select('appointment').where('session_id', '=', session.id).where('pid', '=', pid).where('state', '=', 'entered').executeTakeFirst()
  if (there) return { appointment: await loadResource<Appointment>(trx, 'Appointment', there.appointment) as Appointment, isNew: false }
  const id = ctx.newId(shardOf(pid))
  const ticket = ctx.newId(session.shard)
  await trx.insertInto('draw_ticket').values({
    shard: session.shard, id: ticket, session_id: session.id, appointment: id, pid, patient: wish.patient, entered_by: ctx.principal.id,
    segments: segmentsOf(session, wish.slots), state: 'entered', reason: null, entered_at: ctx.now,
  }).execute()
  return { appointment: drawTicketAppointment({ id, ticket, session, patient: { ...patient, id: wish.patient }, created: instantInShanghai(ctx.now) }), isNew: true }
}

function segmentsOf(session: SessionRow, slots: readonly string[]): number[] {
  if (slots.length > segmentsMax) throw fail('value-invalid', { zh: `最多给出 ${segmentsMax} 个时段。`, en: `Give ${segmentsMax} segments at most.` }, at('slot'))
  return [...new Set(slots.map((each) => {
    const slot = parseSlotId(each)
    if (slot?.session !== session.id || slot.place > session.capacity) throw fail('slot-unknown', { zh: `号源 Slot/${each} 不属于该门诊。`, en: `Slot/${each} is not of this clinic.` }, at('slot'))
    return segmentIndexOf(session, slot.place)
  }))]
}

function isUuid(id: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)
}

function closed(zh: string, en: string): OutcomeError {
  return fail('draw-closed', { zh, en })
}
