/**
 * `POST Appointment/$join-waitlist`: waits for a place in a department of a hospital. Input: patient, organization, department, from, until
 * (days); practitioner?, clinicType?, half?, earlierThan? (a booked Appointment that an earlier place would replace), autoAccept?, urgent?
 * (a GP for a contracted resident). Answers an Appointment `waitlist`. `$cancel` on it leaves the list. What is offered comes as an
 * Appointment `proposed`, answered by an AppointmentResponse.
 */
import type { Appointment, Patient } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { addDays, addMinutes, dayInShanghai, instantInShanghai, isDate, startOfDay } from '../fhir/date-time.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { fail, notFound } from '../fhir/outcome.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Operation, OperationCall, OperationResult } from '../records/store.ts'
import { answerOnce } from '../storage/answer-once.ts'
import type { Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { actingFor } from './acting.ts'
import { waitlistAppointment } from './appointment-resource.ts'
import { lockPatients } from './booking-rows.ts'
import { findDepartment } from './departments.ts'
import { homeDistanceMetres } from './home-distance.ts'
import { at, codeAmong, type Input, readInput, referencedId, requiredId } from './operation-input.ts'
import { parametersFor, regionOf } from './parameters.ts'
import { storeAppointment } from './take-place.ts'
import type { WaitPriority } from './waitlist-order.ts'

export const joinWaitlistOperation: Operation = {
  name: '$join-waitlist', level: 'type', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'Waits for a place in a department of a hospital; answers an Appointment waitlist.',
  run: joinWaitlist,
}

const known = ['patient', 'organization', 'department', 'from', 'until', 'practitioner', 'clinicType', 'half', 'earlierThan', 'autoAccept', 'urgent'] as const
const clinicTypes = ['ordinary', 'expert', 'disease-specific', 'special-need'] as const

async function joinWaitlist({ db, ctx, store, body, idempotencyKey }: OperationCall): Promise<OperationResult> {
  const input = readInput(body, known)
  const patient = requiredId(input, 'patient', 'Patient')
  const wish: WaitWish = {
    patient, organization: requiredId(input, 'organization', 'Organization'), department: department(input), from: day(input, 'from'), until: day(input, 'until'),
    practitioner: referencedId(input, 'practitioner', 'Practitioner'), clinicType: codeAmong(input, 'clinicType', clinicTypes), half: codeAmong(input, 'half', ['am', 'pm', 'night']),
    earlierThan: referencedId(input, 'earlierThan', 'Appointment'), autoAccept: flag(input, 'autoAccept'), urgent: flag(input, 'urgent'),
  }
  const resource = await inTransaction(db, (trx) => answerOnce(trx, ctx, { key: idempotencyKey, request: `$join-waitlist ${JSON.stringify(body)}` }, async () =>
    storeAppointment(trx, ctx, store, await join(trx, ctx, wish), 'create')))
  return { resource }
}

interface WaitWish {
  patient: string
  organization: string
  department: string
  from: string
  until: string
  practitioner: string | null
  clinicType: (typeof clinicTypes)[number] | null
  half: 'am' | 'pm' | 'night' | null
  earlierThan: string | null
  autoAccept: boolean
  urgent: boolean
}

/** @throws OutcomeError `not-your-patient`, `proxy-not-valid`, `booking-barred`, `waitlist-full`, `waitlist-twice`, `waitlist-closed`, `parameter-invalid`. */
async function join(trx: Trx, ctx: Ctx, wish: WaitWish): Promise<Appointment> {
  const pid = keyOf(wish.patient)
  const acting = await actingFor(trx, ctx, pid)
  if (acting.proxyFault !== null) throw fail('proxy-not-valid', { zh: '您代这位就诊人办理的授权无效或已到期。', en: 'Your permission to act for this patient is not valid.' })
  if (!acting.mayAct) throw fail('not-your-patient', { zh: '您不能为这位就诊人办理候补。', en: 'You may not arrange appointments for this patient.' })
  const patient = await loadResource<Patient>(trx, 'Patient', wish.patient)
  const provider = await trx.selectFrom('clinic_provider').selectAll().where('organization', '=', wish.organization).executeTakeFirst()
  if (!patient) throw notFound(`Patient/${wish.patient}`)
  if (!provider) throw notFound(`Organization/${wish.organization}`)
  const numbers = await parametersFor(trx, { region: regionOf(provider.district_code), organization: wish.organization, department: wish.department, healthcareService: '' }, ctx.now)
  assertDays(wish, ctx.now, numbers['window.daysAhead'])
  const barred = (await lockPatients(trx, [pid])).get(pid) ?? null
  if (barred !== null && barred > ctx.now) throw fail('booking-barred', { zh: `该就诊人在 ${dayInShanghai(barred)} 之前不能网上预约或候补。`, en: `The patient may not book online or wait for a place before ${dayInShanghai(barred)}.` })
  const open = await trx.selectFrom('wait_entry').select(['organization', 'department']).where('pid', '=', pid).where('state', 'in', ['waiting', 'offered']).execute()
  if (open.some((each) => each.organization === wish.organization && each.department === wish.department)) {
    throw fail('waitlist-twice', { zh: '就诊人已在该科室候补。', en: 'The patient waits for this department already.' })
  }
  const most = numbers['waitlist.maxOpen']
  if (open.length >= most) throw fail('waitlist-full', { zh: `同一就诊人最多同时候补 ${most} 个科室。`, en: `A patient may wait for ${most} departments at a time.` })
  const deadline = addMinutes(startOfDay(addDays(wish.until, -1)), numbers['waitlist.deadlineMinuteOfDay'])
  if (deadline <= ctx.now) throw fail('waitlist-closed', { zh: '这些日期的候补已截止，请选择更晚的日期。', en: 'The waitlist for these days is closed. Choose later days.' })
  const replaced = wish.earlierThan === null ? null : await bookedAs(trx, wish, pid)
  const id = ctx.newId(shardOf(pid))
  await trx.insertInto('wait_entry').values({
    shard: shardOf(pid), id: keyOf(id), appointment: id, pid, patient: wish.patient, organization: wish.organization, department: wish.department, practitioner: wish.practitioner,
    clinic_type: wish.clinicType, half: wish.half, from_day: wish.from, until_day: wish.until, priority: await priorityOf(trx, ctx, wish, acting.hasContract, numbers['quota.followUp.visitDays']),
    distance_m: await homeDistanceMetres(trx, patient, provider), earlier_than: replaced, auto_accept: wish.autoAccept, state: 'waiting', joined_at: ctx.now, deadline_at: deadline, offer: null, answer_until: null, updated_at: ctx.now,
  }).execute()
  return waitlistAppointment({
    id, patient: { ...patient, id: wish.patient }, organization: { id: wish.organization, name: { zh: provider.name_zh, en: provider.name_en } }, department: wish.department,
    practitioner: wish.practitioner, clinicType: wish.clinicType, from: instantInShanghai(startOfDay(wish.from)), until: instantInShanghai(addMinutes(startOfDay(addDays(wish.until, 1)), -1)), created: instantInShanghai(ctx.now),
  })
}

/** Urgent by the GP who has the contract, follow-up for those who were there lately, routine for the rest. */
async function priorityOf(trx: Trx, ctx: Ctx, wish: WaitWish, hasContract: boolean, visitDays: number): Promise<WaitPriority> {
  if (wish.urgent) {
    if (!hasContract) throw fail('forbidden', { zh: '只有签约家庭医生可以标记为急需。', en: 'Only the contracted general practitioner may say that it is urgent.' }, at('urgent'))
    return 'urgent'
  }
  const visit = await trx.selectFrom('booking').select('id').where('pid', '=', keyOf(wish.patient)).where('organization', '=', wish.organization).where('department', '=', wish.department)
    .where('state', '=', 'fulfilled').where('service_date', '>=', addDays(dayInShanghai(ctx.now), -visitDays)).limit(1).executeTakeFirst()
  return visit ? 'follow-up' : 'routine'
}

/** Key of the booking that an earlier place would replace: the patient's own, booked, in this department. */
async function bookedAs(trx: Trx, wish: WaitWish, pid: string): Promise<string> {
  const row = await trx.selectFrom('booking').select('id').where('id', '=', keyOf(wish.earlierThan as string)).where('pid', '=', pid).where('organization', '=', wish.organization)
    .where('department', '=', wish.department).where('state', '=', 'booked').executeTakeFirst()
  if (row) return row.id
  throw fail('appointment-not-active', { zh: '没有找到可提前的已预约号。', en: 'There is no booked appointment that an earlier place could replace.' }, at('earlierThan'))
}

function assertDays({ from, until }: WaitWish, now: Date, daysAhead: number): void {
  const today = dayInShanghai(now)
  if (from < today) throw invalid('from', '起始日期不能早于今天。', 'The first day cannot lie before today.')
  if (until < from) throw invalid('until', '结束日期不能早于起始日期。', 'The last day cannot lie before the first.')
  if (until > addDays(today, daysAhead)) throw invalid('until', `只能候补 ${daysAhead} 天内的号源。`, `Places within ${daysAhead} days can be waited for.`)
}

function department(input: Input): string {
  const code: unknown = input.get('department')?.valueCode ?? input.get('department')?.valueCoding?.code
  if (typeof code === 'string' && findDepartment(code)) return code
  throw input.has('department') ? invalid('department', '请给出科室代码，例如 03.04。', 'Give the code of a department, such as 03.04.') : missing('department')
}

function day(input: Input, name: string): string {
  const value: unknown = input.get(name)?.valueDate
  if (value === undefined) throw missing(name)
  if (typeof value === 'string' && value.length === 10 && isDate(value)) return value
  throw invalid(name, '请给出日期，例如 2026-12-01。', 'Give a day, such as 2026-12-01.')
}

function flag(input: Input, name: string): boolean {
  const given = input.get(name)
  if (given === undefined) return false
  if (typeof given.valueBoolean === 'boolean') return given.valueBoolean
  throw invalid(name, '请给出 true 或 false。', 'Give true or false.')
}

function missing(name: string) {
  return fail('required', { zh: `缺少参数 ${name}。`, en: `The parameter ${name} is missing.` }, at(name))
}

function invalid(name: string, zh: string, en: string) {
  return fail('value-invalid', { zh, en }, at(name))
}
