/**
 * What a policy would have made of past claims, before it goes live; and whether today's code still makes of them what was
 * decided (replay). The claims of a person and scheme are taken in the order they were decided, and what they use up of the year
 * is carried forward under the policy asked about; accounts and medical aid are as the trace of each claim says they were.
 * Deciding is pure; `loadHistory` reads, nothing writes.
 */
import type { Claim, ClaimResponse } from '@medplum/fhirtypes'
import { type Kysely, sql } from 'kysely'
import { type Split, splitCategories, splitOf, traceUrl } from '../fhir/claim-message.ts'
import type { InsurerTables } from '../storage/tables.ts'
import { adjudicate, type UsedUp } from './adjudicate.ts'
import { careKindOf } from './coverage-facts.ts'
import { policies } from './policies.ts'
import { readClaim } from './read-claim.ts'
import { ageOn, benefitYear, type FilingKind, type Policy } from './rules.ts'
import { replayTrace, traceFromJson, type TraceStep } from './trace.ts'

/** A settled claim with what the centre knows of its person. */
export interface PastClaim {
  messageId: string
  psnNo: string
  claim: Claim
  response: ClaimResponse
  policyId: string
  person: { birth_date: string; retired_on: string | null; working_since: string | null; gp_contract: boolean }
  personType: number
}

export interface Outcome { messageId: string; psnNo: string; was: Split; becomes: Split }

/** What the people of one person type would have paid and what funds would have paid for them. */
export interface GroupSums { personType: number; people: Set<string>; was: Split; becomes: Split }

export interface WhatIf {
  claims: number
  people: number
  was: Split
  becomes: Split
  groups: GroupSums[]
  /** Claims whose split changes, the largest change of cash first. */
  changed: Outcome[]
}

/**
 * @param policyFor the policy that is to hold for a claim in place of the one it was decided by.
 * @param carries does what is used up follow from the new decisions? False: each claim starts from what its trace says.
 */
export function whatIf(history: readonly PastClaim[], policyFor: (past: PastClaim) => Policy, carries = true): WhatIf {
  const [was, becomes] = [zero(), zero()]
  const changed: Outcome[] = []
  const years = new Map<string, Year>()
  const groups = new Map<number, GroupSums>()
  for (const past of history) {
    const outcome = { messageId: past.messageId, psnNo: past.psnNo, was: splitOf(past.response.total) ?? zero(), becomes: decideAgain(past, policyFor(past), years, carries) }
    const group = groups.get(past.personType) ?? { personType: past.personType, people: new Set(), was: zero(), becomes: zero() }
    groups.set(past.personType, group)
    group.people.add(past.psnNo)
    for (const category of splitCategories) {
      was[category] += outcome.was[category]
      becomes[category] += outcome.becomes[category]
      group.was[category] += outcome.was[category]
      group.becomes[category] += outcome.becomes[category]
    }
    if (splitCategories.some((category) => outcome.was[category] !== outcome.becomes[category])) changed.push(outcome)
  }
  const size = ({ was: before, becomes: after }: Outcome) => { const change = after.cash - before.cash; return change < 0n ? -change : change }
  changed.sort((one, other) => (size(one) < size(other) ? 1 : size(one) > size(other) ? -1 : one.messageId < other.messageId ? -1 : 1))
  return { claims: history.length, people: new Set(history.map((each) => each.psnNo)).size, was, becomes, groups: [...groups.values()].sort((one, other) => one.personType - other.personType), changed }
}

/** With the policies as they stand: every claim must come out as it was decided. */
export function replay(history: readonly PastClaim[]): WhatIf {
  return whatIf(history, ({ policyId }) => {
    const policy = policies.find((each) => each.id === policyId)
    if (!policy) throw new Error(`Policy ${policyId} is gone; a policy that was used is never taken away.`)
    return policy
  }, false)
}

/** What a person has used up of a year, as it grows from claim to claim. */
interface Year { outpatientFen: bigint; inpatientFen: bigint; aboveFen: bigint; outpatientAboveFen: bigint; aboveCapFen: bigint; selfFen: bigint; aidFen: bigint; stays: Map<string, bigint> }

function decideAgain(past: PastClaim, policy: Policy, years: Map<string, Year>, carries: boolean): Split {
  const request = readClaim(past.claim, '9999-12-31')
  const kind = careKindOf(request.medicalType)
  if (!kind || !policy.categories[kind.category]) return allCash(request.totalFen)
  const steps = traceOf(past.response)
  const seen = replayTrace(steps)
  const was = (name: string) => seen.get(name) ?? 0n
  const key = `${past.psnNo} ${policy.scheme} ${benefitYear(policy, request.endedOn)}`
  const inpatient = kind.category === 'inpatient'
  // Where the history begins, the trace says what was used up before.
  const known = years.get(key)
  const year: Year = known && carries ? known : {
    outpatientFen: inpatient ? 0n : was('deductible-used'), inpatientFen: inpatient ? was('deductible-used') : 0n, aboveFen: was('cap-used'),
    outpatientAboveFen: was('category-cap-used'), aboveCapFen: was('above-cap-used'), selfFen: was('self-used'), aidFen: was('aid-used'), stays: known?.stays ?? new Map<string, bigint>(),
  }
  years.set(key, year)
  const stayFen = request.stay === null ? 0n : year.stays.get(request.stay) ?? 0n
  const used: UsedUp = {
    deductibleFen: policy.categories[kind.category]?.deductible.per === 'stay' ? (carries ? stayFen : was('deductible-used')) : inpatient ? year.inpatientFen : year.outpatientFen,
    aboveDeductibleFen: year.aboveFen, categoryAboveFen: kind.category === 'outpatient' ? year.outpatientAboveFen : 0n, aboveCapFen: year.aboveCapFen, selfFen: year.selfFen, aidFen: year.aidFen,
  }
  const illnesses = policy.criticalIllness?.illnesses ?? []
  const { split, grows } = adjudicate({
    policy, category: kind.category, at: { level: request.level, stay: request.stay === null ? 1 : [...year.stays.keys()].filter((stay) => stay !== request.stay).length + 1 },
    insured: {
      personType: past.personType, age: ageOn(past.person.birth_date, request.endedOn), birthDate: past.person.birth_date, retiredOn: past.person.retired_on,
      workingSince: past.person.working_since, gpContract: past.person.gp_contract,
    },
    filing: filingOf(steps), lines: request.lines, used,
    criticalIllness: illnesses === 'all' || illnesses.some((prefix) => request.diagnoses.some((code) => code.startsWith(prefix))),
    aid: was('aid-limit') > 0n, account: { currentFen: was('account-current-balance'), priorFen: was('account-prior-balance') },
  })
  if (inpatient) year.inpatientFen += grows.deductibleFen
  else year.outpatientFen += grows.deductibleFen
  year.aboveFen += grows.aboveDeductibleFen
  if (kind.category === 'outpatient') year.outpatientAboveFen += grows.categoryAboveFen
  year.aboveCapFen += grows.aboveCapFen
  year.selfFen += grows.selfFen
  year.aidFen += grows.aidFen
  if (request.stay !== null) year.stays.set(request.stay, stayFen + grows.deductibleFen)
  return split
}

function traceOf(response: ClaimResponse): TraceStep[] {
  const data = response.extension?.find((each) => each.url === traceUrl)?.valueAttachment?.data ?? ''
  return traceFromJson(Buffer.from(data, 'base64').toString() || '[]')
}

function filingOf(steps: readonly TraceStep[]): FilingKind | null {
  return steps.find((step) => step.reduced)?.reduced?.filing ?? null
}

function zero(): Split {
  return Object.fromEntries(splitCategories.map((category) => [category, 0n])) as Split
}

function allCash(fen: bigint): Split {
  return { ...zero(), submitted: fen, fullself: fen, cash: fen }
}

/** Settled claims of people insured here, in the order they were decided, at most `limit`. */
export async function loadHistory(db: Kysely<InsurerTables>, asked: { scheme: number; from: string; until: string; limit: number }): Promise<PastClaim[]> {
  const { rows } = await sql<{ message_id: string; psn_no: string; content: string; response: string; policy: string; person_type: number; birth_date: string; retired_on: string | null; working_since: string | null; gp_contract: boolean }>`
    select c.message_id, c.psn_no, c.content, c.response, c.policy, e.person_type, p.birth_date, p.retired_on, p.working_since, p.gp_contract
    from claim c join insured_person p on p.psn_no = c.psn_no
    join lateral (select person_type from enrolment e where e.psn_no = c.psn_no and e.scheme = c.scheme and e.from_date <= c.service_date
      and (e.until_date is null or e.until_date >= c.service_date) order by e.rank limit 1) e on true
    where c.state = 'settled' and c.year_from is not null and c.scheme = ${asked.scheme} and c.service_date between ${asked.from}::date and ${asked.until}::date
    order by c.received_at, c.message_id limit ${asked.limit}`.execute(db)
  return rows.map((row) => ({
    messageId: row.message_id, psnNo: row.psn_no, claim: JSON.parse(row.content) as Claim, response: JSON.parse(row.response) as ClaimResponse, policyId: row.policy,
    person: row, personType: row.person_type,
  }))
}
