/**
 * Who is insured: people and their enrolments in bulk, as a register is taken over. Invariant (constraint enrolment_one_scheme): a
 * person has one basic scheme at a time, but for a transition. One person at a time: `enrol-person.ts`.
 */
import type { InsurerTrx } from '../storage/pool.ts'
import { policyOn } from './policies.ts'
import { benefitYear } from './rules.ts'

/** 310 employee basic, 390 resident basic. */
export type Scheme = 310 | 390

export interface Enrolment {
  /** Insured-person number, unique within the region. */
  psnNo: string
  /** GB/T 2260 code of the insured place, six digits. */
  region: string
  residentId: string
  name: string
  sex: 'male' | 'female' | 'unknown'
  /** YYYY-MM-DD, as all days here. */
  birthDate: string
  scheme: Scheme
  /** 11 active, 12 retired, 14xx groups of residents. */
  personType: number
  from: string
  /** Last day; null when open. */
  until: string | null
  /** Day of retirement; null when not retired or not an employee. */
  retiredOn: string | null
  /** Entitled to medical aid. */
  aid: boolean
  /** First day of work; absent when not known. */
  workingSince?: string
  /** Signed with a family doctor; absent: no. */
  gpContract?: boolean
  /** Personal account of the employee scheme: of this benefit year and of earlier ones. */
  accountCurrentFen: bigint
  accountPriorFen: bigint
  /** What earlier visits used up of the benefit year that `day` is in; absent when nothing. */
  used?: { day: string; deductibleOutpatientFen: bigint; aboveDeductibleFen: bigint }
}

const rowsMax = 1000

/** Adds people with their enrolment; for the demo city and tests. A psn_no that is there already is left as it is. */
export async function insertEnrolments(trx: InsurerTrx, rows: readonly Enrolment[]): Promise<void> {
  for (let start = 0; start < rows.length; start += rowsMax) {
    const part = rows.slice(start, start + rowsMax)
    await trx.insertInto('insured_person').values(part.map((row) => ({
      psn_no: row.psnNo, region: row.region, resident_id: row.residentId, name: row.name, sex: row.sex, birth_date: row.birthDate,
      account_year: null, retired_on: row.retiredOn, aid: row.aid, account_current_fen: row.accountCurrentFen, account_prior_fen: row.accountPriorFen,
      working_since: row.workingSince ?? null, gp_contract: row.gpContract ?? false,
    }))).onConflict((conflict) => conflict.doNothing()).execute()
    await trx.insertInto('enrolment').values(part.map((row) => ({
      psn_no: row.psnNo, scheme: row.scheme, person_type: row.personType, from_date: row.from, until_date: row.until, benefits_from: null, ended_because: null,
    }))).onConflict((conflict) => conflict.doNothing()).execute()
    const used = part.flatMap(accumulatorOf)
    if (used.length > 0) await trx.insertInto('accumulator').values(used).onConflict((conflict) => conflict.doNothing()).execute()
  }
}

function accumulatorOf({ psnNo, region, scheme, used }: Enrolment) {
  const policy = used && policyOn(region, scheme, used.day)
  return used && policy ? [{
    psn_no: psnNo, scheme, year_from: benefitYear(policy, used.day),
    deductible_outpatient_fen: used.deductibleOutpatientFen, above_deductible_fen: used.aboveDeductibleFen,
    outpatient_above_fen: used.aboveDeductibleFen,
  }] : []
}
