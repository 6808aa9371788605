/**
 * Who pays what of a bill. Pure: facts in, amounts and their trace out. The order is fixed:
 *   lines → own expense F, above limit O, first-pay P, in scope I        S = F + O + P + I
 *   current-year account → deductible → pooled fund up to the cap → supplementary fund above it
 *   → critical illness → medical aid → prior-year account → cash
 * Each share is rounded half-up to the fen, once. The cap compares with in-scope expense above the deductible, not with
 * what the fund paid. Source and worked examples: docs/settlement.md, § How a bill is split.
 */
import { emptySplit, type LineTerms, type Split } from '../fhir/claim-message.ts'
import { bandFor, type CategoryTerms, type Circumstances, type FilingKind, type Insured, type MedicalCategory, type Policy, reducedParts } from './rules.ts'
import { Trace, type TraceStep } from './trace.ts'

export interface ClaimLine extends LineTerms {
  sequence: number
  quantity: number
  amountFen: bigint
}

export interface Facts {
  policy: Policy
  category: MedicalCategory
  at: Circumstances
  insured: Insured
  /** How treatment in another region was filed; null at home and where no filing is needed. */
  filing: FilingKind | null
  /** The bill is for an illness of the critical-illness list. */
  criticalIllness: boolean
  /** The person is entitled to medical aid. */
  aid: boolean
  lines: readonly ClaimLine[]
  used: UsedUp
  account: { currentFen: bigint; priorFen: bigint }
}

/** Used up in the benefit year. */
export interface UsedUp {
  /** Of the category's deductible; where the policy counts by stay, of this stay. */
  deductibleFen: bigint
  /** In scope above the deductible and below the cap. */
  aboveDeductibleFen: bigint
  /** The part of it that this category brought. */
  categoryAboveFen: bigint
  /** Shared by the fund above the cap. */
  aboveCapFen: bigint
  /** Own share within scope that critical-illness insurance looked at. */
  selfFen: bigint
  aidFen: bigint
}

export interface LineSplit { sequence: number; amountFen: bigint; fullSelfFen: bigint; overLimitFen: bigint; firstPayFen: bigint; inScopeFen: bigint }

export interface Adjudication {
  split: Split
  lines: LineSplit[]
  /** Added to the accumulators of the benefit year when this is settled. */
  grows: UsedUp
  /** What is left of the deductible of this category afterwards. */
  deductibleLeftFen: bigint
  trace: TraceStep[]
}

/** The policy must have terms for the category. */
export function adjudicate(facts: Facts): Adjudication {
  const terms = facts.policy.categories[facts.category]
  if (!terms) throw new Error(`Policy ${facts.policy.id} has no terms for ${facts.category}.`)
  const trace = new Trace(facts.policy.rounding)
  const lines = facts.lines.map((line) => splitLine(trace, line))
  sumLines(trace, facts.lines)
  basicInsurance(trace, facts, terms)
  furtherLayers(trace, facts)
  personalPart(trace, facts)
  const amount = (name: string) => trace.value(name)
  return {
    split: {
      ...emptySplit(),
      submitted: amount('submitted'), fullself: amount('fullself'), overlimit: amount('overlimit'), firstpay: amount('firstpay'), inscope: amount('inscope'),
      deductible: amount('deductible'), pool: amount('pool'), supplementary: amount('supplementary'), critical: amount('critical'), aid: amount('aid'),
      'account-current': amount('account-current'), 'account-prior': amount('account-prior'), cash: amount('cash'),
    },
    lines,
    grows: {
      deductibleFen: amount('deductible'), aboveDeductibleFen: amount('below-cap'), categoryAboveFen: amount('below-cap'), aboveCapFen: amount('above-cap-shared'),
      selfFen: amount('self-counted'), aidFen: amount('aid'),
    },
    deductibleLeftFen: trace.excess('deductible-left-after', ['deductible-left', 'deductible']),
    trace: trace.steps,
  }
}

/**
 * C is own expense whole. Else: what is above the limit, then for B the first-pay share of the rest; what remains is in scope. What does not
 * apply to a line has no step and is nought.
 */
export function splitLine(trace: Trace, line: ClaimLine): LineSplit {
  const { catalogueClass, limitFen } = line
  const at = (part: LinePart | 'limit' | 'within') => stepOfLine(line, part)
  const rule = `class ${catalogueClass}`
  const split: LineSplit = { sequence: line.sequence, amountFen: trace.given(at('amount'), line.amountFen), fullSelfFen: 0n, overLimitFen: 0n, firstPayFen: 0n, inScopeFen: 0n }
  if (catalogueClass === 'C') return { ...split, fullSelfFen: trace.share(at('fullself'), at('amount'), 10_000, { rule }) }
  if (limitFen !== null) {
    trace.given(at('limit'), limitFen * BigInt(line.quantity))
    split.overLimitFen = trace.excess(at('overlimit'), [at('amount'), at('limit')])
    trace.excess(at('within'), [at('amount'), at('overlimit')])
  }
  const within = limitFen === null ? at('amount') : at('within')
  if (catalogueClass === 'A') return { ...split, inScopeFen: trace.sum(at('inscope'), [within], { rule }) }
  split.firstPayFen = trace.share(at('firstpay'), within, line.firstPayParts, { rule })
  return { ...split, inScopeFen: trace.excess(at('inscope'), [within, at('firstpay')]) }
}

type LinePart = 'amount' | 'fullself' | 'overlimit' | 'firstpay' | 'inscope'

function stepOfLine({ sequence }: Pick<ClaimLine, 'sequence'>, part: LinePart | 'limit' | 'within'): string {
  return `line-${sequence}-${part}`
}

function sumLines(trace: Trace, lines: readonly ClaimLine[]): void {
  const all = (part: LinePart) => lines.map((line) => stepOfLine(line, part)).filter((name) => trace.has(name))
  trace.sum('submitted', all('amount'))
  trace.sum('fullself', all('fullself'))
  trace.sum('overlimit', all('overlimit'))
  trace.sum('firstpay', all('firstpay'))
  trace.sum('inscope', all('inscope'))
}

function basicInsurance(trace: Trace, facts: Facts, terms: CategoryTerms): void {
  const { policy, category, at, insured, used, account } = facts
  const rule = (element: string) => `${policy.id}/${element}`
  trace.given('account-current-balance', terms.currentAccountFirst ? account.currentFen : 0n)
  trace.min('account-current', ['account-current-balance', 'inscope'])
  trace.excess('after-account', ['inscope', 'account-current'])
  const deductible = bandFor(terms.deductible.fen, insured, at)
  trace.given('deductible-whole', deductible.value, { rule: rule(`${category}/deductible/${deductible.index}`), ...(category === 'inpatient' ? { label: 'deductible-inpatient' as const } : {}) })
  trace.given('deductible-used', used.deductibleFen, terms.deductible.per === 'year' ? {} : { label: 'deductible-used-stay' })
  trace.excess('deductible-left', ['deductible-whole', 'deductible-used'])
  trace.min('deductible', ['deductible-left', 'after-account'])
  trace.excess('shared', ['after-account', 'deductible'])
  withinCategoryCap(trace, facts, terms, rule)
  trace.given('cap', policy.capFen, { rule: rule('cap') })
  trace.given('cap-used', used.aboveDeductibleFen)
  trace.excess('cap-left', ['cap', 'cap-used'])
  trace.min('below-cap', ['eligible', 'cap-left'])
  poolShare(trace, facts, terms, rule)
  trace.excess('above-cap', ['eligible', 'below-cap'])
  const limitFen = policy.aboveCap?.untilFen ?? null
  if (limitFen === null) {
    trace.sum('above-cap-shared', policy.aboveCap ? ['above-cap'] : [])
  } else {
    trace.given('above-cap-limit', limitFen, { rule: rule('above-cap/until') })
    trace.given('above-cap-used', used.aboveCapFen)
    trace.excess('above-cap-left', ['above-cap-limit', 'cap', 'above-cap-used'])
    trace.min('above-cap-shared', ['above-cap', 'above-cap-left'])
  }
  trace.share('supplementary', 'above-cap-shared', policy.aboveCap?.parts ?? 0, { rule: rule('above-cap/ratio') })
  trace.excess('copay', ['shared', 'pool', 'supplementary'])
  trace.sum('self', ['deductible', 'copay'])
}

/** What a category of its own limit may bring before the fund. */
function withinCategoryCap(trace: Trace, { category, used }: Facts, terms: CategoryTerms, rule: (element: string) => string): void {
  if (terms.capFen === null) {
    trace.sum('eligible', ['shared'])
    return
  }
  trace.given('category-cap', terms.capFen, { rule: rule(`${category}/cap`) })
  trace.given('category-cap-used', used.categoryAboveFen)
  trace.excess('category-cap-left', ['category-cap', 'category-cap-used'])
  trace.min('eligible', ['shared', 'category-cap-left'])
}

function poolShare(trace: Trace, { policy, category, at, insured, filing }: Facts, terms: CategoryTerms, rule: (element: string) => string): void {
  const ratio = bandFor(terms.ratio, insured, at)
  const reduction = filing === null ? null : policy.crossRegion.reductions[filing]
  const parts = reduction === null ? ratio.value : reducedParts(ratio.value, reduction)
  trace.share('pool', 'below-cap', parts, {
    rule: rule(`${category}/ratio/${ratio.index}`),
    ...(reduction === null || filing === null ? {} : { reduced: { ...reduction, from: ratio.value, filing } }),
  })
}

function furtherLayers(trace: Trace, facts: Facts): void {
  const { policy, category, criticalIllness, aid, used } = facts
  const critical = criticalIllness && policy.criticalIllness?.categories.includes(category) ? policy.criticalIllness : null
  trace.sum('self-counted', critical ? ['self'] : [])
  // What was used up before is a fact that a what-if starts from, whether this policy asks for it or not.
  if (critical !== null || used.selfFen > 0n) trace.given('self-used', used.selfFen)
  trace.sum('critical', critical ? criticalShares(trace, facts, critical) : [])
  const aidTerms = aid && policy.aid?.categories.includes(category) ? policy.aid : null
  if (aidTerms !== null || used.aidFen > 0n) trace.given('aid-used', used.aidFen)
  if (aidTerms === null) {
    trace.sum('aid', [])
    return
  }
  trace.excess('aid-base', ['self', 'critical'])
  trace.share('aid-share', 'aid-base', aidTerms.parts, { rule: `${policy.id}/aid` })
  trace.given('aid-limit', aidTerms.yearLimitFen)
  trace.excess('aid-left', ['aid-limit', 'aid-used'])
  trace.min('aid', ['aid-share', 'aid-left'])
}

/** What was counted in the year before this bill and with it, and of each tier its share. @returns names of the shares. */
function criticalShares(trace: Trace, { policy }: Facts, { tiers, deductibleFen }: NonNullable<Policy['criticalIllness']>): string[] {
  trace.sum('self-after', ['self-used', 'self-counted'])
  return tiers.map((tier, index) => tierShare(trace, `critical-${index + 1}`, tier, tiers[index - 1]?.untilFen ?? deductibleFen, `${policy.id}/critical-illness/${index}`))
}

/** The part of this bill's own share that lies in the tier, measured over the year, and its share. @returns name of the share. */
function tierShare(trace: Trace, name: string, tier: { untilFen: bigint | null; parts: number }, fromFen: bigint, rule: string): string {
  trace.given(`${name}-from`, fromFen, { rule })
  if (tier.untilFen !== null) trace.given(`${name}-until`, tier.untilFen, { rule })
  const reached = (measure: string) => {
    const at = `${name}-${measure}`
    trace.min(`${at}-top`, tier.untilFen === null ? [measure] : [measure, `${name}-until`])
    trace.excess(at, [`${at}-top`, `${name}-from`])
    return at
  }
  trace.excess(`${name}-base`, [reached('self-after'), reached('self-used')])
  trace.share(name, `${name}-base`, tier.parts, { rule })
  return name
}

/** The prior-year account pays what the policy lets it pay, never own expense or the part above a price limit. */
function personalPart(trace: Trace, { policy, account }: Facts): void {
  trace.sum('fund', ['pool', 'supplementary', 'critical', 'aid'])
  trace.excess('personal', ['submitted', 'fund', 'account-current'])
  trace.excess('self-left', ['self', 'critical', 'aid'])
  trace.sum('account-prior-may-pay', [
    ...(policy.priorAccountPays.includes('self') ? ['self-left'] : []),
    ...(policy.priorAccountPays.includes('first-pay') ? ['firstpay'] : []),
  ])
  trace.given('account-prior-balance', account.priorFen)
  trace.min('account-prior', ['account-prior-may-pay', 'account-prior-balance'])
  trace.excess('cash', ['personal', 'account-prior'])
}
