/**
 * A policy as a file of its own (JSON), to be tried over past claims before it is taken into the repository and goes live. The form is
 * that of `Policy` in rules.ts with amounts as whole fen. What a file says is checked whole: unknown words, shares above the whole, a
 * person or hospital that no band fits. Pure.
 */
import { z } from 'zod'
import { isDate } from '../fhir/date-time.ts'
import { fail, type Issue, issue, OutcomeError } from '../fhir/outcome.ts'
import { type HospitalLevel, type Insured, type Policy, valueFor } from './rules.ts'

const day = z.string().refine((text) => text.length === 10 && isDate(text), 'a day YYYY-MM-DD')
const fen = z.number().int().min(0).max(100_000_000_000).transform(BigInt)
const parts = z.number().int().min(0).max(10_000)
const sentence = z.strictObject({ zh: z.string().min(1).max(200), en: z.string().min(1).max(200) })
const condition = z.strictObject({
  personTypes: z.array(z.number().int()).optional(), ageFrom: z.number().int().optional(), ageUntil: z.number().int().optional(), bornUntil: day.optional(), retiredUntil: day.optional(),
  workingUntil: day.optional(), gpContract: z.boolean().optional(), level: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]).optional(), stayFrom: z.number().int().optional(),
})
const bands = <T extends z.ZodType>(value: T) => z.array(z.tuple([condition, value])).min(1).max(200)
const category = z.enum(['outpatient', 'outpatient-major', 'home-sickbed', 'inpatient'])
const terms = z.strictObject({
  deductible: z.strictObject({ per: z.enum(['year', 'stay']), fen: bands(fen) }), ratio: bands(parts), currentAccountFirst: z.boolean(), capFen: fen.nullable(),
})
const reduction = z.strictObject({ mode: z.enum(['points', 'factor']), parts })
const policyFile = z.strictObject({
  id: z.string().regex(/^\d{6}-\d{3}-[\w-]{1,30}$/), region: z.string().regex(/^\d{6}$/), scheme: z.union([z.literal(310), z.literal(390)]), from: day, until: day.nullable(), name: sentence,
  yearBegins: z.enum(['07-01', '01-01']), rounding: z.enum(['half-up', 'down']), categories: z.partialRecord(category, terms), capFen: fen, aboveCap: z.strictObject({ parts, untilFen: fen.nullable() }).nullable(),
  criticalIllness: z.strictObject({
    categories: z.array(category), illnesses: z.union([z.literal('all'), z.array(z.string().max(10))]), deductibleFen: fen, tiers: z.array(z.strictObject({ untilFen: fen.nullable(), parts })).max(20),
  }).nullable(),
  aid: z.strictObject({ categories: z.array(category), parts, yearLimitFen: fen }).nullable(), priorAccountPays: z.array(z.enum(['first-pay', 'self'])),
  crossRegion: z.strictObject({
    reductions: z.strictObject({ 'long-term': reduction, referred: reduction, emergency: reduction, temporary: reduction, unfiled: reduction }), withoutFiling: z.array(z.string().regex(/^\d{6}$/)),
  }),
})

/** Throws OutcomeError value-invalid with every fault and its place. */
export function readPolicyFile(json: unknown): Policy {
  const read = policyFile.safeParse(json)
  if (!read.success) {
    throw new OutcomeError(read.error.issues.slice(0, 20).map((each): Issue => {
      const at = ['policy', ...each.path.map(String)].join('.')
      return issue('value-invalid', { zh: `政策文件 ${at} 不正确：${each.message}`, en: `The policy file is wrong at ${at}: ${each.message}` }, at)
    }))
  }
  const policy = read.data as Policy
  if (!policy.id.startsWith(`${policy.region}-${policy.scheme}-`)) throw fail('value-invalid', { zh: '政策编号须以统筹区和险种开头。', en: 'The id of a policy begins with its region and scheme.' }, 'policy.id')
  if (policy.until !== null && policy.until < policy.from) throw fail('value-invalid', { zh: '结束日期早于开始日期。', en: 'The last day lies before the first.' }, 'policy.until')
  assertComplete(policy)
  return policy
}

const ages = [0, 6, 18, 19, 44, 45, 59, 60, 69, 70, 100]
const people = [[11, null], [12, '1995-01-01'], [12, '2020-01-01'], [1400, null]] as const

/** Every person and hospital has a value: the bands are walked at their corners. */
function assertComplete(policy: Policy): void {
  for (const [name, { deductible, ratio }] of Object.entries(policy.categories)) {
    for (const level of [0, 1, 2, 3] as HospitalLevel[]) for (const age of ages) for (const [personType, retiredOn] of people) for (const stay of [1, 2, 9]) {
      const insured: Insured = { personType, age, retiredOn, birthDate: '1985-01-01', workingSince: null, gpContract: false }
      try {
        valueFor(deductible.fen, insured, { level, stay })
        valueFor(ratio, insured, { level, stay })
      } catch {
        throw fail('value-invalid', {
          zh: `政策文件没有覆盖所有情形：${name}，人员类别 ${personType}，${age} 岁，医院等级 ${level}。`, en: `The policy does not say what holds for ${name}, person type ${personType}, age ${age}, hospital level ${level}.`,
        }, `policy.categories.${name}`)
      }
    }
  }
}

/** The file of a policy, to begin a new one from. */
export function policyFileOf(policy: Policy): unknown {
  return JSON.parse(JSON.stringify(policy, (_key, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))) as unknown
}
