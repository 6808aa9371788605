/**
 * What a sum says about itself, whole: each step with its operation, what it was made of, the place of its value in the policy and its
 * sentence in both languages. People check these lines with a pencil, so a changed word or place is a change that somebody must want.
 */
import { describe, expect, test } from 'vitest'
import { adjudicate, type ClaimLine, type Facts } from './adjudicate.ts'
import { policyOn } from './policies.ts'
import type { Insured } from './rules.ts'
import { stepText } from './step-labels.ts'
import type { TraceStep } from './trace.ts'

const insured: Insured = { personType: 1400, age: 45, birthDate: '1980-01-01', retiredOn: null, workingSince: null, gpContract: false }
const unused = { deductibleFen: 0n, aboveDeductibleFen: 0n, categoryAboveFen: 0n, aboveCapFen: 0n, selfFen: 0n, aidFen: 0n }
const line = (sequence: number, amountFen: bigint, catalogueClass: ClaimLine['catalogueClass'], more: Partial<ClaimLine> = {}): ClaimLine => ({ sequence, quantity: 1, amountFen, catalogueClass, firstPayParts: 0, limitFen: null, ...more })

function facts(region: string, scheme: 310 | 390, more: Partial<Facts>): Facts {
  const policy = policyOn(region, scheme, '2025-11-03')
  if (!policy) throw new Error('no policy')
  return {
    policy, category: 'inpatient', at: { level: 3, stay: 1 }, insured, filing: null, criticalIllness: false, aid: false, lines: [line(1, 100_00n, 'A')], used: unused,
    account: { currentFen: 0n, priorFen: 0n }, ...more,
  }
}

function said(step: TraceStep): string {
  const { name, operation, of, parts, fen, rule, reduced } = step
  const text = stepText(step)
  const ratio = parts === null ? '' : ` × ${parts}`
  const less = reduced ? ` [${reduced.from} ${reduced.mode} ${reduced.parts} ${reduced.filing}]` : ''
  return [`${name} = ${operation}(${of.join(', ')})${ratio}${less} = ${fen}`, rule ?? '', text ? `${text.zh} / ${text.en}` : ''].join(' | ')
}

describe('the steps of a sum', () => {
  test('a stay of a resident with critical illness and aid: every layer, lines of each class, a price limit for each of two', () => {
    const { trace, deductibleLeftFen } = adjudicate(facts('310000', 390, {
      criticalIllness: true, aid: true,
      lines: [line(1, 900_00n, 'A', { firstPayParts: 5000 }), line(2, 21_000_00n, 'B', { quantity: 2, firstPayParts: 1000, limitFen: 10_000_00n }), line(3, 2600_00n, 'C', { firstPayParts: 1000 })],
    }))
    expect(deductibleLeftFen).toBe(0n)
    expect(trace.map(said)).toMatchInlineSnapshot(`
      [
        "line-1-amount = given() = 90000 |  | ",
        "line-1-inscope = sum(line-1-amount) = 90000 | class A | ",
        "line-2-amount = given() = 2100000 |  | ",
        "line-2-limit = given() = 2000000 |  | ",
        "line-2-overlimit = excess(line-2-amount, line-2-limit) = 100000 |  | ",
        "line-2-within = excess(line-2-amount, line-2-overlimit) = 2000000 |  | ",
        "line-2-firstpay = share(line-2-within) × 1000 = 200000 | class B | ",
        "line-2-inscope = excess(line-2-within, line-2-firstpay) = 1800000 |  | ",
        "line-3-amount = given() = 260000 |  | ",
        "line-3-fullself = share(line-3-amount) × 10000 = 260000 | class C | ",
        "submitted = sum(line-1-amount, line-2-amount, line-3-amount) = 2450000 |  | 医疗费总额 / Total of the bill",
        "fullself = sum(line-3-fullself) = 260000 |  | 全自费 / Own expense, outside the catalogue",
        "overlimit = sum(line-2-overlimit) = 100000 |  | 超限价自付 / Above the price limit",
        "firstpay = sum(line-2-firstpay) = 200000 |  | 分类自负 / First-pay share of class B items",
        "inscope = sum(line-1-inscope, line-2-inscope) = 1890000 |  | 符合医保政策范围 / Within the scope of insurance",
        "account-current-balance = given() = 0 |  | 个人账户当年余额 / Balance of the account of this year",
        "account-current = min(account-current-balance, inscope) = 0 |  | 个人账户当年支付 / Paid by the account of this year",
        "after-account = excess(inscope, account-current) = 1890000 |  | ",
        "deductible-whole = given() = 30000 | 310000-390-2025-01/inpatient/deductible/2 | 住院起付标准 / Inpatient deductible",
        "deductible-used = given() = 0 |  | 本次住院已付起付线 / Deductible paid earlier in this stay",
        "deductible-left = excess(deductible-whole, deductible-used) = 30000 |  | 起付线余额 / Deductible still open",
        "deductible = min(deductible-left, after-account) = 30000 |  | 本次起付线内支付 / Falls below the deductible",
        "shared = excess(after-account, deductible) = 1860000 |  | 起付线以上费用 / Above the deductible",
        "eligible = sum(shared) = 1860000 |  | ",
        "cap = given() = 25000000 | 310000-390-2025-01/cap | ",
        "cap-used = given() = 0 |  | 本年度起付线以上累计 / Above the deductible so far this year",
        "cap-left = excess(cap, cap-used) = 25000000 |  | ",
        "below-cap = min(eligible, cap-left) = 1860000 |  | 封顶线以内费用 / Below the cap",
        "pool = share(below-cap) × 6000 = 1116000 | 310000-390-2025-01/inpatient/ratio/5 | 统筹基金支付 / Paid by the pooled fund",
        "above-cap = excess(eligible, below-cap) = 0 |  | 封顶线以上费用 / Above the cap",
        "above-cap-shared = sum() = 0 |  | ",
        "supplementary = share(above-cap-shared) × 0 = 0 | 310000-390-2025-01/above-cap/ratio | 附加基金支付 / Paid by the supplementary fund",
        "copay = excess(shared, pool, supplementary) = 744000 |  | ",
        "self = sum(deductible, copay) = 774000 |  | 范围内自负 / Own share within scope",
        "self-counted = sum(self) = 774000 |  | ",
        "self-used = given() = 0 |  | ",
        "self-after = sum(self-used, self-counted) = 774000 |  | ",
        "critical-1-from = given() = 0 | 310000-390-2025-01/critical-illness/0 | ",
        "critical-1-self-after-top = min(self-after) = 774000 |  | ",
        "critical-1-self-after = excess(critical-1-self-after-top, critical-1-from) = 774000 |  | ",
        "critical-1-self-used-top = min(self-used) = 0 |  | ",
        "critical-1-self-used = excess(critical-1-self-used-top, critical-1-from) = 0 |  | ",
        "critical-1-base = excess(critical-1-self-after, critical-1-self-used) = 774000 |  | ",
        "critical-1 = share(critical-1-base) × 6000 = 464400 | 310000-390-2025-01/critical-illness/0 | ",
        "critical = sum(critical-1) = 464400 |  | 大病保险支付 / Paid by critical-illness insurance",
        "aid-used = given() = 0 |  | ",
        "aid-base = excess(self, critical) = 309600 |  | ",
        "aid-share = share(aid-base) × 9000 = 278640 | 310000-390-2025-01/aid | ",
        "aid-limit = given() = 15000000 |  | ",
        "aid-left = excess(aid-limit, aid-used) = 15000000 |  | ",
        "aid = min(aid-share, aid-left) = 278640 |  | 医疗救助支付 / Paid by medical aid",
        "fund = sum(pool, supplementary, critical, aid) = 1859040 |  | 基金支付合计 / Paid by funds in all",
        "personal = excess(submitted, fund, account-current) = 590960 |  | 个人负担 / Personal part",
        "self-left = excess(self, critical, aid) = 30960 |  | ",
        "account-prior-may-pay = sum() = 0 |  | ",
        "account-prior-balance = given() = 0 |  | 个人账户历年余额 / Balance of the account of earlier years",
        "account-prior = min(account-prior-may-pay, account-prior-balance) = 0 |  | 个人账户历年支付 / Paid by the account of earlier years",
        "cash = excess(personal, account-prior) = 590960 |  | 现金支付 / Cash",
        "deductible-left-after = excess(deductible-left, deductible) = 0 |  | 本年度起付线剩余 / Deductible left this year",
      ]
    `)
  })

  test('a visit of an employee of Suzhou, referred to another city: limit of the kind of care, a fund above the cap with its own end, no tiers', () => {
    const { trace } = adjudicate(facts('320500', 310, {
      category: 'outpatient', filing: 'referred', insured: { ...insured, personType: 11 }, lines: [line(1, 20_000_00n, 'A')],
      used: { ...unused, deductibleFen: 100_00n, categoryAboveFen: 1000_00n, aboveDeductibleFen: 345_000_00n, aboveCapFen: 49_000_00n }, account: { currentFen: 70_00n, priorFen: 80_00n },
    }))
    expect(trace.map(said)).toMatchInlineSnapshot(`
      [
        "line-1-amount = given() = 2000000 |  | ",
        "line-1-inscope = sum(line-1-amount) = 2000000 | class A | ",
        "submitted = sum(line-1-amount) = 2000000 |  | 医疗费总额 / Total of the bill",
        "fullself = sum() = 0 |  | 全自费 / Own expense, outside the catalogue",
        "overlimit = sum() = 0 |  | 超限价自付 / Above the price limit",
        "firstpay = sum() = 0 |  | 分类自负 / First-pay share of class B items",
        "inscope = sum(line-1-inscope) = 2000000 |  | 符合医保政策范围 / Within the scope of insurance",
        "account-current-balance = given() = 0 |  | 个人账户当年余额 / Balance of the account of this year",
        "account-current = min(account-current-balance, inscope) = 0 |  | 个人账户当年支付 / Paid by the account of this year",
        "after-account = excess(inscope, account-current) = 2000000 |  | ",
        "deductible-whole = given() = 60000 | 320500-310-2025-01/outpatient/deductible/1 | 门急诊自负段标准 / Outpatient deductible of the year",
        "deductible-used = given() = 10000 |  | 本年度已付起付线 / Deductible paid earlier this year",
        "deductible-left = excess(deductible-whole, deductible-used) = 50000 |  | 起付线余额 / Deductible still open",
        "deductible = min(deductible-left, after-account) = 50000 |  | 本次起付线内支付 / Falls below the deductible",
        "shared = excess(after-account, deductible) = 1950000 |  | 起付线以上费用 / Above the deductible",
        "category-cap = given() = 1300000 | 320500-310-2025-01/outpatient/cap | 本类别年度限额 / Limit of this kind of care in a year",
        "category-cap-used = given() = 100000 |  | ",
        "category-cap-left = excess(category-cap, category-cap-used) = 1200000 |  | ",
        "eligible = min(shared, category-cap-left) = 1200000 |  | ",
        "cap = given() = 35000000 | 320500-310-2025-01/cap | ",
        "cap-used = given() = 34500000 |  | 本年度起付线以上累计 / Above the deductible so far this year",
        "cap-left = excess(cap, cap-used) = 500000 |  | ",
        "below-cap = min(eligible, cap-left) = 500000 |  | 封顶线以内费用 / Below the cap",
        "pool = share(below-cap) × 5400 [6000 factor 9000 referred] = 270000 | 320500-310-2025-01/outpatient/ratio/5 | 统筹基金支付 / Paid by the pooled fund",
        "above-cap = excess(eligible, below-cap) = 700000 |  | 封顶线以上费用 / Above the cap",
        "above-cap-limit = given() = 40000000 | 320500-310-2025-01/above-cap/until | ",
        "above-cap-used = given() = 4900000 |  | ",
        "above-cap-left = excess(above-cap-limit, cap, above-cap-used) = 100000 |  | ",
        "above-cap-shared = min(above-cap, above-cap-left) = 100000 |  | ",
        "supplementary = share(above-cap-shared) × 9500 = 95000 | 320500-310-2025-01/above-cap/ratio | 附加基金支付 / Paid by the supplementary fund",
        "copay = excess(shared, pool, supplementary) = 1585000 |  | ",
        "self = sum(deductible, copay) = 1635000 |  | 范围内自负 / Own share within scope",
        "self-counted = sum() = 0 |  | ",
        "critical = sum() = 0 |  | 大病保险支付 / Paid by critical-illness insurance",
        "aid = sum() = 0 |  | 医疗救助支付 / Paid by medical aid",
        "fund = sum(pool, supplementary, critical, aid) = 365000 |  | 基金支付合计 / Paid by funds in all",
        "personal = excess(submitted, fund, account-current) = 1635000 |  | 个人负担 / Personal part",
        "self-left = excess(self, critical, aid) = 1635000 |  | ",
        "account-prior-may-pay = sum(self-left, firstpay) = 1635000 |  | ",
        "account-prior-balance = given() = 8000 |  | 个人账户历年余额 / Balance of the account of earlier years",
        "account-prior = min(account-prior-may-pay, account-prior-balance) = 8000 |  | 个人账户历年支付 / Paid by the account of earlier years",
        "cash = excess(personal, account-prior) = 1627000 |  | 现金支付 / Cash",
        "deductible-left-after = excess(deductible-left, deductible) = 0 |  | 本年度起付线剩余 / Deductible left this year",
      ]
    `)
  })

  test('a visit of an employee of Shanghai: the account of this year first, no limit above the cap', () => {
    const { trace } = adjudicate(facts('310000', 310, {
      category: 'outpatient', insured: { ...insured, personType: 11 }, lines: [line(1, 3000_00n, 'A')],
      used: { ...unused, aboveDeductibleFen: 649_000_00n }, account: { currentFen: 70_00n, priorFen: 80_00n },
    }))
    expect(trace.filter(({ name }) => !name.startsWith('line-')).map(said)).toMatchInlineSnapshot(`
      [
        "submitted = sum(line-1-amount) = 300000 |  | 医疗费总额 / Total of the bill",
        "fullself = sum() = 0 |  | 全自费 / Own expense, outside the catalogue",
        "overlimit = sum() = 0 |  | 超限价自付 / Above the price limit",
        "firstpay = sum() = 0 |  | 分类自负 / First-pay share of class B items",
        "inscope = sum(line-1-inscope) = 300000 |  | 符合医保政策范围 / Within the scope of insurance",
        "account-current-balance = given() = 7000 |  | 个人账户当年余额 / Balance of the account of this year",
        "account-current = min(account-current-balance, inscope) = 7000 |  | 个人账户当年支付 / Paid by the account of this year",
        "after-account = excess(inscope, account-current) = 293000 |  | ",
        "deductible-whole = given() = 50000 | 310000-310-2025-07/outpatient/deductible/2 | 门急诊自负段标准 / Outpatient deductible of the year",
        "deductible-used = given() = 0 |  | 本年度已付起付线 / Deductible paid earlier this year",
        "deductible-left = excess(deductible-whole, deductible-used) = 50000 |  | 起付线余额 / Deductible still open",
        "deductible = min(deductible-left, after-account) = 50000 |  | 本次起付线内支付 / Falls below the deductible",
        "shared = excess(after-account, deductible) = 243000 |  | 起付线以上费用 / Above the deductible",
        "eligible = sum(shared) = 243000 |  | ",
        "cap = given() = 65000000 | 310000-310-2025-07/cap | ",
        "cap-used = given() = 64900000 |  | 本年度起付线以上累计 / Above the deductible so far this year",
        "cap-left = excess(cap, cap-used) = 100000 |  | ",
        "below-cap = min(eligible, cap-left) = 100000 |  | 封顶线以内费用 / Below the cap",
        "pool = share(below-cap) × 7000 = 70000 | 310000-310-2025-07/outpatient/ratio/8 | 统筹基金支付 / Paid by the pooled fund",
        "above-cap = excess(eligible, below-cap) = 143000 |  | 封顶线以上费用 / Above the cap",
        "above-cap-shared = sum(above-cap) = 143000 |  | ",
        "supplementary = share(above-cap-shared) × 8000 = 114400 | 310000-310-2025-07/above-cap/ratio | 附加基金支付 / Paid by the supplementary fund",
        "copay = excess(shared, pool, supplementary) = 58600 |  | ",
        "self = sum(deductible, copay) = 108600 |  | 范围内自负 / Own share within scope",
        "self-counted = sum() = 0 |  | ",
        "critical = sum() = 0 |  | 大病保险支付 / Paid by critical-illness insurance",
        "aid = sum() = 0 |  | 医疗救助支付 / Paid by medical aid",
        "fund = sum(pool, supplementary, critical, aid) = 184400 |  | 基金支付合计 / Paid by funds in all",
        "personal = excess(submitted, fund, account-current) = 108600 |  | 个人负担 / Personal part",
        "self-left = excess(self, critical, aid) = 108600 |  | ",
        "account-prior-may-pay = sum(self-left, firstpay) = 108600 |  | ",
        "account-prior-balance = given() = 8000 |  | 个人账户历年余额 / Balance of the account of earlier years",
        "account-prior = min(account-prior-may-pay, account-prior-balance) = 8000 |  | 个人账户历年支付 / Paid by the account of earlier years",
        "cash = excess(personal, account-prior) = 100600 |  | 现金支付 / Cash",
        "deductible-left-after = excess(deductible-left, deductible) = 0 |  | 本年度起付线剩余 / Deductible left this year",
      ]
    `)
  })

  test('a resident of Hangzhou: tiers of critical illness that begin above a deductible and end', () => {
    const { trace } = adjudicate(facts('330100', 390, { criticalIllness: true, lines: [line(1, 600_000_00n, 'A')], used: { ...unused, selfFen: 10_000_00n } }))
    expect(trace.filter(({ name }) => /^(critical|self|aid)/.test(name)).map(said)).toMatchInlineSnapshot(`
      [
        "self = sum(deductible, copay) = 39000000 |  | 范围内自负 / Own share within scope",
        "self-counted = sum(self) = 39000000 |  | ",
        "self-used = given() = 1000000 |  | ",
        "self-after = sum(self-used, self-counted) = 40000000 |  | ",
        "critical-1-from = given() = 2500000 | 330100-390-2025-01/critical-illness/0 | ",
        "critical-1-until = given() = 10000000 | 330100-390-2025-01/critical-illness/0 | ",
        "critical-1-self-after-top = min(self-after, critical-1-until) = 10000000 |  | ",
        "critical-1-self-after = excess(critical-1-self-after-top, critical-1-from) = 7500000 |  | ",
        "critical-1-self-used-top = min(self-used, critical-1-until) = 1000000 |  | ",
        "critical-1-self-used = excess(critical-1-self-used-top, critical-1-from) = 0 |  | ",
        "critical-1-base = excess(critical-1-self-after, critical-1-self-used) = 7500000 |  | ",
        "critical-1 = share(critical-1-base) × 7000 = 5250000 | 330100-390-2025-01/critical-illness/0 | ",
        "critical-2-from = given() = 10000000 | 330100-390-2025-01/critical-illness/1 | ",
        "critical-2-until = given() = 20000000 | 330100-390-2025-01/critical-illness/1 | ",
        "critical-2-self-after-top = min(self-after, critical-2-until) = 20000000 |  | ",
        "critical-2-self-after = excess(critical-2-self-after-top, critical-2-from) = 10000000 |  | ",
        "critical-2-self-used-top = min(self-used, critical-2-until) = 1000000 |  | ",
        "critical-2-self-used = excess(critical-2-self-used-top, critical-2-from) = 0 |  | ",
        "critical-2-base = excess(critical-2-self-after, critical-2-self-used) = 10000000 |  | ",
        "critical-2 = share(critical-2-base) × 7500 = 7500000 | 330100-390-2025-01/critical-illness/1 | ",
        "critical-3-from = given() = 20000000 | 330100-390-2025-01/critical-illness/2 | ",
        "critical-3-self-after-top = min(self-after) = 40000000 |  | ",
        "critical-3-self-after = excess(critical-3-self-after-top, critical-3-from) = 20000000 |  | ",
        "critical-3-self-used-top = min(self-used) = 1000000 |  | ",
        "critical-3-self-used = excess(critical-3-self-used-top, critical-3-from) = 0 |  | ",
        "critical-3-base = excess(critical-3-self-after, critical-3-self-used) = 20000000 |  | ",
        "critical-3 = share(critical-3-base) × 8000 = 16000000 | 330100-390-2025-01/critical-illness/2 | ",
        "critical = sum(critical-1, critical-2, critical-3) = 28750000 |  | 大病保险支付 / Paid by critical-illness insurance",
        "aid = sum() = 0 |  | 医疗救助支付 / Paid by medical aid",
        "self-left = excess(self, critical, aid) = 10250000 |  | ",
      ]
    `)
  })
})

describe('what a policy does not have', () => {
  test('a kind of care without terms can not be worked out', () => {
    const asked = facts('310000', 310, {})
    expect(() => adjudicate({ ...asked, policy: { ...asked.policy, categories: {} } })).toThrow(`Policy ${asked.policy.id} has no terms for inpatient.`)
  })

  test('critical illness and aid count only in the kinds of care that the policy names', () => {
    const asked = facts('310000', 390, { criticalIllness: true, aid: true, lines: [line(1, 50_000_00n, 'A')] })
    const elsewhere = { ...asked.policy, criticalIllness: asked.policy.criticalIllness && { ...asked.policy.criticalIllness, categories: [] }, aid: asked.policy.aid && { ...asked.policy.aid, categories: [] } }
    const { split, grows } = adjudicate({ ...asked, policy: elsewhere })
    expect([split.critical, split.aid, grows.selfFen, grows.aidFen]).toEqual([0n, 0n, 0n, 0n])
    const entitled = adjudicate(asked)
    expect(entitled.split.critical > 0n && entitled.split.aid > 0n && entitled.grows.selfFen > 0n).toBe(true)
  })

  test('what does not apply has no step, but what was used up before is said for whoever asks what another policy would give', () => {
    const names = (more: Partial<Facts>) => adjudicate(facts('320500', 310, more)).trace.map(({ name }) => name).filter((name) => /^(line-|self-|aid)/.test(name))
    expect(names({ lines: [line(1, 100_00n, 'A'), line(2, 100_00n, 'A', { limitFen: 90_00n }), line(3, 100_00n, 'B', { firstPayParts: 1000 }), line(4, 100_00n, 'C', { limitFen: 90_00n })] })).toEqual([
      'line-1-amount', 'line-1-inscope',
      'line-2-amount', 'line-2-limit', 'line-2-overlimit', 'line-2-within', 'line-2-inscope',
      'line-3-amount', 'line-3-firstpay', 'line-3-inscope',
      'line-4-amount', 'line-4-fullself',
      'self-counted', 'aid', 'self-left',
    ])
    const { trace } = adjudicate(facts('320500', 310, { used: { ...unused, selfFen: 77_00n, aidFen: 5_00n } }))
    expect(trace.filter(({ name }) => ['self-used', 'aid-used'].includes(name)).map(said)).toEqual(['self-used = given() = 7700 |  | ', 'aid-used = given() = 500 |  | '])
  })
})
