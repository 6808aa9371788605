import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fundOf, type LineTerms, payingCategories, type Split, splitCategories, splitFault } from '../fhir/claim-message.ts'
import { adjudicate, type ClaimLine, type Facts, type UsedUp } from './adjudicate.ts'
import { policies, policyOn } from './policies.ts'
import type { FilingKind, HospitalLevel, Insured, MedicalCategory, Policy } from './rules.ts'
import { replayTrace, traceFromJson, traceJson } from './trace.ts'

function policy(scheme: 310 | 390, region = '310000', day = '2025-11-03'): Policy {
  const found = policyOn(region, scheme, day)
  if (!found) throw new Error('no policy')
  return found
}

/** `38.00A`, `186.40B10`, `16800.00B20/15000.00` (limit). */
function lines(text: string): ClaimLine[] {
  return text.split(' ').map((item, index) => {
    const [, amount = '', catalogueClass = 'A', percent = '0', limit] = /^([\d.]+)([ABC])(\d*)(?:\/([\d.]+))?$/.exec(item) ?? []
    return {
      sequence: index + 1, quantity: 1, amountFen: fen(amount), catalogueClass: catalogueClass as LineTerms['catalogueClass'],
      firstPayParts: Number(percent || 0) * 100, limitFen: limit === undefined ? null : fen(limit),
    }
  })
}
function fen(yuan: string): bigint {
  const [whole = '0', part = ''] = yuan.split('.')
  return BigInt(whole) * 100n + BigInt(part.padEnd(2, '0'))
}

interface Example {
  name: string
  region?: string
  day?: string
  filing?: FilingKind
  stay?: number
  scheme: 310 | 390
  insured: Insured
  category: MedicalCategory
  level: HospitalLevel
  items: string
  deductibleUsed?: string
  aboveDeductible?: string
  categoryAbove?: string
  aboveCap?: string
  selfUsed?: string
  current?: string
  prior?: string
  critical?: boolean
  aid?: boolean
  /** S F O P I cur ded C pool suppl crit aid fund prior cash */
  expected: string
}

const person = (personType: number, age: number, retiredOn: string | null = null): Insured => ({
  personType, age, birthDate: `${2025 - age}-01-01`, retiredOn, workingSince: null, gpContract: false,
})
const active = (age: number): Insured => person(11, age)
const retired = (age: number): Insured => person(12, age, '2015-05-31')
const resident = (age: number): Insured => person(1400, age)
const unused: UsedUp = { deductibleFen: 0n, aboveDeductibleFen: 0n, categoryAboveFen: 0n, aboveCapFen: 0n, selfFen: 0n, aidFen: 0n }
const shanghaiStay = '1050.00A 6120.00A 8888.80B10 12000.00B20 980.00C'

const examples: Example[] = [
  { name: 'E01 employee of 40, tertiary, first visit of the year', scheme: 310, insured: active(40), category: 'outpatient', level: 3, items: '38.00A 20.00A 186.40B10 57.35A 45.00C', expected: '346.75 45.00 0 18.64 283.11 0 283.11 0 0 0 0 0 0 0 346.75' },
  { name: 'E02 the next visit, prior account 150', scheme: 310, insured: active(40), category: 'outpatient', level: 3, items: '38.00A 260.00B10 412.37B20 96.80A', deductibleUsed: '283.11', prior: '150.00', expected: '807.17 0 0 108.47 698.70 0 216.89 481.81 337.27 0 0 0 337.27 150.00 319.90' },
  { name: 'E03 employee of 50, secondary, both accounts', scheme: 310, insured: active(50), category: 'outpatient', level: 2, items: '25.00A 688.88B10 580.00B20', current: '260.00', prior: '1000.00', expected: '1293.88 0 0 184.89 1108.99 260.00 500.00 348.99 261.74 0 0 0 261.74 772.14 0.00' },
  { name: 'E04 retired of 66, secondary', scheme: 310, insured: retired(66), category: 'outpatient', level: 2, items: '25.00A 233.33A 301.15B10', deductibleUsed: '179.50', current: '88.06', prior: '40.00', expected: '559.48 0 0 30.12 529.36 88.06 120.50 320.80 256.64 0 0 0 256.64 40.00 174.78' },
  { name: 'E05 retired of 72, community centre, deductible done', scheme: 310, insured: retired(72), category: 'outpatient', level: 1, items: '10.00A 147.26A 63.07B5', deductibleUsed: '300.00', expected: '220.33 0 0 3.15 217.18 0 0 217.18 195.46 0 0 0 195.46 0 24.87' },
  { name: 'E06 employee of 45, inpatient with a price limit', scheme: 310, insured: active(45), category: 'inpatient', level: 3, items: '1260.00A 4180.66A 9322.15B10 16800.00B20/15000.00 5200.00A 1350.00C', expected: '38112.81 1350.00 1800.00 3932.22 31030.59 0 1500.00 29530.59 25101.00 0 0 0 25101.00 0 13011.81' },
  { name: 'E07 second stay of the year', scheme: 310, insured: active(45), category: 'inpatient', level: 3, items: '630.00A 2210.40A 3077.77B10 480.00A', deductibleUsed: '1500.00', prior: '2000.00', expected: '6398.17 0 0 307.78 6090.39 0 0 6090.39 5176.83 0 0 0 5176.83 1221.34 0.00' },
  { name: 'E08 retired of 67, inpatient across the cap', scheme: 310, insured: retired(67), category: 'inpatient', level: 3, items: '18000.00A 41234.56B10 22000.00A 5000.00C', deductibleUsed: '1200.00', aboveDeductible: '640000.00', expected: '86234.56 5000.00 0 4123.46 77111.10 0 0 77111.10 9200.00 53688.88 0 0 62888.88 0 23345.68' },
  { name: 'E09 employee, outpatient major disease', scheme: 310, insured: active(50), category: 'outpatient-major', level: 3, items: '400.00A 655.30B10', expected: '1055.30 0 0 65.53 989.77 0 0 989.77 841.30 0 0 0 841.30 0 214.00' },
  { name: 'E10 resident of 35, tertiary, rounding up 184.905', scheme: 390, insured: resident(35), category: 'outpatient', level: 3, items: '38.00A 720.90B10 183.00A', expected: '941.90 0 0 72.09 869.81 0 500.00 369.81 184.91 0 0 0 184.91 0 756.99' },
  { name: 'E11 resident child of 8, community centre', scheme: 390, insured: resident(8), category: 'outpatient', level: 1, items: '10.00A 86.42A 40.11B5', deductibleUsed: '245.00', expected: '136.53 0 0 2.01 134.52 0 55.00 79.52 55.66 0 0 0 55.66 0 80.87' },
  { name: 'E12 resident of 68, inpatient, secondary', scheme: 390, insured: resident(68), category: 'inpatient', level: 2, items: '480.00A 3321.18A 2750.05B10 960.00A', expected: '7511.23 0 0 275.01 7236.22 0 100.00 7136.22 5708.98 0 0 0 5708.98 0 1802.25' },
  { name: 'E13 resident of 45, inpatient cancer', scheme: 390, insured: resident(45), category: 'inpatient', level: 3, items: '21000.00B10 8450.75A 900.00A 2600.00C', critical: true, expected: '32950.75 2600.00 0 2100.00 28250.75 0 300.00 27950.75 16770.45 0 6888.18 0 23658.63 0 9292.12' },
  { name: 'E14 the same with medical aid', scheme: 390, insured: resident(45), category: 'inpatient', level: 3, items: '21000.00B10 8450.75A 900.00A 2600.00C', critical: true, aid: true, expected: '32950.75 2600.00 0 2100.00 28250.75 0 300.00 27950.75 16770.45 0 6888.18 4132.91 27791.54 0 5159.21' },
  { name: 'E15 Suzhou employee, long-term filing, Shanghai stay', region: '320500', filing: 'long-term', scheme: 310, insured: active(45), category: 'inpatient', level: 3, items: shanghaiStay, expected: '29038.80 980.00 0 3288.88 24769.92 0 800.00 23969.92 21572.93 0 0 0 21572.93 0 7465.87' },
  { name: 'E16 Hangzhou employee, referred', region: '330100', filing: 'referred', scheme: 310, insured: active(45), category: 'inpatient', level: 3, items: shanghaiStay, expected: '29038.80 980.00 0 3288.88 24769.92 0 800.00 23969.92 17737.74 0 0 0 17737.74 0 11301.06' },
  { name: 'E17 Hangzhou resident, not filed, not urgent', region: '330100', filing: 'unfiled', scheme: 390, insured: resident(45), category: 'inpatient', level: 3, items: shanghaiStay, expected: '29038.80 980.00 0 3288.88 24769.92 0 800.00 23969.92 11984.96 0 0 0 11984.96 0 17053.84' },
  { name: 'E18 Suzhou retired, Shanghai community centre', region: '320500', filing: 'long-term', scheme: 310, insured: retired(68), category: 'outpatient', level: 1, items: '10.00A 212.45A 98.60B10', deductibleUsed: '336.80', prior: '25.00', expected: '321.05 0 0 9.86 311.19 0 63.20 247.99 223.19 0 0 0 223.19 25.00 72.86' },
  { name: 'E19 Shanghai employee in Suzhou, the catalogue of Suzhou', filing: 'long-term', scheme: 310, insured: active(45), category: 'inpatient', level: 3, items: '1050.00A 6120.00A 8888.80B5 12000.00B30 980.00C', expected: '29038.80 980.00 0 4044.44 24014.36 0 1500.00 22514.36 19137.21 0 0 0 19137.21 0 9901.59' },
  { name: 'E20 what is left of E02 after a drug is returned', scheme: 310, insured: active(40), category: 'outpatient', level: 3, items: '38.00A 260.00B10 96.80A', deductibleUsed: '283.11', prior: '150.00', expected: '394.80 0 0 26.00 368.80 0 216.89 151.91 106.34 0 0 0 106.34 150.00 138.46' },
]

function factsOf(example: Example): Facts {
  return {
    policy: policy(example.scheme, example.region, example.day), category: example.category, at: { level: example.level, stay: example.stay ?? 1 }, insured: example.insured,
    filing: example.filing ?? null,
    criticalIllness: example.critical ?? false, aid: example.aid ?? false, lines: lines(example.items),
    used: {
      ...unused, deductibleFen: fen(example.deductibleUsed ?? '0'), aboveDeductibleFen: fen(example.aboveDeductible ?? '0'), selfFen: fen(example.selfUsed ?? '0'),
      categoryAboveFen: fen(example.categoryAbove ?? '0'), aboveCapFen: fen(example.aboveCap ?? '0'),
    },
    account: { currentFen: fen(example.current ?? '0'), priorFen: fen(example.prior ?? '0') },
  }
}

describe('worked examples, to the fen', () => {
  test.each(examples)('$name', (example) => {
    const { split, trace } = adjudicate(factsOf(example))
    const shared = replayTrace(trace).get('shared')
    const seen = [
      split.submitted, split.fullself, split.overlimit, split.firstpay, split.inscope, split['account-current'], split.deductible, shared,
      split.pool, split.supplementary, split.critical, split.aid, fundOf(split), split['account-prior'], split.cash,
    ]
    expect(seen).toEqual(example.expected.split(' ').map(fen))
    expect(splitFault(split)).toBeNull()
  })

  test('E01 leaves what E02 finds of the deductible', () => {
    const [first] = examples
    if (!first) throw new Error('no example')
    expect(adjudicate(factsOf(first)).deductibleLeftFen).toBe(21_689n)
  })
})

const anyLine = fc.record({
  quantity: fc.integer({ min: 1, max: 20 }), unitFen: fc.bigInt({ min: 0n, max: 5_000_000n }),
  catalogueClass: fc.constantFrom('A' as const, 'B' as const, 'C' as const), firstPayParts: fc.integer({ min: 0, max: 10_000 }),
  limitFen: fc.option(fc.bigInt({ min: 0n, max: 5_000_000n })),
})
const anyAmount = (max: bigint) => fc.bigInt({ min: 0n, max })
const anyFacts: fc.Arbitrary<Facts> = fc.record({
  policy: fc.constantFrom(...policies), category: fc.constantFrom('outpatient' as const, 'inpatient' as const, 'outpatient-major' as const),
  at: fc.record({ level: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const), stay: fc.integer({ min: 1, max: 5 }) }),
  filing: fc.constantFrom(null, 'long-term' as const, 'referred' as const, 'emergency' as const, 'temporary' as const, 'unfiled' as const),
  insured: fc.record({
    personType: fc.constantFrom(11, 12, 1400, 1403), age: fc.integer({ min: 0, max: 110 }), birthDate: fc.constantFrom('1950-05-01', '1990-05-01'),
    retiredOn: fc.constantFrom(null, '1999-01-01', '2000-12-31', '2001-01-01'), workingSince: fc.constantFrom(null, '1980-01-01'), gpContract: fc.boolean(),
  }),
  criticalIllness: fc.boolean(), aid: fc.boolean(),
  lines: fc.array(anyLine, { minLength: 1, maxLength: 12 }).map((all) => all.map(({ unitFen, ...line }, index) => ({ ...line, sequence: index + 1, amountFen: unitFen * BigInt(line.quantity) }))),
  used: fc.record({
    deductibleFen: anyAmount(200_000n), aboveDeductibleFen: anyAmount(70_000_000n), categoryAboveFen: anyAmount(2_000_000n), aboveCapFen: anyAmount(6_000_000n),
    selfFen: anyAmount(20_000_000n), aidFen: anyAmount(16_000_000n),
  }),
  account: fc.record({ currentFen: anyAmount(1_000_000n), priorFen: anyAmount(3_000_000n) }),
})

describe('of any bill', () => {
  test('the sums are equal, nothing is negative, no balance and no cap is exceeded', () => {
    fc.assert(fc.property(anyFacts, (facts) => {
      const { split, lines: parts, grows } = adjudicate(facts)
      expect(splitFault(split)).toBeNull()
      expect(split.submitted).toBe(facts.lines.reduce((sum, line) => sum + line.amountFen, 0n))
      for (const part of parts) expect(part.fullSelfFen + part.overLimitFen + part.firstPayFen + part.inScopeFen).toBe(part.amountFen)
      expect(split['account-current'] <= facts.account.currentFen && split['account-prior'] <= facts.account.priorFen).toBe(true)
      expect(grows.deductibleFen >= 0n && grows.aboveDeductibleFen >= 0n && grows.aidFen >= 0n).toBe(true)
      const before = facts.used.aboveDeductibleFen
      expect(before + grows.aboveDeductibleFen <= (before > facts.policy.capFen ? before : facts.policy.capFen)).toBe(true)
      expect(grows.categoryAboveFen).toBe(grows.aboveDeductibleFen)
      expect(split.cash >= split.fullself + split.overlimit).toBe(true)
    }), { numRuns: 500 })
  })

  test('the trace alone gives every amount again, also after a journey as JSON', () => {
    fc.assert(fc.property(anyFacts, (facts) => {
      const { split, trace } = adjudicate(facts)
      const values = replayTrace(traceFromJson(traceJson(trace)))
      for (const category of splitCategories) if (values.has(category)) expect(values.get(category)).toBe(split[category])
      expect(payingCategories.reduce((sum, category) => sum + (values.get(category) ?? 0n), 0n)).toBe(values.get('submitted'))
    }), { numRuns: 200 })
  })

  test('a trace with one changed number is refused', () => {
    const [example] = examples
    if (!example) throw new Error('no example')
    const { trace } = adjudicate(factsOf(example))
    expect(() => replayTrace(trace.map((step) => (step.name === 'pool' ? { ...step, fen: step.fen + 1n } : step)))).toThrow('pool')
  })

  test('of a person the deductible left never grows from one visit of the year to the next', () => {
    fc.assert(fc.property(anyFacts, anyFacts, (first, second) => {
      const one = adjudicate({ ...first, category: 'outpatient' })
      const used = { ...first.used, deductibleFen: first.used.deductibleFen + one.grows.deductibleFen, aboveDeductibleFen: first.used.aboveDeductibleFen + one.grows.aboveDeductibleFen }
      const two = adjudicate({ ...second, insured: first.insured, at: first.at, policy: first.policy, category: 'outpatient', used })
      expect(two.deductibleLeftFen <= one.deductibleLeftFen).toBe(true)
    }), { numRuns: 200 })
  })

  test('a dearer line lowers neither what the funds pay nor what the person pays', () => {
    fc.assert(fc.property(anyFacts, fc.nat({ max: 11 }), fc.bigInt({ min: 1n, max: 10_000_000n }), (facts, place, moreFen) => {
      const lines = facts.lines.map((line, index) => (index === place % facts.lines.length ? { ...line, amountFen: line.amountFen + moreFen } : line))
      const [less, more] = [adjudicate(facts).split, adjudicate({ ...facts, lines }).split]
      expect(fundOf(more) >= fundOf(less)).toBe(true)
      const personal = (split: Split) => split.submitted - fundOf(split)
      // Each share is rounded by itself: a tier of critical illness or aid may give back what the fund above took too little.
      expect(personal(more) + 4n >= personal(less)).toBe(true)
    }), { numRuns: 300 })
  })

  test('the order of the lines is nothing to the result', () => {
    fc.assert(fc.property(anyFacts, fc.func(fc.nat({ max: 1000 })), (facts, rank) => {
      const shuffled = facts.lines.map((line) => ({ line, rank: rank(line.sequence) })).sort((one, other) => one.rank - other.rank).map((each) => each.line)
      const [one, other] = [adjudicate(facts), adjudicate({ ...facts, lines: shuffled })]
      expect(other.split).toEqual(one.split)
      expect(other.grows).toEqual(one.grows)
      expect(other.lines.toSorted((a, b) => a.sequence - b.sequence)).toEqual(one.lines.toSorted((a, b) => a.sequence - b.sequence))
    }), { numRuns: 200 })
  })

  test('of people treated elsewhere no fund pays more than at home', () => {
    fc.assert(fc.property(anyFacts, (facts) => {
      expect(adjudicate(facts).split.pool <= adjudicate({ ...facts, filing: null }).split.pool).toBe(true)
    }), { numRuns: 200 })
  })
})
