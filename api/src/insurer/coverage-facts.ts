/**
 * What the centre knows of a person on a day of service: enrolment, policy, accumulators. Reads only; whoever settles has
 * locked the person before.
 */
import type { Kysely } from 'kysely'
import type { InsurerTables, InsuredPersonTable } from '../storage/tables.ts'
import type { Selectable } from 'kysely'
import type { Scheme } from './enrolment.ts'
import { policyOn } from './policies.ts'
import { ageOn, benefitYear, type Insured, type Policy } from './rules.ts'
import type { Refusal } from './claim-response.ts'

export type Person = Selectable<InsuredPersonTable>

export interface Standing {
  person: Person
  scheme: Scheme
  insured: Insured
  policy: Policy
  yearFrom: string
  /** Used up in this benefit year. */
  used: { deductibleOutpatientFen: bigint; deductibleInpatientFen: bigint; aboveDeductibleFen: bigint; aidFen: bigint }
}

/** The person's standing on a day, or why there is none. `region` is where the person says to be insured. */
export async function loadStanding(
  db: Kysely<InsurerTables>, own: string, asked: { region: string; psnNo: string; day: string }, options: { lock: boolean },
): Promise<Standing | { refusal: Refusal }> {
  if (asked.region !== own) return { refusal: 'cross-region' }
  const query = db.selectFrom('insured_person').selectAll().where('psn_no', '=', asked.psnNo).where('region', '=', own)
  const person = await (options.lock ? query.forUpdate() : query).executeTakeFirst()
  if (!person) return { refusal: 'not-insured' }
  const enrolment = await db.selectFrom('enrolment').select(['scheme', 'person_type']).where('psn_no', '=', asked.psnNo)
    .where('from_date', '<=', asked.day).where((eb) => eb.or([eb('until_date', 'is', null), eb('until_date', '>=', asked.day)])).executeTakeFirst()
  if (!enrolment) return { refusal: 'coverage-inactive' }
  const scheme = enrolment.scheme as Scheme
  const policy = policyOn(own, scheme, asked.day)
  if (!policy) return { refusal: 'policy-missing' }
  const yearFrom = benefitYear(policy, asked.day)
  const used = await db.selectFrom('accumulator').selectAll()
    .where('psn_no', '=', asked.psnNo).where('scheme', '=', scheme).where('year_from', '=', yearFrom).executeTakeFirst()
  return {
    person, scheme, policy, yearFrom,
    insured: { personType: enrolment.person_type, age: ageOn(person.birth_date, asked.day), retiredOn: person.retired_on },
    used: {
      deductibleOutpatientFen: used?.deductible_outpatient_fen ?? 0n, deductibleInpatientFen: used?.deductible_inpatient_fen ?? 0n,
      aboveDeductibleFen: used?.above_deductible_fen ?? 0n, aidFen: used?.aid_fen ?? 0n,
    },
  }
}
