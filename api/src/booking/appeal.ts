/**
 * `POST Appointment/[id]/$appeal` (reason): the patient objects to a visit that counts as missed or cancelled late, once, within the days
 * allowed. `POST Appointment/[id]/$excuse` (decision: excused | upheld, reason?): the hospital decides, on an objection or of its own accord; an
 * excused visit counts for nothing and a bar that rested on it ends at once. Every automatic decision against somebody has a person
 * behind it who may undo it (PIPL art. 24).
 */
import type { Appointment } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { addDays, dayInShanghai } from '../fhir/date-time.ts'
import { shardOf } from '../fhir/id.ts'
import { fail, forbidden } from '../fhir/outcome.ts'
import { writeNotices } from '../notices/write-notices.ts'
import type { Operation, Store } from '../records/store.ts'
import type { Trx } from '../storage/pool.ts'
import { type AbsenceRow, refreshStanding, untilOf } from './absences.ts'
import { worksAt } from './acting.ts'
import { appointmentInState } from './appointment-resource.ts'
import { giveBack } from './close-bookings.ts'
import type { OwnFacts } from './facts.ts'
import { at, codeAmong, freeText, type Input, readInput } from './operation-input.ts'
import { changeOwn } from './own-appointment.ts'
import { regionOf } from './parameters.ts'

export const appealOperation: Operation = {
  name: '$appeal', level: 'instance', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'Objects to a visit that counts as missed or cancelled late.',
  run(call) {
    const text = needed(readInput(call.body, ['reason']), 'reason')
    return changeOwn(call, '$appeal', (trx, own) => appeal(trx, call.ctx, own, text))
  },
}

export const excuseOperation: Operation = {
  name: '$excuse', level: 'instance', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'The hospital excuses a missed visit or upholds it.',
  run(call) {
    const input = readInput(call.body, ['decision', 'reason'])
    const decision = codeAmong(input, 'decision', ['excused', 'upheld'])
    if (decision === null) throw missing('decision')
    const text = decision === 'upheld' ? needed(input, 'reason') : freeText(input, 'reason')
    return changeOwn(call, '$excuse', (trx, own) => decide(trx, call.ctx, call.store, own, decision === 'excused', text))
  },
}

function needed(input: Input, name: string): string {
  const text = freeText(input, name)
  if (text === null) throw missing(name)
  return text
}

function missing(name: string) {
  return fail('required', { zh: `缺少参数 ${name}。`, en: `The parameter ${name} is missing.` }, at(name))
}

async function appeal(trx: Trx, ctx: Ctx, own: OwnFacts, text: string): Promise<Appointment> {
  if (!own.facts.mayAct) throw forbidden()
  const row = await absenceOf(trx, own)
  const last = addDays(row.day, own.facts.parameters['noshow.appealDays'])
  if (row.appealed_at !== null || row.decided_at !== null) {
    throw fail('appeal-closed', { zh: '这次记录已经申诉过或已有结论，不能再次申诉。', en: 'This was objected to or decided on already.' })
  }
  if (dayInShanghai(ctx.now) > last) throw fail('appeal-closed', { zh: `申诉期限已于 ${last} 结束。`, en: `Objections were possible until ${last}.` })
  await change(trx, row, { appealed_at: ctx.now, appeal_text: text })
  await writeNotices(trx, ctx, [{ recipient: { kind: 'organization', id: row.organization }, kind: 'absence-appealed', appointment: row.appointment, params: { day: row.day } }])
  return own.appointment
}

async function decide(trx: Trx, ctx: Ctx, store: Store, own: OwnFacts, excused: boolean, text: string | null): Promise<Appointment> {
  if (ctx.principal.role !== 'scheduler' || !worksAt(ctx, own.session.organization)) throw forbidden()
  const row = await absenceOf(trx, own)
  if (row.decided_at !== null) throw fail('appeal-closed', { zh: '这次记录已有结论。', en: 'This was decided on already.' })
  await change(trx, row, { excused, decided_at: ctx.now, decided_by: ctx.principal.name, decision_text: text })
  const standing = await refreshStanding(trx, ctx, row.pid, regionOf(own.session.district_code))
  await writeNotices(trx, ctx, [{
    recipient: { kind: 'patient', id: row.patient }, kind: excused ? 'absence-excused' : 'absence-upheld', appointment: row.appointment,
    params: { day: row.day, reason: text, until: untilOf(standing) },
  }])
  if (!excused || own.row.state !== 'noshow') return own.appointment
  await giveBack(trx, ctx, store, [{ row: own.row, reason: 'excused', comment: text }])
  return appointmentInState(own.appointment, { state: 'cancelled', reason: 'excused', comment: text })
}

/** @throws OutcomeError `appeal-closed` for a visit that counts for nothing. */
async function absenceOf(trx: Trx, { row }: OwnFacts): Promise<AbsenceRow> {
  const found = await trx.selectFrom('absence').selectAll().where('booking', '=', row.id).where('shard', '=', shardOf(row.pid)).executeTakeFirst()
  if (!found) throw fail('appeal-closed', { zh: '这次预约没有计入爽约或临近取消。', en: 'This appointment was not counted as missed or cancelled late.' })
  return found
}

async function change(trx: Trx, row: AbsenceRow, to: Partial<Pick<AbsenceRow, 'excused' | 'decided_by' | 'appeal_text' | 'decision_text'>> & { appealed_at?: Date; decided_at?: Date }): Promise<void> {
  await trx.updateTable('absence').set(to).where('booking', '=', row.booking).where('shard', '=', row.shard).execute()
}
