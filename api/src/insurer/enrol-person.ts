/**
 * The registration office: a person enters a scheme, leaves it, moves to another, retires. Invariant: one basic scheme at a time
 * (constraint enrolment_one_scheme); when a person moves, the old insurance goes on until the benefits of the new one begin,
 * at most `transitionMonthsMax`, and counts after it (rank 2). Nothing here touches what is used up: a person who retires keeps
 * the accumulators of the year and meets the new deductible and ratio from the month after the approval.
 */
import type { Coverage } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { psnSystem, schemeSystem } from '../fhir/claim-message.ts'
import { addDays, dayInShanghai } from '../fhir/date-time.ts'
import { fail, type Issue, issue, notFound, OutcomeError, type Sentence } from '../fhir/outcome.ts'
import { residentIdBirthDate, residentIdFault, residentIdFaults, residentIdSex, residentIdSystem } from '../fhir/resident-id.ts'
import type { InsurerDb, InsurerTrx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { Centre } from './centre.ts'
import { findCoverages } from './eligibility.ts'
import type { Scheme } from './enrolment.ts'
import { isDay } from './read-claim.ts'
import { addMonths, benefitsFrom, type Entry, monthAfter, regionTerms } from './transitions.ts'

/** On a Coverage that is sent: who pays, and so whether there is a waiting time. */
export const entryUrl = 'https://pujiang.health/fhir/StructureDefinition/coverage-entry'

interface Wish { psnNo: string; scheme: Scheme; personType: number; from: string; entry: Entry; moves: boolean; residentId: string | null; name: string | null }

export interface EnrolmentRow { scheme: number; person_type: number; from_date: string; until_date: string | null; rank: number; benefits_from: string | null }

/** What becomes of a person's insurances when they enter one: the new row, and the end of the old one. Pure. */
export function planEntry(rows: readonly EnrolmentRow[], wish: Pick<Wish, 'scheme' | 'from' | 'entry' | 'moves'>, region: string):
  { benefitsFrom: string; outgoing: { from_date: string; until: string; rank: 1 | 2 } | null } | { overlaps: EnrolmentRow } {
  const terms = regionTerms(region)
  const others = rows.filter((row) => row.until_date === null || row.until_date >= wish.from)
  const later = others.find((row) => row.from_date >= wish.from)
  if (later) return { overlaps: later }
  const running = others.find((row) => row.rank === 1)
  const ended = rows.filter((row) => row.until_date !== null && row.until_date < wish.from).map((row) => row.until_date ?? '').sort().at(-1) ?? null
  const begins = benefitsFrom(terms.waiting[wish.scheme], wish.entry, wish.from, running ? addDays(wish.from, -1) : ended)
  if (!running) return { benefitsFrom: begins, outgoing: null }
  if (!wish.moves || running.scheme === wish.scheme || running.until_date !== null) return { overlaps: running }
  if (begins === wish.from) return { benefitsFrom: begins, outgoing: { from_date: running.from_date, until: addDays(wish.from, -1), rank: 1 } }
  const last = [addDays(begins, -1), addDays(addMonths(wish.from, terms.transitionMonthsMax), -1)].sort()[0] ?? wish.from
  return { benefitsFrom: begins, outgoing: { from_date: running.from_date, until: last, rank: 2 } }
}

/** `POST /fhir/Coverage`. Throws OutcomeError value-invalid, coverage-overlap. */
export async function enrolPerson(db: InsurerDb, ctx: Ctx, centre: Centre, coverage: Coverage): Promise<Coverage> {
  const wish = readWish(centre, coverage, dayInShanghai(ctx.now))
  await inTransaction(db, async (trx) => {
    await lockPerson(trx, centre, wish)
    const plan = planEntry(await enrolmentsOf(trx, wish.psnNo), wish, centre.region)
    if ('overlaps' in plan) throw overlap(plan.overlaps)
    if (plan.outgoing) {
      await trx.updateTable('enrolment').set({ until_date: plan.outgoing.until, ended_because: 'transferred', rank: plan.outgoing.rank })
        .where('psn_no', '=', wish.psnNo).where('from_date', '=', plan.outgoing.from_date).where('rank', '=', 1).execute()
    }
    await trx.insertInto('enrolment').values({
      psn_no: wish.psnNo, scheme: wish.scheme, person_type: wish.personType, from_date: wish.from, until_date: null, rank: 1,
      benefits_from: plan.benefitsFrom === wish.from ? null : plan.benefitsFrom, ended_because: null,
    }).execute()
  })
  return coverageOf(db, centre, wish.psnNo, wish.from)
}

function readWish(centre: Centre, coverage: Coverage, today: string): Wish {
  const faults: Issue[] = []
  const wrong = (expression: string, text: Sentence) => { faults.push(issue('value-invalid', text, expression)) }
  const psnNo = coverage.identifier?.find((each) => each.system === psnSystem(centre.region))?.value ?? ''
  if (!/^[0-9A-Za-z]{1,30}$/.test(psnNo)) wrong('Coverage.identifier', { zh: '缺少本地区的参保人员编号。', en: 'The insured-person number of this region is missing.' })
  const scheme = Number(coverage.type?.coding?.find((each) => each.system === schemeSystem)?.code)
  if (scheme !== 310 && scheme !== 390) wrong('Coverage.type', { zh: '险种须为 310 或 390。', en: 'The scheme must be 310 or 390.' })
  const personType = Number(coverage.class?.find((each) => each.type?.coding?.some((coding) => coding.code === 'plan'))?.value)
  if (!Number.isInteger(personType) || personType < 11 || personType > 1499) wrong('Coverage.class', { zh: '缺少人员类别（class 为 plan）。', en: 'The person type, a class of type plan, is missing.' })
  const from = coverage.period?.start?.slice(0, 10) ?? ''
  if (!isDay(from)) wrong('Coverage.period.start', { zh: '参保开始日期不正确。', en: 'The first day of the insurance is not valid.' })
  if (coverage.period?.end !== undefined) wrong('Coverage.period.end', { zh: '新参保不填终止日期，请用 $end 终止。', en: 'A new insurance has no end; end it with $end.' })
  const entry = coverage.extension?.find((each) => each.url === entryUrl)?.valueCode ?? 'employer'
  if (entry !== 'employer' && entry !== 'self' && entry !== 'newborn') wrong(`Coverage.extension('${entryUrl}')`, { zh: '参保方式须为 employer、self 或 newborn。', en: 'The kind of entry must be employer, self or newborn.' })
  const { identifier, display } = coverage.beneficiary ?? {}
  const residentId = identifier?.system === residentIdSystem ? identifier.value ?? '' : null
  const fault = residentId === null ? null : residentIdFault(residentId, { allowFictitiousRegion: true, today })
  if (fault) wrong('Coverage.beneficiary.identifier', residentIdFaults[fault])
  if (faults.length > 0) throw new OutcomeError(faults)
  return { psnNo, scheme: scheme as Scheme, personType, from, entry: entry as Entry, moves: coverage.order === 1, residentId, name: display ?? null }
}

/** The person's row, locked; made from the resident ID number when the person is new here. */
async function lockPerson(trx: InsurerTrx, centre: Centre, wish: Wish): Promise<void> {
  if (wish.residentId !== null && wish.name !== null) {
    await trx.insertInto('insured_person').values({
      psn_no: wish.psnNo, region: centre.region, resident_id: wish.residentId, name: wish.name, sex: residentIdSex(wish.residentId),
      birth_date: residentIdBirthDate(wish.residentId), retired_on: null, working_since: null, account_year: null,
    }).onConflict((conflict) => conflict.doNothing()).execute()
  }
  await lockKnownPerson(trx, centre, wish.psnNo)
}

async function lockKnownPerson(trx: InsurerTrx, centre: Centre, psnNo: string): Promise<void> {
  const person = await trx.selectFrom('insured_person').select('psn_no').where('psn_no', '=', psnNo).where('region', '=', centre.region).forUpdate().executeTakeFirst()
  if (!person) throw fail('value-invalid', { zh: '未查到该参保人员编号；首次参保须提供身份证号和姓名。', en: 'This insured-person number is not known; a first enrolment needs the resident ID number and the name.' }, 'Coverage.beneficiary')
}

async function enrolmentsOf(trx: InsurerTrx, psnNo: string): Promise<EnrolmentRow[]> {
  return trx.selectFrom('enrolment').select(['scheme', 'person_type', 'from_date', 'until_date', 'rank', 'benefits_from']).where('psn_no', '=', psnNo).orderBy('from_date').execute()
}

function overlap(row: EnrolmentRow): OutcomeError {
  return fail('coverage-overlap', {
    zh: `该人员自 ${row.from_date} 起已参加险种 ${row.scheme}。如需转换险种，请以 order 为 1 提交；同一险种不能重复参保。`,
    en: `The person is in scheme ${row.scheme} since ${row.from_date}. To move to another scheme send order 1; one scheme can not be entered twice.`,
  }, 'Coverage.period')
}

/** `POST /fhir/Coverage/[id]/$end`: the last day of an insurance. Throws OutcomeError not-found, value-invalid. */
export async function endEnrolment(db: InsurerDb, centre: Centre, id: string, last: { day: string; because: 'interrupted' | 'transferred' | 'ended' }): Promise<Coverage> {
  const { psnNo, from } = coverageKey(id)
  if (!isDay(last.day) || last.day < from) throw fail('value-invalid', { zh: '终止日期不正确，或早于开始日期。', en: 'The last day is not valid or lies before the first.' }, "Parameters.parameter.where(name='end')")
  await inTransaction(db, async (trx) => {
    await lockKnownPerson(trx, centre, psnNo)
    const done = await trx.updateTable('enrolment').set({ until_date: last.day, ended_because: last.because })
      .where('psn_no', '=', psnNo).where('from_date', '=', from).where('rank', '=', 1).where('until_date', 'is', null).executeTakeFirst()
    if (done.numUpdatedRows === 0n) throw notFound(`Coverage/${id}`)
  })
  return coverageOf(db, centre, psnNo, from)
}

/** `POST /fhir/Coverage/[id]/$retire`: from the month after the approval the person is retired. Throws OutcomeError not-found, value-invalid. */
export async function retirePerson(db: InsurerDb, centre: Centre, id: string, approved: string): Promise<Coverage> {
  const { psnNo, from } = coverageKey(id)
  if (!isDay(approved) || approved < from) throw fail('value-invalid', { zh: '退休批准日期不正确，或早于参保日期。', en: 'The day of approval is not valid or lies before the insurance.' }, "Parameters.parameter.where(name='approved')")
  const first = monthAfter(approved)
  await inTransaction(db, async (trx) => {
    await lockKnownPerson(trx, centre, psnNo)
    const done = await trx.updateTable('enrolment').set({ until_date: addDays(first, -1), ended_because: 'retired' })
      .where('psn_no', '=', psnNo).where('from_date', '=', from).where('rank', '=', 1).where('until_date', 'is', null).where('scheme', '=', 310).where('person_type', '=', 11).executeTakeFirst()
    if (done.numUpdatedRows === 0n) throw notFound(`Coverage/${id}`)
    await trx.insertInto('enrolment').values({ psn_no: psnNo, scheme: 310, person_type: 12, from_date: first, until_date: null, rank: 1, benefits_from: null, ended_because: null }).execute()
    await trx.updateTable('insured_person').set({ retired_on: approved }).where('psn_no', '=', psnNo).execute()
  })
  return coverageOf(db, centre, psnNo, first)
}

/** `<insured-person number>-<first day>`, as `findCoverages` gives it. */
function coverageKey(id: string): { psnNo: string; from: string } {
  const [, psnNo = '', from = ''] = /^([0-9A-Za-z]{1,30})-(\d{4}-\d{2}-\d{2})$/.exec(id) ?? []
  if (psnNo === '') throw notFound(`Coverage/${id}`)
  return { psnNo, from }
}

async function coverageOf(db: InsurerDb, centre: Centre, psnNo: string, from: string): Promise<Coverage> {
  const found = (await findCoverages(db, centre, { system: psnSystem(centre.region), value: psnNo })).find((each) => each.period?.start === from)
  if (!found) throw notFound(`Coverage/${psnNo}-${from}`)
  return found
}
