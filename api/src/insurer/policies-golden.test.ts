/**
 * Every value of every policy as a table one can hold against the published rules: what a kind of person meets in a kind of care,
 * by level of the institution (village clinic, 1, 2, 3). Written by hand from docs/settlement.md, § Policies, not from the files.
 */
import { describe, expect, test } from 'vitest'
import { policies } from './policies.ts'
import { type HospitalLevel, type Insured, type MedicalCategory, type Policy, valueFor } from './rules.ts'

const person = (personType: number, age: number, more: Partial<Insured> = {}): Insured => ({
  personType, age, birthDate: `${2025 - age}-06-01`, retiredOn: null, workingSince: null, gpContract: false, ...more,
})
const people: Record<string, Insured> = {
  'active 40': person(11, 40), 'active 44': person(11, 44), 'active 45': person(11, 45), 'active 70': person(11, 70),
  'active 40 gp': person(11, 40, { gpContract: true }), 'retired 66 gp': person(12, 66, { retiredOn: '2015-05-31', gpContract: true }),
  'at work by 2000, born 1955': person(11, 67, { birthDate: '1955-12-31', workingSince: '2000-12-31' }),
  'at work by 2001, born 1955': person(11, 67, { birthDate: '1955-12-31', workingSince: '2001-01-01' }),
  'at work by 2000, born 1956': person(11, 66, { birthDate: '1956-01-01', workingSince: '1980-01-01' }),
  'retired 66': person(12, 66, { retiredOn: '2015-05-31' }), 'retired 69': person(12, 69, { retiredOn: '2001-01-01' }), 'retired 70': person(12, 70, { retiredOn: '2001-01-01' }),
  'retired 2000, 82': person(12, 82, { retiredOn: '2000-12-31' }), 'retired 2000, 68': person(12, 68, { retiredOn: '2000-12-31' }),
  'child 8': person(1402, 8), 'pupil 18': person(1402, 18), 'resident 19': person(1401, 19), 'student 21': person(1403, 21), 'resident 59': person(1401, 59), 'resident 60': person(1404, 60),
  'disabled 30': person(1405, 30), 'resident 30 gp': person(1401, 30, { gpContract: true }),
}

/** policy · kind of care · person [· stay] · deductible by level in yuan · share of the fund by level in percent */
const table = `
310000-310-2022-07 outpatient        active 40 · 1500 1500 1500 1500 · 65 65 60 50
310000-310-2022-07 outpatient        active 44 · 1500 1500 1500 1500 · 65 65 60 50
310000-310-2022-07 outpatient        active 45 · 1500 1500 1500 1500 · 75 75 70 60
310000-310-2022-07 outpatient        at work by 2000, born 1955 · 1500 1500 1500 1500 · 75 75 70 70
310000-310-2022-07 outpatient        at work by 2001, born 1955 · 1500 1500 1500 1500 · 75 75 70 60
310000-310-2022-07 outpatient        at work by 2000, born 1956 · 1500 1500 1500 1500 · 75 75 70 60
310000-310-2022-07 outpatient        retired 69 · 700 700 700 700 · 80 80 75 70
310000-310-2022-07 outpatient        retired 70 · 700 700 700 700 · 85 85 80 75
310000-310-2022-07 outpatient        retired 2000, 82 · 300 300 300 300 · 85 85 80 75
310000-310-2022-07 inpatient         active 40 · 1500 1500 1500 1500 · 85 85 85 85
310000-310-2023-07 outpatient        active 40 · 500 500 500 500 · 80 80 75 70
310000-310-2024-07 outpatient        active 40 · 500 500 500 500 · 80 80 75 70
310000-310-2024-07 outpatient        active 70 · 500 500 500 500 · 80 80 75 70
310000-310-2024-07 outpatient        retired 69 · 300 300 300 300 · 85 85 80 75
310000-310-2024-07 outpatient        retired 70 · 300 300 300 300 · 90 90 85 80
310000-310-2024-07 outpatient        retired 2000, 82 · 200 200 200 200 · 90 90 85 80
310000-310-2024-07 outpatient        retired 2000, 68 · 200 200 200 200 · 85 85 80 75
310000-310-2024-07 outpatient-major  active 40 · 0 0 0 0 · 85 85 85 85
310000-310-2024-07 outpatient-major  retired 66 · 0 0 0 0 · 92 92 92 92
310000-310-2024-07 home-sickbed      active 40 · 0 0 0 0 · 80 80 80 80
310000-310-2024-07 home-sickbed      retired 66 · 0 0 0 0 · 80 80 80 80
310000-310-2024-07 inpatient         active 40 · 1500 1500 1500 1500 · 85 85 85 85
310000-310-2024-07 inpatient         retired 66 · 1200 1200 1200 1200 · 92 92 92 92
310000-310-2024-07 inpatient         retired 2000, 82 · 700 700 700 700 · 92 92 92 92
310000-310-2025-07 outpatient        active 40 · 500 500 500 500 · 80 80 75 70
310000-310-2025-07 inpatient         retired 66 · 1200 1200 1200 1200 · 92 92 92 92
310000-390-2025-01 outpatient        child 8 · 300 300 300 300 · 80 70 60 50
310000-390-2025-01 outpatient        pupil 18 · 300 300 300 300 · 80 70 60 50
310000-390-2025-01 outpatient        resident 19 · 500 500 500 500 · 80 70 60 50
310000-390-2025-01 outpatient        student 21 · 300 300 300 300 · 80 70 60 50
310000-390-2025-01 outpatient        resident 59 · 500 500 500 500 · 80 70 60 50
310000-390-2025-01 outpatient        resident 60 · 300 300 300 300 · 80 70 60 50
310000-390-2025-01 outpatient        disabled 30 · 300 300 300 300 · 80 70 60 50
310000-390-2025-01 outpatient-major  resident 59 · 0 0 0 0 · 80 80 75 60
310000-390-2025-01 inpatient         resident 59 · 50 50 100 300 · 80 80 75 60
310000-390-2025-01 inpatient         resident 60 · 50 50 100 300 · 90 90 80 70
320500-310-2025-01 outpatient        active 40 · 600 600 600 600 · 80 80 75 60
320500-310-2025-01 outpatient        retired 66 · 400 400 400 400 · 90 90 85 70
320500-310-2025-01 outpatient-major  active 40 · 0 0 0 0 · 95 95 92 90
320500-310-2025-01 inpatient         active 40 · 400 400 600 800 · 95 95 92 90
320500-310-2025-01 inpatient         active 40 · stay 2 · 200 200 300 400 · 95 95 92 90
320500-310-2025-01 inpatient         active 40 · stay 3 · 200 200 200 200 · 95 95 92 90
320500-310-2025-01 inpatient         active 40 · stay 4 · 200 200 200 200 · 95 95 92 90
320500-310-2025-01 inpatient         retired 66 · 400 400 500 700 · 98 98 95 95
320500-310-2025-01 inpatient         retired 66 · stay 2 · 200 200 250 350 · 98 98 95 95
320500-310-2025-01 inpatient         retired 66 · stay 3 · 200 200 200 200 · 98 98 95 95
320500-390-2025-01 outpatient        resident 30 gp · 0 0 200 200 · 60 60 50 40
320500-390-2025-01 outpatient-major  resident 19 · 0 0 0 0 · 85 85 80 70
320500-390-2025-01 inpatient         resident 19 · 400 400 600 800 · 85 85 80 70
330100-310-2025-01 outpatient        active 40 · 600 600 600 600 · 86 86 80 76
330100-310-2025-01 outpatient        active 40 gp · 300 300 300 300 · 86 86 80 76
330100-310-2025-01 outpatient        retired 66 · 200 200 200 200 · 92 92 86 82
330100-310-2025-01 outpatient        retired 66 gp · 0 0 0 0 · 92 92 86 82
330100-310-2025-01 outpatient-major  retired 66 · 0 0 0 0 · 96 96 92 88
330100-310-2025-01 inpatient         active 40 · 300 300 500 800 · 92 92 88 84
330100-310-2025-01 inpatient         retired 66 · 300 300 500 800 · 96 96 92 88
330100-390-2025-01 outpatient        resident 59 · 300 300 300 300 · 70 70 60 40
330100-390-2025-01 outpatient        resident 30 gp · 0 0 0 0 · 70 70 60 40
330100-390-2025-01 outpatient-major  resident 59 · 0 0 0 0 · 80 80 75 70
330100-390-2025-01 inpatient         resident 59 · 300 300 500 800 · 80 80 75 70
`.trim().split('\n').map((line) => {
  const [head = '', ...rest] = line.split(' · ')
  const [, id = '', category = '', who = ''] = /^(\S+)\s+(\S+)\s+(.+)$/.exec(head) ?? []
  const stay = rest[0]?.startsWith('stay') ? Number(rest.shift()?.slice(5)) : 1
  const [deductible = [], ratio = []] = rest.map((part) => part.split(' ').map(Number))
  return { line, id, category: category as MedicalCategory, who, stay, deductible, ratio }
})

function policyOf(id: string): Policy {
  const found = policies.find((each) => each.id === id)
  if (!found) throw new Error(`No policy ${id}.`)
  return found
}
const levels: readonly HospitalLevel[] = [0, 1, 2, 3]

test.each(table)('$line', ({ id, category, who, stay, deductible, ratio }) => {
  const terms = policyOf(id).categories[category]
  const insured = people[who]
  if (!terms || !insured) throw new Error(`No terms for ${category}, or nobody is called ${who}.`)
  expect(levels.map((level) => Number(valueFor(terms.deductible.fen, insured, { level, stay })) / 100)).toEqual(deductible)
  expect(levels.map((level) => valueFor(terms.ratio, insured, { level, stay }) / 100)).toEqual(ratio)
})

describe('what holds for everybody of a policy', () => {
  /** days · year begins · cap · above it · outpatient limit · critical illness: deductible, tiers · aid · account pays · deductible counted by */
  test.each([
    ['310000-310-2022-07', '2022-07-01..2023-06-30', '07-01', 590_000, '80 to null', null, null, null, 'first-pay self', 'year year'],
    ['310000-310-2023-07', '2023-07-01..2024-06-30', '07-01', 610_000, '80 to null', null, null, null, 'first-pay self', 'year year'],
    ['310000-310-2024-07', '2024-07-01..2025-06-30', '07-01', 630_000, '80 to null', null, null, null, 'first-pay self', 'year year'],
    ['310000-310-2025-07', '2025-07-01..null', '07-01', 650_000, '80 to null', null, null, null, 'first-pay self', 'year year'],
    ['310000-390-2025-01', '2025-01-01..null', '01-01', 250_000, null, null, '0: 60 to null', '90 to 150000', '', 'year stay'],
    ['320500-310-2025-01', '2025-01-01..null', '01-01', 350_000, '95 to 400000', 13_000, null, null, 'first-pay self', 'year stay'],
    ['320500-390-2025-01', '2025-01-01..null', '01-01', 250_000, null, 1200, '15000: 60 to 50000, 70 to 100000, 80 to null', null, '', 'year stay'],
    ['330100-310-2025-01', '2025-01-01..null', '01-01', 400_000, null, null, '25000: 70 to 50000, 80 to null', null, 'first-pay self', 'year stay'],
    ['330100-390-2025-01', '2025-01-01..null', '01-01', 300_000, null, 300_000, '25000: 70 to 100000, 75 to 200000, 80 to null', null, '', 'year stay'],
  ])('%s', (id, days, yearBegins, cap, above, outpatientCap, critical, aid, pays, per) => {
    const policy = policyOf(id)
    const yuan = (fen: bigint | null) => (fen === null ? null : Number(fen) / 100)
    const tiers = policy.criticalIllness?.tiers.map((tier) => `${tier.parts / 100} to ${yuan(tier.untilFen)}`).join(', ')
    expect({
      days: `${policy.from}..${policy.until}`, yearBegins: policy.yearBegins, cap: yuan(policy.capFen),
      above: policy.aboveCap && `${policy.aboveCap.parts / 100} to ${yuan(policy.aboveCap.untilFen)}`, outpatientCap: yuan(policy.categories.outpatient?.capFen ?? null),
      critical: policy.criticalIllness && `${yuan(policy.criticalIllness.deductibleFen)}: ${tiers}`, aid: policy.aid && `${policy.aid.parts / 100} to ${yuan(policy.aid.yearLimitFen)}`,
      pays: policy.priorAccountPays.join(' '), per: `${policy.categories.outpatient?.deductible.per} ${policy.categories.inpatient?.deductible.per}`, rounding: policy.rounding,
    }).toEqual({ days, yearBegins, cap, above, outpatientCap, critical, aid, pays, per, rounding: 'half-up' })
    for (const [category, terms] of Object.entries(policy.categories)) {
      expect(terms.currentAccountFirst, category).toBe(category === 'outpatient' && policy.region === '310000' && policy.scheme === 310)
      if (category !== 'outpatient') expect(terms.capFen).toBeNull()
    }
    expect(policy.id).toBe(`${policy.region}-${policy.scheme}-${policy.from.slice(0, 7)}`)
    expect(policy.name.zh).toContain(policy.scheme === 310 ? '职工基本医疗保险' : '城乡居民基本医疗保险')
    expect(policy.name.en).toContain(policy.scheme === 310 ? 'employee basic' : 'resident basic')
  })

  test.each([
    ['310000', 'points', 0, 1000, 1000, 2000, 2000, '320509 330421'],
    ['320500', 'factor', 10_000, 9000, 9000, 7000, 7000, '310118 330421'],
    ['330100', 'points', 0, 1000, 1000, 2000, 2000, '310118 320509'],
  ] as const)('treatment elsewhere, insured in %s', (region, mode, longTerm, referred, emergency, temporary, unfiled, free) => {
    for (const { crossRegion } of policies.filter((each) => each.region === region)) {
      expect(crossRegion.reductions).toEqual({
        'long-term': { mode, parts: longTerm }, referred: { mode, parts: referred }, emergency: { mode, parts: emergency }, temporary: { mode, parts: temporary }, unfiled: { mode, parts: unfiled },
      })
      expect(crossRegion.withoutFiling.join(' ')).toBe(free)
    }
  })

  test('the lists of critical illness and where the layers hold', () => {
    expect(policyOf('310000-390-2025-01').criticalIllness?.illnesses).toEqual(['C', 'N18.5', 'N18.6', 'Z49', 'Z94', 'F20', 'F22', 'F25', 'F31'])
    for (const policy of policies) {
      if (policy.criticalIllness) expect(policy.criticalIllness.categories).toEqual(['inpatient', 'outpatient-major'])
      if (policy.criticalIllness && policy.region !== '310000') expect(policy.criticalIllness.illnesses).toBe('all')
      if (policy.aid) expect(policy.aid.categories).toEqual(['inpatient'])
    }
  })
})
