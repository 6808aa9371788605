/**
 * A FHIR Claim → what the centre needs of it. Faults of the message itself are refused here as a 4xx and leave no trace at
 * the centre; whether the person is insured is a decision and gets a ClaimResponse. The form: docs/settlement.md, § The message.
 */
import type { Claim, ClaimItem } from '@medplum/fhirtypes'
import {
  chargeItemSystem, divisionOf, hospitalLevelSystem, hospitalLevelUrl, institutionSystem, medicalCategorySystem, messageIdPattern, messageIdSystem, readTerms, regionOfPsnSystem,
} from '../fhir/claim-message.ts'
import { isDate } from '../fhir/date-time.ts'
import { fenOf } from '../fhir/money.ts'
import { type Issue, issue, OutcomeError, type Sentence } from '../fhir/outcome.ts'
import type { ClaimLine } from './adjudicate.ts'
import type { CareKind } from './categories.ts'
import { careKindOf } from './coverage-facts.ts'
import { visitOfClaim } from '../fhir/visit-message.ts'
import { type HospitalLevel, levelOf } from './rules.ts'

export interface ClaimRequest {
  messageId: string
  use: 'claim' | 'predetermination'
  /** Where the person is insured. */
  region: string
  psnNo: string
  provider: string
  /** Six digits: where the institution is. */
  division: string
  level: HospitalLevel
  /** med_type as sent, and what it is to a policy; null when we don't settle it. */
  medicalType: string
  kind: CareKind | null
  /** First day of service; of a stay the admission. */
  begunOn: string
  /** Last day of service: of a stay the discharge, or the last day of an interim bill. */
  endedOn: string
  /** ICD-10. */
  diagnoses: string[]
  /** Which stay an inpatient bill belongs to; null otherwise. */
  stay: string | null
  /** Number of the registered visit whose details these are; null when it names none. */
  visit: string | null
  lines: (ClaimLine & { code: string })[]
  totalFen: bigint
}

export const linesMax = 500
export const icd10System = 'http://hl7.org/fhir/sid/icd-10'

/** @throws OutcomeError `required`, `value-invalid`, `too-many-lines`, `amount-mismatch` with every fault found. */
export function readClaim(claim: Claim, today: string): ClaimRequest {
  const faults: Issue[] = []
  const wrong = (expression: string, text: Sentence) => { faults.push(issue('value-invalid', text, expression)) }
  const messageId = claim.identifier?.find((each) => each.system === messageIdSystem)?.value ?? ''
  if (!messageIdPattern.test(messageId)) wrong('Claim.identifier', { zh: '报文编号须为 30 位：机构编码 12 位、时间 14 位、序号 4 位。', en: 'The message id must have 30 characters: institution 12, time 14, serial 4.' })
  const use = claim.use === 'claim' || claim.use === 'predetermination' ? claim.use : null
  if (use === null) wrong('Claim.use', { zh: 'use 须为 claim 或 predetermination。', en: 'use must be claim or predetermination.' })
  if (claim.status !== 'active') wrong('Claim.status', { zh: '只受理 active 的申报。', en: 'Only an active claim is taken.' })

  const coverage = claim.insurance?.find((each) => each.focal)?.coverage?.identifier
  const region = regionOfPsnSystem(coverage?.system)
  if (region === null || !coverage?.value || coverage.value.length > 30) wrong('Claim.insurance.coverage.identifier', { zh: '缺少参保人员编号及参保地。', en: 'The insured-person number with its region is missing.' })
  const provider = claim.provider?.identifier?.system === institutionSystem ? claim.provider.identifier.value ?? '' : ''
  if (!/^[A-Z0-9]{12}$/.test(provider)) wrong('Claim.provider.identifier', { zh: '缺少 12 位定点医疗机构编码。', en: 'The institution code of 12 characters is missing.' })
  const level = levelOf(claim.extension?.find((each) => each.url === hospitalLevelUrl && each.valueCoding?.system === hospitalLevelSystem)?.valueCoding?.code ?? '')
  if (level === null) wrong(`Claim.extension('${hospitalLevelUrl}')`, { zh: '缺少医院等级编码（01 至 11）。', en: 'The hospital level, 01 to 11, is missing.' })
  const medicalType = claim.type?.coding?.find((each) => each.system === medicalCategorySystem)?.code ?? ''
  if (medicalType === '') wrong('Claim.type', { zh: '缺少医疗类别。', en: 'The medical category is missing.' })
  const begunOn = claim.billablePeriod?.start?.slice(0, 10) ?? ''
  const endedOn = claim.billablePeriod?.end?.slice(0, 10) ?? begunOn
  if (!isDay(begunOn) || begunOn > today) wrong('Claim.billablePeriod.start', { zh: '就诊日期不正确，或晚于今天。', en: 'The day of service is not valid or lies in the future.' })
  else if (!isDay(endedOn) || endedOn > today || endedOn < begunOn) wrong('Claim.billablePeriod.end', { zh: '结束日期不正确，早于开始日期或晚于今天。', en: 'The last day of service is not valid, before the first or in the future.' })
  const diagnoses = (claim.diagnosis ?? []).flatMap((each) => each.diagnosisCodeableConcept?.coding ?? []).filter((each) => each.system === icd10System).flatMap((each) => each.code ?? [])

  const items: ClaimItem[] = Array.isArray(claim.item) ? claim.item : []
  const lines = readLines(items, faults)
  const totalFen = lines.reduce((sum, line) => sum + line.amountFen, 0n)
  if (faults.length === 0 && fenOf(claim.total) !== totalFen) {
    faults.push(issue('amount-mismatch', { zh: '总额与各明细之和不一致。', en: 'The total differs from the sum of the lines.' }, 'Claim.total'))
  }
  const visit = visitOfClaim({ item: items })
  if (visit === undefined) wrong('Claim.item.encounter', { zh: '一份申报只能属于一次就诊。', en: 'A claim belongs to one visit.' })
  if (faults.length > 0) throw new OutcomeError(faults)
  const kind = careKindOf(medicalType)
  return {
    messageId, use: use ?? 'predetermination', region: region ?? '', psnNo: coverage?.value ?? '', provider, division: divisionOf(provider), level: kind?.level ?? level ?? 1,
    medicalType, kind, begunOn, endedOn, diagnoses, stay: kind?.stay ? `${provider}/${begunOn}` : null, visit: visit ?? null, lines, totalFen,
  }
}

function readLines(items: readonly ClaimItem[], faults: Issue[]): ClaimRequest['lines'] {
  if (items.length === 0 || items.length > linesMax) {
    faults.push(issue(items.length > linesMax ? 'too-many-lines' : 'value-invalid', { zh: `明细须为 1 至 ${linesMax} 行。`, en: `A claim has 1 to ${linesMax} lines.` }, 'Claim.item'))
    return []
  }
  const seen = new Set<number>()
  return items.flatMap((item, index) => {
    const at = `Claim.item[${index}]`
    const terms = readTerms(item.extension)
    const quantity = item.quantity?.value ?? Number.NaN
    const unit = fenOf(item.unitPrice)
    const net = fenOf(item.net)
    const code = item.productOrService?.coding?.find((each) => each.system === chargeItemSystem)?.code
    const valid = Number.isInteger(item.sequence) && item.sequence > 0 && !seen.has(item.sequence) && code !== undefined && terms !== null
      && Number.isInteger(quantity) && quantity >= 1 && quantity <= 100_000 && unit !== null && unit >= 0n && net !== null
    if (!valid) {
      faults.push(issue('value-invalid', { zh: '明细须有不重复的序号、项目编码、整数数量、单价、金额和目录等级。', en: 'A line needs a unique sequence, an item code, a whole quantity, price, amount and catalogue class.' }, at))
      return []
    }
    seen.add(item.sequence)
    if (unit * BigInt(quantity) !== net) {
      faults.push(issue('amount-mismatch', { zh: '明细金额不等于单价乘数量。', en: 'The amount of the line is not price times quantity.' }, `${at}.net`))
    }
    return [{ sequence: item.sequence, code, quantity, amountFen: net, ...terms }]
  })
}

/** A day that the calendar has, in full. */
export function isDay(text: string): boolean {
  return text.length === 10 && isDate(text)
}
