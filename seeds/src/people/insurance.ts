/**
 * How a person is insured: scheme, insured place, person type, accounts. Shanghai employees and retired people are in scheme
 * 310, children, students and those without work in 390; about one adult in twenty is insured in Suzhou, a few nowhere.
 */
import type { Enrolment, Scheme } from '@pujiang/api/insurer/enrolment.ts'
import { addYears, ageOn, type Day, dayText } from '../calendar.ts'
import type { Random } from '../random.ts'
import type { Person } from './households.ts'

export type Region = '310000' | '320500'

export interface Insurance {
  region: Region
  scheme: Scheme
  personType: number
  psnNo: string
  from: Day
  retiredOn: Day | null
  aid: boolean
  accountCurrentFen: bigint
  accountPriorFen: bigint
  /** What visits before the city began used up of the benefit year; null when nothing. */
  used: Enrolment['used'] | null
}

const retirementAge = { male: 60, female: 55 } as const
const suzhouShare = 0.05
const uninsuredShare = 0.02

/** Null: insured nowhere. */
export function insuranceOf(random: Random, person: Person, today: Day): Insurance | null {
  const relation = relationOf(random, person, today)
  return relation && person.household.index > 1 ? { ...relation, used: usedOf(random, person, relation, today) } : relation
}

/** The year's deductible of outpatient care, in yuan: [working, retired or old or young]; the lowest where bands differ. */
const deductibleYuan: Readonly<Record<Region, Readonly<Record<Scheme, readonly [number, number]>>>> = {
  '310000': { 310: [500, 200], 390: [500, 300] }, '320500': { 310: [600, 400], 390: [0, 0] },
}

/** A part of the deductible, or all of it and some expense above. */
function usedOf(random: Random, person: Person, { region, scheme, personType }: Insurance, today: Day): Insurance['used'] {
  const age = ageOn(person.birth, today)
  const lower = scheme === 310 ? personType === 12 : age >= 60 || age < 19
  const deductible = deductibleYuan[region][scheme][lower ? 1 : 0]
  const share = Math.min(1, random.between(-0.3, 1.5))
  if (share <= 0) return null
  const above = share === 1 ? random.int(20, age >= 60 ? 9000 : 2500) : 0
  return { day: dayText(today), deductibleOutpatientFen: BigInt(Math.floor(share * deductible)) * 100n, aboveDeductibleFen: BigInt(above) * 100n }
}

function relationOf(random: Random, person: Person, today: Day): Insurance | null {
  const age = ageOn(person.birth, today)
  const draw = random.unit()
  const demo = person.household.index < 2
  if (!demo && age >= 23 && draw < uninsuredShare) return null
  const region: Region = !demo && age >= 23 && draw < uninsuredShare + suzhouShare ? '320500' : '310000'
  const employee = age >= 23 && (demo || random.chance(age < 60 ? 0.88 : 0.86))
  const retiredOn = employee && age >= retirementAge[person.sex] ? addYears(person.birth, retirementAge[person.sex]) : null
  const common = { region, psnNo: `${region}99${String(person.index + 1).padStart(10, '0')}`, aid: random.chance(0.012), used: null }
  if (!employee) {
    return { ...common, scheme: 390, personType: age < 18 ? 1402 : age < 23 ? 1403 : age >= 60 ? 1404 : 1401, from: Math.max(person.birth + 30, today - 2200), retiredOn: null, accountCurrentFen: 0n, accountPriorFen: 0n }
  }
  const current = BigInt(random.int(0, retiredOn === null ? 1800 : 1400)) * 100n + BigInt(random.int(0, 99))
  const prior = BigInt(random.int(0, 12000)) * 100n + BigInt(random.int(0, 99))
  const employed: Insurance = {
    ...common, scheme: 310, personType: retiredOn === null ? 11 : 12, from: Math.max(addYears(person.birth, 22), today - 2600), retiredOn,
    accountCurrentFen: current, accountPriorFen: random.chance(0.25) ? 0n : prior,
  }
  // Suzhou has one account, not one of this year and one of earlier ones.
  if (region === '320500') return { ...employed, accountCurrentFen: 0n, accountPriorFen: employed.accountCurrentFen + employed.accountPriorFen }
  // The first demo family has used up this year's account and part of the deductible, so that a bill shows every way of paying.
  return person.household.index === 0
    ? { ...employed, accountCurrentFen: 0n, accountPriorFen: 15_000n, used: { day: dayText(today), deductibleOutpatientFen: 28_311n, aboveDeductibleFen: 0n } }
    : employed
}

/** The same fact as the centre's registration office enters it. */
export function enrolmentOf(person: Person, insurance: Insurance): Enrolment {
  return {
    psnNo: insurance.psnNo, region: insurance.region, residentId: person.residentId, name: person.name.zh, sex: person.sex, birthDate: dayText(person.birth),
    scheme: insurance.scheme, personType: insurance.personType, from: dayText(insurance.from), until: null,
    retiredOn: insurance.retiredOn === null ? null : dayText(insurance.retiredOn), aid: insurance.aid,
    accountCurrentFen: insurance.accountCurrentFen, accountPriorFen: insurance.accountPriorFen,
    ...(insurance.used ? { used: insurance.used } : {}),
  }
}
