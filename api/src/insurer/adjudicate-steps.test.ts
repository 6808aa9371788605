/**
 * What a sum says about itself, whole: each step with its operation, what it was made of, the place of its value in the policy and its
 * sentence in both languages. People check these lines with a pencil, so a changed word or place is a change that somebody must want.
 */
import { describe, expect, test } from 'vitest'
import { adjudicate, type ClaimLine, type Facts } from './adjudicate.ts'
import { policyOn } from './policies.ts'
import type { Insured } from './rules.ts'
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

function said({ name, operation, of, parts, fen, text, rule, reduced }: TraceStep): string {
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
    expect(trace.map(said)).toMatchInlineSnapshot()
  })

  test('a visit of an employee of Suzhou, referred to another city: limit of the kind of care, a fund above the cap with its own end, no tiers', () => {
    const { trace } = adjudicate(facts('320500', 310, {
      category: 'outpatient', filing: 'referred', insured: { ...insured, personType: 11 }, lines: [line(1, 20_000_00n, 'A')],
      used: { ...unused, deductibleFen: 100_00n, categoryAboveFen: 1000_00n, aboveDeductibleFen: 345_000_00n, aboveCapFen: 49_000_00n }, account: { currentFen: 70_00n, priorFen: 80_00n },
    }))
    expect(trace.map(said)).toMatchInlineSnapshot()
  })

  test('a visit of an employee of Shanghai: the account of this year first, no limit above the cap', () => {
    const { trace } = adjudicate(facts('310000', 310, {
      category: 'outpatient', insured: { ...insured, personType: 11 }, lines: [line(1, 3000_00n, 'A')],
      used: { ...unused, aboveDeductibleFen: 649_000_00n }, account: { currentFen: 70_00n, priorFen: 80_00n },
    }))
    expect(trace.filter(({ name }) => !name.startsWith('line-')).map(said)).toMatchInlineSnapshot()
  })

  test('a resident of Hangzhou: tiers of critical illness that begin above a deductible and end', () => {
    const { trace } = adjudicate(facts('330100', 390, { criticalIllness: true, lines: [line(1, 600_000_00n, 'A')], used: { ...unused, selfFen: 10_000_00n } }))
    expect(trace.filter(({ name }) => /^(critical|self|aid)/.test(name)).map(said)).toMatchInlineSnapshot()
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
})
