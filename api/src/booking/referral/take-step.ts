/**
 * One step of a referral: decided by the table (steps.ts), written with its deadline, its event, the ServiceRequest, the Task and the notices of
 * whoever has to know, in the caller's transaction and under the locks of patient and referral. The record opens to the receiving
 * hospital with the ServiceRequest and closes with it (records/keep-access.ts).
 */
import type { Annotation, ServiceRequest, Task } from '@medplum/fhirtypes'
import type { Ctx } from '../../ctx.ts'
import { addMinutes, dayInShanghai, instantInShanghai } from '../../fhir/date-time.ts'
import { loadResource } from '../../records/read-resource.ts'
import type { Store } from '../../records/store.ts'
import { writeResources } from '../../records/write-resources.ts'
import type { Trx } from '../../storage/pool.ts'
import type { Parameters } from '../parameter-definitions.ts'
import { parametersFor, regionOf } from '../parameters.ts'
import { noticesOf } from './notices.ts'
import { partiesOf } from './parties.ts'
import { answerIn, appointmentIn, requestOf, taskOf, wordsOf } from './resources.ts'
import { changeReferral, hasOpenReferral, holdsClinics, logReferral, type ReferralChange, type ReferralRow } from './rows.ts'
import { checkStep, type ReferralState, states, type StepName } from './steps.ts'
import { notFound } from '../../fhir/outcome.ts'
import { writeNotices } from '../../notices/write-notices.ts'

export interface Target { organization: string; department: string; practitioner: string | null }

export interface StepGiven {
  /** A question, an answer, an addition; null when nothing is said. */
  words: string | null
  target: Target | null
  /** Of `book`: key and FHIR id of the booking's Appointment, and when the visit should be over. */
  visit: { booking: string; appointment: string; end: Date } | null
}

export const nothingGiven: StepGiven = { words: null, target: null, visit: null }

export interface Stepped { row: ReferralRow; request: ServiceRequest; task: Task }

/** Takes a step and stores what follows. @throws OutcomeError of the rules, `not-found` for whoever is nothing to the referral. */
export async function takeStep(trx: Trx, ctx: Ctx, store: Store, row: ReferralRow, step: StepName, given: StepGiven = nothingGiven): Promise<Stepped> {
  const stepped = await makeStep(trx, ctx, row, step, given)
  await storeReferral(trx, ctx, store, stepped, 'update')
  return stepped
}

/** Takes a step but leaves ServiceRequest and Task to be stored by the caller. */
export async function makeStep(trx: Trx, ctx: Ctx, row: ReferralRow, step: StepName, given: StepGiven): Promise<Stepped> {
  const parties = await partiesOf(trx, ctx, row)
  if (parties.size === 0) throw notFound(`ServiceRequest/${row.request}`)
  const state = checkStep(step, {
    state: row.state, escalation: row.escalation, parties, expired: Date.parse(row.expires_at) <= ctx.now.getTime(), words: given.words,
    target: given.target && {
      holdsClinics: await holdsClinics(trx, given.target, dayInShanghai(ctx.now)),
      taken: await hasOpenReferral(trx, { pid: row.pid, ...given.target }, row.id),
    },
  })
  const numbers = await numbersOf(trx, ctx, given.target ?? row)
  const changed = await changeReferral(trx, ctx, row, { ...given.target, state, ...bookingOf(row, step, given), ...dueFrom(ctx.now, state, row, numbers, given) })
  await logReferral(trx, ctx, { referral: row.id, step, from: row.state, to: state })
  await writeNotices(trx, ctx, noticesOf(step, row, changed))
  return { row: changed, ...await resourcesOf(trx, ctx, changed, step, given) }
}

/** `mode` create: of a new referral. `except`: what the caller stores itself. */
export async function storeReferral(trx: Trx, ctx: Ctx, store: Store, { row, request, task }: Stepped, method: 'create' | 'update', except: 'ServiceRequest' | 'Task' | null = null): Promise<void> {
  await writeResources(trx, ctx, store, [
    ...(except === 'ServiceRequest' ? [] : [{ method, type: 'ServiceRequest' as const, id: row.request, resource: request, ifMatch: null }]),
    ...(except === 'Task' ? [] : [{ method, type: 'Task' as const, id: row.task, resource: task, ifMatch: null }]),
  ], 'platform')
}

/** Until when the owner of a state should act, and when the first one is told that they did not. */
export function dueFrom(now: Date, state: ReferralState, row: Pick<ReferralRow, 'priority' | 'expires_at'>, numbers: Parameters, given: StepGiven): Required<Pick<ReferralChange, 'deadline_at' | 'escalation' | 'escalate_at'>> {
  const { time, expires } = states[state]
  if (time === null) return { deadline_at: null, escalation: 0, escalate_at: null }
  const { number, unit } = time[row.priority]
  const minutes = numbers[number] * (unit === 'hours' ? 60 : 24 * 60)
  const due = addMinutes(state === 'booked' && given.visit ? given.visit.end : now, minutes).toISOString()
  // Compared as instants: the row's text may carry another form.
  const deadline = expires && Date.parse(row.expires_at) < Date.parse(due) ? row.expires_at : due
  return { deadline_at: deadline, escalation: 0, escalate_at: deadline }
}

/** The numbers of the receiving hospital. */
export async function numbersOf(trx: Trx, ctx: Ctx, at: Pick<Target, 'organization' | 'department'>): Promise<Parameters> {
  const provider = await trx.selectFrom('clinic_provider').select('district_code').where('organization', '=', at.organization).executeTakeFirst()
  return parametersFor(trx, { region: regionOf(provider?.district_code ?? '310000'), organization: at.organization, department: at.department, healthcareService: '' }, ctx.now)
}

function bookingOf(row: ReferralRow, step: StepName, { visit }: StepGiven): ReferralChange {
  if (step === 'book') return { booking: visit?.booking ?? null }
  return step === 'unbook' || step === 'missed' ? { booking: null } : { booking: row.booking }
}

async function resourcesOf(trx: Trx, ctx: Ctx, row: ReferralRow, step: StepName, { words, visit }: StepGiven): Promise<Pick<Stepped, 'request' | 'task'>> {
  const [request, task] = await Promise.all([loadResource<ServiceRequest>(trx, 'ServiceRequest', row.request), loadResource<Task>(trx, 'Task', row.task)])
  const said: Annotation[] = words === null || step === 'answer' ? [] : [{ time: instantInShanghai(ctx.now), authorString: ctx.principal.name, text: words }]
  const before = wordsOf(request)
  return {
    request: requestOf(row, { ...before, added: step === 'resubmit' ? [...before.added, ...said] : before.added }),
    task: taskOf(row, {
      notes: [...task?.note ?? [], ...said], answer: step === 'answer' ? words : answerIn(task),
      appointment: step === 'book' ? visit?.appointment ?? null : row.booking === null ? null : appointmentIn(task),
    }),
  }
}
