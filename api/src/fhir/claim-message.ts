/**
 * The vocabulary of the message between a platform and an insurance centre: systems, extensions, and the split of a bill as
 * adjudication totals. Both sides read and write a Claim through this file, so that they can't drift apart; they share
 * nothing else. Described with examples in docs/settlement.md; categories follow the CodeSystem `adjudication`.
 */
import type { ClaimResponseItem, ClaimResponseTotal, Extension } from '@medplum/fhirtypes'
import { fenOf, yuan } from './money.ts'

const base = 'https://pujiang.health/fhir'

export const messageIdSystem = `${base}/sid/message-id`
export const settlementIdSystem = `${base}/sid/settlement-id`
/** Of an Invoice that was settled without insurance; it never travels. */
export const selfPayNumberSystem = `${base}/sid/self-pay-number`
export const institutionSystem = `${base}/sid/institution-code`
export const chargeItemSystem = `${base}/CodeSystem/charge-item`
export const adjudicationSystem = `${base}/CodeSystem/adjudication`
export const refusalSystem = `${base}/CodeSystem/claim-refusal`
export const hospitalLevelSystem = `${base}/CodeSystem/hospital-level`
export const medicalCategorySystem = `${base}/CodeSystem/medical-category`
export const schemeSystem = `${base}/CodeSystem/insurance-scheme`
export const regionSystem = `${base}/CodeSystem/region`

export const catalogueClassUrl = `${base}/StructureDefinition/charge-catalogue-class`
export const firstPayUrl = `${base}/StructureDefinition/charge-first-pay-ratio`
export const priceLimitUrl = `${base}/StructureDefinition/charge-price-limit`
export const hospitalLevelUrl = `${base}/StructureDefinition/claim-hospital-level`
export const policyUrl = `${base}/StructureDefinition/claim-policy`
export const traceUrl = `${base}/StructureDefinition/claim-trace`
export const deductibleLeftUrl = `${base}/StructureDefinition/claim-deductible-left`
export const schemeUrl = `${base}/StructureDefinition/claim-scheme`

const psnPrefix = 'urn:x-nhsa:psn_no:'

export function psnSystem(region: string): string {
  return `${psnPrefix}${region}`
}

/** Region of an insured-person number's system; null when the system is another one. */
export function regionOfPsnSystem(system: string | undefined): string | null {
  const region = system?.startsWith(psnPrefix) ? system.slice(psnPrefix.length) : ''
  return /^\d{6}$/.test(region) ? region : null
}

/** Does a division (six digits) lie in a region? `310000` holds all of 31, `320500` all of 3205. */
export function holdsDivision(region: string, division: string): boolean {
  return division.startsWith(region.replace(/(00)+$/, ''))
}

/** The division in an institution code: a letter, six digits, five characters of the institution. */
export function divisionOf(institutionCode: string): string {
  return institutionCode.slice(1, 7)
}

/** A message id: institution code 12, yyyyMMddHHmmss 14, serial 4. */
export const messageIdPattern = /^[A-Z0-9]{12}\d{14}[A-Z0-9]{4}$/

/** Insurance terms of a charge line. */
export interface LineTerms {
  catalogueClass: 'A' | 'B' | 'C'
  /** Parts of 10 000; only class B uses it. */
  firstPayParts: number
  /** Price limit of one unit; null when there is none. */
  limitFen: bigint | null
}

export function termExtensions(terms: LineTerms): Extension[] {
  return [
    { url: catalogueClassUrl, valueCode: terms.catalogueClass },
    { url: firstPayUrl, valueDecimal: terms.firstPayParts / 10_000 },
    ...(terms.limitFen === null ? [] : [{ url: priceLimitUrl, valueMoney: yuan(terms.limitFen) }]),
  ]
}

/** Null when the class is missing or unknown, the ratio not in 0..1 or the limit not an amount. */
export function readTerms(extensions: readonly Extension[] | undefined): LineTerms | null {
  const find = (url: string) => extensions?.find((each) => each.url === url)
  const catalogueClass = find(catalogueClassUrl)?.valueCode
  if (catalogueClass !== 'A' && catalogueClass !== 'B' && catalogueClass !== 'C') return null
  const ratio = find(firstPayUrl)?.valueDecimal ?? 0
  const firstPayParts = Math.round(ratio * 10_000)
  const limit = find(priceLimitUrl)
  const limitFen = limit ? fenOf(limit.valueMoney) : null
  if (firstPayParts < 0 || firstPayParts > 10_000 || Math.abs(ratio * 10_000 - firstPayParts) > 1e-6) return null
  if (limit && (limitFen === null || limitFen < 0n)) return null
  return { catalogueClass, firstPayParts, limitFen }
}

/** Who pays what of a bill, by category; fen. */
export const splitCategories = [
  'submitted', 'fullself', 'overlimit', 'firstpay', 'inscope', 'deductible', 'pool', 'supplementary', 'critical', 'aid',
  'civilservant', 'enterprise', 'other', 'account-current', 'account-prior', 'account-family', 'cash',
] as const
export type SplitCategory = (typeof splitCategories)[number]
export type Split = Record<SplitCategory, bigint>

/** Categories that a fund pays. */
export const fundCategories = ['pool', 'supplementary', 'critical', 'aid', 'civilservant', 'enterprise', 'other'] as const satisfies readonly SplitCategory[]
/** Categories that somebody pays: they sum to the bill. */
export const payingCategories = [...fundCategories, 'account-current', 'account-prior', 'account-family', 'cash'] as const satisfies readonly SplitCategory[]

export function emptySplit(): Split {
  return Object.fromEntries(splitCategories.map((category) => [category, 0n])) as Split
}

export function fundOf(split: Split): bigint {
  return fundCategories.reduce((sum, category) => sum + split[category], 0n)
}

export function totalsOf(split: Split): ClaimResponseTotal[] {
  return splitCategories.map((category) => ({ category: { coding: [{ system: adjudicationSystem, code: category }] }, amount: yuan(split[category]) }))
}

/** The split of an answer; null when a category is missing, twice, or no amount in fen. */
export function splitOf(totals: readonly ClaimResponseTotal[] | undefined): Split | null {
  const split = emptySplit()
  const seen = new Set<string>()
  for (const total of totals ?? []) {
    const category = total.category?.coding?.find((each) => each.system === adjudicationSystem)?.code
    const fen = fenOf(total.amount)
    if (category === undefined || !(splitCategories as readonly string[]).includes(category)) continue
    if (fen === null || seen.has(category)) return null
    seen.add(category)
    split[category as SplitCategory] = fen
  }
  return splitCategories.every((category) => seen.has(category)) ? split : null
}

const lineParts = ['fullself', 'overlimit', 'firstpay', 'inscope'] as const satisfies readonly SplitCategory[]

/** What is wrong with a split, in words for a log; null when it adds up. @param sign -1 for a reversal. */
export function splitFault(split: Split, sign: 1 | -1 = 1): string | null {
  const of = (categories: readonly SplitCategory[]) => categories.reduce((sum, category) => sum + split[category], 0n)
  if (splitCategories.some((category) => split[category] * BigInt(sign) < 0n)) return 'an amount has the wrong sign'
  if (split.submitted !== of(lineParts)) return 'the parts of the bill do not sum to it'
  if (split.submitted !== of(payingCategories)) return 'what is paid does not sum to the bill'
  if ((split.inscope - split.deductible) * BigInt(sign) < 0n) return 'the deductible is more than what is in scope'
  return null
}

/** What is wrong with the lines of an answer beside its totals: each line is the sum of its parts, each part of the bill the sum of its lines. Null when nothing is. */
export function linesFault(items: readonly ClaimResponseItem[] | undefined, split: Split): string | null {
  const sums: Record<string, bigint> = { submitted: 0n, fullself: 0n, overlimit: 0n, firstpay: 0n, inscope: 0n }
  for (const item of items ?? []) {
    const parts: Record<string, bigint> = {}
    for (const { category, amount } of item.adjudication ?? []) {
      const code = category?.coding?.find((each) => each.system === adjudicationSystem)?.code ?? ''
      const fen = fenOf(amount)
      if (!(code in sums)) continue
      if (fen === null || fen < 0n || code in parts) return `line ${item.itemSequence} has a part that is no amount`
      parts[code] = fen
      sums[code] = (sums[code] ?? 0n) + fen
    }
    if (parts.submitted === undefined || parts.submitted !== lineParts.reduce((sum, code) => sum + (parts[code] ?? 0n), 0n)) return `line ${item.itemSequence} is not the sum of its parts`
  }
  return (['submitted', ...lineParts] as const).some((code) => sums[code] !== split[code]) ? 'the lines do not sum to the totals' : null
}
