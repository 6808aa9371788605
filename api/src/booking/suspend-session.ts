/**
 * `POST Schedule/[id]/$suspend` and `$substitute`: a clinic that will not be held, or by somebody else. The session changes first, in a
 * transaction of its own: from then on nobody books it. Then each booking is followed up by itself (follow-up.ts), so that a clinic
 * of a hundred patients locks nobody for long; what a crash leaves undone the worker does. Nobody is left in limbo: every booking
 * gets choices and a deadline, or is cancelled at once with the fee owed back, and everybody concerned gets a notice.
 */
import type { Schedule } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { fail, forbidden, notFound, type OutcomeError } from '../fhir/outcome.ts'
import { writeNotices } from '../notices/write-notices.ts'
import { readResource } from '../records/read-resource.ts'
import { resourceOf } from '../records/content.ts'
import type { Operation, OperationCall, OperationResult } from '../records/store.ts'
import type { Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { worksAt } from './acting.ts'
import { endSessions, lockSessions, thisTransaction } from './booking-rows.ts'
import { followUpSession } from './follow-up.ts'
import { noticeParams } from './notice-params.ts'
import { freeText, readInput, requiredId } from './operation-input.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'

export const suspendOperation: Operation = {
  name: '$suspend', level: 'instance', types: ['Schedule'], methods: ['POST'], affectsState: true,
  summary: 'Suspends a clinic session; its patients get other places to choose from.',
  run: (call) => change(call, ['reason'], async (trx, session, reason) => {
    if (session.status !== 'open') throw notOpen()
    await endSessions(trx, [session.id], { status: 'suspended', reason, now: call.ctx.now })
    await tellDoctor(trx, call.ctx, session, session.practitioner, 'session-suspended-doctor')
  }),
}

export const substituteOperation: Operation = {
  name: '$substitute', level: 'instance', types: ['Schedule'], methods: ['POST'], affectsState: true,
  summary: 'Gives a clinic session to another doctor; its patients are asked whether they agree.',
  run: (call) => change(call, ['practitioner', 'reason'], async (trx, session, reason) => {
    const substitute = requiredId(readInput(call.body, ['practitioner', 'reason']), 'practitioner', 'Practitioner')
    await substituted(trx, call.ctx, session, substitute, reason)
  }),
}

async function change(call: OperationCall, names: readonly string[], make: (trx: Trx, session: SessionRow, reason: string | null) => Promise<void>): Promise<OperationResult> {
  const { db, ctx, store, id, body } = call
  // Sessions have ids of ours only.
  if (id === null || keyOf(id) !== id) throw notFound(`Schedule/${id ?? ''}`)
  const reason = freeText(readInput(body, names), 'reason')
  await inTransaction(db, async (trx) => {
    await lockSessions(trx, [id])
    const session = await selectSessions(trx).where('s.id', '=', id).executeTakeFirst()
    if (!session) throw notFound(`Schedule/${id}`)
    assertMayRun(ctx, session)
    if (Date.parse(session.end_at) <= ctx.now.getTime()) throw fail('slot-in-past', { zh: '该门诊已经结束。', en: 'This clinic is over.' })
    await make(trx, session, reason)
  })
  await followUpSession(db, ctx, store, id)
  return { resource: resourceOf<Schedule>(await readResource(db, ctx, store, 'Schedule', id)) }
}

/** The desk of the hospital, or its own system. */
function assertMayRun(ctx: Ctx, session: SessionRow): void {
  const { principal } = ctx
  if (principal.kind === 'client' && (principal.organization === null || principal.organization === session.organization)) return
  if (principal.role !== 'scheduler' || !worksAt(ctx, session.organization)) throw forbidden()
}

function notOpen(): OutcomeError {
  return fail('session-closed', { zh: '该门诊已停诊。', en: 'This clinic has been suspended already.' })
}

async function substituted(trx: Trx, ctx: Ctx, session: SessionRow, practitioner: string, reason: string | null): Promise<void> {
  if (session.status !== 'open') throw notOpen()
  if (session.substitute_for !== null || practitioner === session.practitioner) {
    throw fail('business-rule', { zh: '该门诊已安排替诊，或替诊医生就是原医生。', en: 'This clinic has a substitute already, or the substitute is the same doctor.' })
  }
  // Somebody of the same department who holds clinics of their own: their weekly pattern says title, role and fee.
  const own = await trx.selectFrom('session_template').select(['practitioner_role', 'practitioner_name_zh', 'practitioner_name_en', 'title', 'fee_fen'])
    .where('practitioner', '=', practitioner).where('organization', '=', session.organization).where('department', '=', session.department).limit(1).executeTakeFirst()
  if (!own) throw fail('reference-unresolved', { zh: '替诊医生应在本院同一科室出诊。', en: 'The substitute must hold clinics in this department of the hospital.' })
  const busy = await trx.selectFrom('clinic_session').select('id').where('practitioner', '=', practitioner).where('status', '=', 'open')
    .where('start_at', '<', session.end_at).where('end_at', '>', session.start_at).limit(1).executeTakeFirst()
  if (busy) throw fail('business-rule', { zh: '替诊医生在该时间有自己的门诊。', en: 'The substitute has a clinic of their own at that time.' })
  const fee = own.fee_fen < session.fee_fen ? own.fee_fen : session.fee_fen
  await trx.updateTable('clinic_session').set({
    practitioner, practitioner_role: own.practitioner_role, practitioner_name_zh: own.practitioner_name_zh, practitioner_name_en: own.practitioner_name_en,
    title: own.title, fee_fen: fee, substitute_for: session.practitioner, status_reason: reason, updated_at: ctx.now, changed: thisTransaction,
  }).where('id', '=', session.id).where('shard', '=', session.shard).execute()
  await tellDoctor(trx, ctx, session, session.practitioner, 'session-substituted-doctor')
  await tellDoctor(trx, ctx, session, practitioner, 'session-taken-over')
}

async function tellDoctor(trx: Trx, ctx: Ctx, session: SessionRow, practitioner: string, kind: string): Promise<void> {
  await writeNotices(trx, ctx, [{ recipient: { kind: 'practitioner', id: practitioner }, kind, params: noticeParams(session, new Date(session.start_at)), appointment: null }])
}
