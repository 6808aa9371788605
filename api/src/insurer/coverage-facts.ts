/**
 * What the centre knows of a person on a day of service: enrolment, policy, what is used up, filings. Reads only; whoever
 * settles has locked the person before, and reads in statements after the lock, so that nothing read is older than it.
 */
import { type Kysely, sql } from 'kysely'
import { holdsDivision } from '../fhir/claim-message.ts'
import { textArray } from '../storage/array-literal.ts'
import { batched, perDatabase } from '../storage/batched.ts'
import type { InsurerTables } from '../storage/tables.ts'
import type { UsedUp } from './adjudicate.ts'
import { careKinds, type CareKind } from './categories.ts'
import type { Refusal } from './claim-response.ts'
import type { Scheme } from './enrolment.ts'
import { policyOn } from './policies.ts'
import { ageOn, benefitYear, type FilingKind, type Insured, type Policy } from './rules.ts'

export interface Standing {
  psnNo: string
  scheme: Scheme
  insured: Insured
  policy: Policy
  yearFrom: string
  aid: boolean
  account: { currentFen: bigint; priorFen: bigint }
  /** Used up in this benefit year. */
  used: { deductibleOutpatientFen: bigint; deductibleInpatientFen: bigint; aboveDeductibleFen: bigint; outpatientAboveFen: bigint; aboveCapFen: bigint; selfFen: bigint; aidFen: bigint }
}

export interface Asked {
  /** Where the person says to be insured. */
  region: string
  psnNo: string
  /** Decides which enrolment counts. */
  insuredDay: string
  /** Decides policy and benefit year. */
  benefitDay: string
}

interface Row {
  birth_date: string; retired_on: string | null; working_since: string | null; gp_contract: boolean; aid: boolean
  account_current_fen: bigint; account_prior_fen: bigint
  scheme: number | null; person_type: number | null; benefits_from: string | null
  deductible_outpatient_fen: bigint | null; deductible_inpatient_fen: bigint | null; above_deductible_fen: bigint | null
  outpatient_above_fen: bigint | null; above_cap_fen: bigint | null; self_fen: bigint | null; aid_fen: bigint | null
}

/** The person's standing on a day, or why there is none. People who are asked about at the same moment are one statement. */
export async function loadStanding(db: Kysely<InsurerTables>, own: string, asked: Asked): Promise<Standing | { refusal: Refusal }> {
  if (asked.region !== own) return { refusal: 'cross-region' }
  return standingIn(own, asked, db.isTransaction ? (await rowsOf(db, [asked]))[0] ?? [] : await rowsJoined(db, asked))
}

/** Of several people, in one statement. */
export async function loadStandings(db: Kysely<InsurerTables>, all: readonly { own: string; asked: Asked }[]): Promise<(Standing | { refusal: Refusal })[]> {
  const rows = await rowsOf(db, all.map(({ asked }) => asked))
  return all.map(({ own, asked }, index) => (asked.region === own ? standingIn(own, asked, rows[index] ?? []) : { refusal: 'cross-region' }))
}

function standingIn(own: string, asked: Asked, rows: readonly Row[]): Standing | { refusal: Refusal } {
  const [first] = rows
  if (!first) return { refusal: 'not-insured' }
  if (first.scheme === null) return { refusal: 'coverage-inactive' }
  const row = rows.find((each) => each.benefits_from === null || each.benefits_from <= asked.insuredDay)
  if (!row) return { refusal: 'waiting-period' }
  const scheme = row.scheme as Scheme
  const policy = policyOn(own, scheme, asked.benefitDay)
  if (!policy) return { refusal: 'policy-missing' }
  return {
    psnNo: asked.psnNo, scheme, policy, yearFrom: benefitYear(policy, asked.benefitDay), aid: row.aid,
    insured: {
      personType: row.person_type ?? 0, age: ageOn(row.birth_date, asked.benefitDay), birthDate: row.birth_date, retiredOn: row.retired_on,
      workingSince: row.working_since, gpContract: row.gp_contract,
    },
    account: { currentFen: row.account_current_fen, priorFen: row.account_prior_fen },
    used: {
      deductibleOutpatientFen: row.deductible_outpatient_fen ?? 0n, deductibleInpatientFen: row.deductible_inpatient_fen ?? 0n,
      aboveDeductibleFen: row.above_deductible_fen ?? 0n, outpatientAboveFen: row.outpatient_above_fen ?? 0n,
      aboveCapFen: row.above_cap_fen ?? 0n, selfFen: row.self_fen ?? 0n, aidFen: row.aid_fen ?? 0n,
    },
  }
}

const rowsJoined = perDatabase((db: Kysely<InsurerTables>) => batched<Asked, Row[]>({ max: 64, run: (asked) => rowsOf(db, asked) }))

/** Of each scheme one benefit year holds the day; of two enrolments in a transition the first that has its benefits counts. */
async function rowsOf(db: Kysely<InsurerTables>, asked: readonly Asked[]): Promise<Row[][]> {
  const column = (name: 'region' | 'psnNo' | 'insuredDay' | 'benefitDay') => textArray(asked.map((each) => each[name]))
  const { rows } = await sql<Row & { n: number }>`
    select w.n::int as n, p.birth_date, p.retired_on, p.working_since, p.gp_contract, p.aid, p.account_current_fen, p.account_prior_fen, e.scheme, e.person_type, e.benefits_from,
      a.deductible_outpatient_fen, a.deductible_inpatient_fen, a.above_deductible_fen, a.outpatient_above_fen, a.above_cap_fen, a.self_fen, a.aid_fen
    from unnest(${column('region')}::text[], ${column('psnNo')}::text[], ${column('insuredDay')}::date[], ${column('benefitDay')}::date[]) with ordinality as w (region, psn_no, insured_day, benefit_day, n)
    join insured_person p on p.psn_no = w.psn_no and p.region = w.region
    left join enrolment e on e.psn_no = p.psn_no and e.from_date <= w.insured_day and (e.until_date is null or e.until_date >= w.insured_day)
    left join accumulator a on a.psn_no = p.psn_no and a.scheme = e.scheme and a.year_from <= w.benefit_day and a.year_from > w.benefit_day - interval '1 year'
    order by w.n, e.rank`.execute(db)
  const found = Map.groupBy(rows, (row) => row.n)
  return asked.map((_, index) => found.get(index + 1) ?? [])
}

/** What of it a bill of a kind of care starts from. @param stayFen deductible already paid within the same stay. */
export function usedFor(standing: Standing, kind: CareKind, stayFen: bigint): UsedUp {
  const { used, policy } = standing
  const perStay = policy.categories[kind.category]?.deductible.per === 'stay'
  const yearFen = kind.category === 'inpatient' ? used.deductibleInpatientFen : used.deductibleOutpatientFen
  return {
    deductibleFen: perStay ? stayFen : yearFen, aboveDeductibleFen: used.aboveDeductibleFen,
    categoryAboveFen: kind.category === 'outpatient' ? used.outpatientAboveFen : 0n, aboveCapFen: used.aboveCapFen, selfFen: used.selfFen, aidFen: used.aidFen,
  }
}

/** Which stay of the year this is, and what of its deductible earlier bills of the same stay took. */
export async function stayFacts(db: Kysely<InsurerTables>, standing: Standing, stay: string): Promise<{ number: number; deductibleFen: bigint }> {
  const { rows } = await sql<{ others: bigint; paid: bigint }>`
    select count(distinct stay) filter (where stay <> ${stay})::int8 as others, coalesce(sum(deductible_inpatient_fen) filter (where stay = ${stay}), 0)::int8 as paid
    from claim where psn_no = ${standing.psnNo} and stay is not null and state = 'settled' and scheme = ${standing.scheme} and year_from = ${standing.yearFrom}::date`.execute(db)
  return { number: Number(rows[0]?.others ?? 0n) + 1, deductibleFen: rows[0]?.paid ?? 0n }
}

/** How treatment at a division elsewhere was filed; null at home and where the policy asks for no filing. */
export async function filingFor(db: Kysely<InsurerTables>, own: string, standing: Standing, at: { division: string; day: string; urgent: boolean }): Promise<FilingKind | null> {
  if (holdsDivision(own, at.division) || standing.policy.crossRegion.withoutFiling.includes(at.division)) return null
  const filed = await validFilings(db, standing.psnNo, at.day)
  const found = filed.find((each) => each.region !== null && holdsDivision(each.region, at.division))
  if (found && found.kind !== 'disease') return found.kind
  return at.urgent ? 'emergency' : 'unfiled'
}

/** Has the person a filing for one of these diagnoses (ICD-10)? */
export async function diseaseIsFiled(db: Kysely<InsurerTables>, psnNo: string, day: string, diagnoses: readonly string[]): Promise<boolean> {
  const filed = await validFilings(db, psnNo, day)
  return filed.some((each) => each.disease !== null && diagnoses.some((code) => code.startsWith(each.disease ?? '')))
}

async function validFilings(db: Kysely<InsurerTables>, psnNo: string, day: string) {
  return db.selectFrom('filing').select(['kind', 'region', 'disease']).where('psn_no', '=', psnNo).where('from_date', '<=', day)
    .where((eb) => eb.or([eb('until_date', 'is', null), eb('until_date', '>=', day)]))
    .where((eb) => eb.or([eb('withdrawn_on', 'is', null), eb('withdrawn_on', '>', day)])).execute()
}

/** Kind of care of a med_type; null when it is not offered. */
export function careKindOf(medicalType: string): CareKind | null {
  return careKinds[medicalType] ?? null
}
