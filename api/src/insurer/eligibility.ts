/**
 * Who is insured and what is left: Coverage by insured-person number or resident ID number, and the answer to a
 * CoverageEligibilityRequest with deductible, cap and account balances on a day of service.
 */
import type { Coverage, CoverageEligibilityRequest, CoverageEligibilityResponse, CoverageEligibilityResponseInsuranceItemBenefit } from '@medplum/fhirtypes'
import type { Kysely } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { psnSystem, refusalSystem, regionOfPsnSystem, regionSystem, schemeSystem } from '../fhir/claim-message.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { atLeastZero, yuan, yuanText } from '../fhir/money.ts'
import { fail } from '../fhir/outcome.ts'
import { residentIdSystem } from '../fhir/resident-id.ts'
import type { InsurerTables } from '../storage/tables.ts'
import { type Centre, frameOf, peerRegionOf, wayTo } from './centre.ts'
import { refusals } from './claim-response.ts'
import { loadStanding, type Standing } from './coverage-facts.ts'
import { handOn } from './peer.ts'
import { isDay } from './read-claim.ts'
import { type CategoryTerms, type HospitalLevel, valueFor } from './rules.ts'

const coveragesMax = 50

/** Enrolments of a person, newest first; `system|value` of an insured-person number or a resident ID number. */
export async function findCoverages(db: Kysely<InsurerTables>, centre: Centre, identifier: { system: string; value: string }): Promise<Coverage[]> {
  const column = identifier.system === residentIdSystem ? 'resident_id' : 'psn_no'
  if (column === 'psn_no' && regionOfPsnSystem(identifier.system) !== centre.region) return []
  const rows = await db.selectFrom('insured_person as p').innerJoin('enrolment as e', 'e.psn_no', 'p.psn_no')
    .select(['p.psn_no', 'p.name', 'p.resident_id', 'e.scheme', 'e.person_type', 'e.from_date', 'e.until_date'])
    .where(`p.${column}`, '=', identifier.value).where('p.region', '=', centre.region)
    .orderBy('e.from_date', 'desc').limit(coveragesMax).execute()
  return rows.map((row) => ({
    resourceType: 'Coverage',
    id: `${row.psn_no}-${row.from_date}`,
    identifier: [{ system: psnSystem(centre.region), value: row.psn_no }],
    status: 'active',
    type: { coding: [{ system: schemeSystem, code: String(row.scheme) }] },
    subscriberId: row.psn_no,
    beneficiary: { identifier: { system: residentIdSystem, value: row.resident_id }, display: row.name },
    period: { start: row.from_date, ...(row.until_date === null ? {} : { end: row.until_date }) },
    payor: [{ identifier: { system: regionSystem, value: centre.region }, display: `${centre.name.zh}医疗保险事业管理中心` }],
    class: [{ type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/coverage-class', code: 'plan' }] }, value: String(row.person_type) }],
  }))
}

/** The answer of the insured place, which is asked where it is another one. Throws OutcomeError value-invalid, insurer-unreachable. */
export async function checkCoverage(db: Kysely<InsurerTables>, ctx: Ctx, centre: Centre, request: CoverageEligibilityRequest): Promise<CoverageEligibilityResponse> {
  const region = regionOfPsnSystem(coverageIdentifierOf(request)?.system)
  const peer = region !== null && peerRegionOf(ctx.principal) === null ? wayTo(centre, region) : null
  return peer ? handOn(() => peer.checkCoverage(request)) : submitEligibility(db, ctx, centre, request)
}

function coverageIdentifierOf(request: CoverageEligibilityRequest) {
  return request.insurance?.[0]?.coverage?.identifier ?? request.patient?.identifier
}

/** Throws OutcomeError value-invalid. A person who is not insured is an answer, not a fault. */
async function submitEligibility(db: Kysely<InsurerTables>, ctx: Ctx, centre: Centre, request: CoverageEligibilityRequest): Promise<CoverageEligibilityResponse> {
  const coverage = coverageIdentifierOf(request)
  const region = regionOfPsnSystem(coverage?.system)
  const day = request.servicedDate ?? request.servicedPeriod?.start?.slice(0, 10) ?? dayInShanghai(ctx.now)
  if (region === null || !coverage?.value) {
    throw fail('value-invalid', { zh: '缺少参保人员编号及参保地。', en: 'The insured-person number with its region is missing.' }, 'CoverageEligibilityRequest.insurance.coverage.identifier')
  }
  if (!isDay(day)) throw fail('value-invalid', { zh: '就诊日期不正确。', en: 'The day of service is not valid.' }, 'CoverageEligibilityRequest.serviced')
  const standing = await loadStanding(db, centre.region, { region, psnNo: coverage.value, insuredDay: day, benefitDay: day })
  const frame = frameOf(ctx, centre)
  const answer: CoverageEligibilityResponse = {
    resourceType: 'CoverageEligibilityResponse', id: frame.id, status: 'active', purpose: request.purpose ?? ['benefits'],
    patient: { identifier: coverage }, servicedDate: day, created: ctx.now.toISOString(), outcome: 'complete',
    request: request.id ? { reference: `CoverageEligibilityRequest/${request.id}` } : { display: 'CoverageEligibilityRequest' },
    insurer: { identifier: { system: regionSystem, value: centre.region }, display: `${centre.name.zh}医疗保险事业管理中心` },
    insurance: [{ coverage: { identifier: coverage }, inforce: !('refusal' in standing) }],
  }
  if ('refusal' in standing) {
    return { ...answer, disposition: refusals[standing.refusal].zh, error: [{ code: { coding: [{ system: refusalSystem, code: standing.refusal }], text: refusals[standing.refusal].zh } }] }
  }
  return {
    ...answer,
    disposition: standing.policy.name.zh,
    insurance: [{
      coverage: { identifier: coverage }, inforce: true, benefitPeriod: { start: standing.yearFrom },
      item: [{
        category: { coding: [{ system: schemeSystem, code: String(standing.scheme), display: standing.policy.name.zh }] },
        name: standing.policy.id,
        description: bothLanguages(standing),
        benefit: benefits(standing),
      }],
    }],
  }
}

const levels = [1, 2, 3] as const

/** What a person asks at the counter, in both languages. */
function bothLanguages(standing: Standing): string {
  const { policy, insured, used } = standing
  const outpatient = policy.categories.outpatient
  const inpatient = policy.categories.inpatient
  const at = { level: 3 as const, stay: 1 }
  const left = outpatient ? atLeastZero(valueFor(outpatient.deductible.fen, insured, at) - used.deductibleOutpatientFen) : 0n
  const capLeft = atLeastZero(policy.capFen - used.aboveDeductibleFen)
  const ratios = (terms: CategoryTerms | undefined) => (terms ? levels.map((level) => `${valueFor(terms.ratio, insured, { ...at, level }) / 100}%`).join(' / ') : '—')
  return `${policy.name.zh}：门急诊起付线剩余 ${yuanText(left)} 元，一二三级医院支付比例 ${ratios(outpatient)}，住院 ${ratios(inpatient)}，最高支付限额剩余 ${yuanText(capLeft)} 元。`
    + ` ${policy.name.en}: ¥${yuanText(left)} of the outpatient deductible left; the fund pays ${ratios(outpatient)} at level 1 / 2 / 3, inpatient ${ratios(inpatient)}; ¥${yuanText(capLeft)} left below the cap.`
}

function benefits({ policy, insured, used, account }: Standing): CoverageEligibilityResponseInsuranceItemBenefit[] {
  const type = (code: string) => ({ coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/insurance-benefit', code }] })
  const money = (code: string, allowed: bigint, usedUp: bigint): CoverageEligibilityResponseInsuranceItemBenefit => ({
    type: type(code), allowedMoney: yuan(allowed), usedMoney: yuan(usedUp < allowed ? usedUp : allowed),
  })
  const deductible = (code: string, terms: CategoryTerms | undefined, usedUp: bigint, level: HospitalLevel) => (
    terms ? [money(code, valueFor(terms.deductible.fen, insured, { level, stay: 1 }), terms.deductible.per === 'year' ? usedUp : 0n)] : [])
  const ratios = (code: string, terms: CategoryTerms | undefined) => (
    terms ? levels.map((level) => ({ type: type(`${code}-${level}`), allowedString: `${valueFor(terms.ratio, insured, { level, stay: 1 }) / 100}%` })) : [])
  const { outpatient, inpatient } = policy.categories
  return [
    ...deductible('deductible-outpatient', outpatient, used.deductibleOutpatientFen, 3),
    ...deductible('deductible-inpatient', inpatient, used.deductibleInpatientFen, 3),
    ...ratios('ratio-outpatient', outpatient),
    ...ratios('ratio-inpatient', inpatient),
    ...(outpatient?.capFen === undefined || outpatient.capFen === null ? [] : [money('cap-outpatient', outpatient.capFen, used.outpatientAboveFen)]),
    money('cap', policy.capFen, used.aboveDeductibleFen),
    money('account-current', account.currentFen, 0n),
    money('account-prior', account.priorFen, 0n),
  ]
}
