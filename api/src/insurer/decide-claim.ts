/** What a claim comes to: the person's standing and the kind of care make the facts, `adjudicate` the amounts. A refusal is a decision too. */
import type { ClaimResponse } from '@medplum/fhirtypes'
import type { Kysely } from 'kysely'
import type { Ctx } from '../ctx.ts'
import type { InsurerTables } from '../storage/tables.ts'
import { adjudicate, type Adjudication } from './adjudicate.ts'
import { type Centre, frameOf } from './centre.ts'
import { type Refusal, refusedResponse, settledResponse } from './claim-response.ts'
import { type Asked, diseaseIsFiled, filingFor, type Standing, stayFacts, usedFor } from './coverage-facts.ts'
import type { ClaimRequest } from './read-claim.ts'
import { regionTerms } from './transitions.ts'

export interface Decision { standing: Standing | null; adjudication: Adjudication | null; response: ClaimResponse }

/** Whose standing decides a claim, and on which days. */
export function askedOf(centre: Centre, request: ClaimRequest): Asked {
  const insuredDay = request.kind?.stay && regionTerms(centre.region).inpatientDay === 'discharge' ? request.endedOn : request.begunOn
  return { region: request.region, psnNo: request.psnNo, insuredDay, benefitDay: request.endedOn }
}

/** Reads what the kind of care asks for beside the standing; writes nothing. */
export async function decideClaim(db: Kysely<InsurerTables>, ctx: Ctx, centre: Centre, request: ClaimRequest, standing: Standing | { refusal: Refusal }): Promise<Decision> {
  const frame = frameOf(ctx, centre)
  const { kind } = request
  if ('refusal' in standing) return { standing: null, adjudication: null, response: refusedResponse(frame, request, standing.refusal) }
  const refuse = (refusal: Refusal): Decision => ({ standing, adjudication: null, response: refusedResponse(frame, request, refusal) })
  if (kind === null || !standing.policy.categories[kind.category]) return refuse('category-not-offered')
  if (kind.needsDiseaseFiling && !await diseaseIsFiled(db, standing.psnNo, request.begunOn, request.diagnoses)) return refuse('disease-not-filed')
  const stay = request.stay === null ? { number: 1, deductibleFen: 0n } : await stayFacts(db, standing, request.stay)
  const filing = await filingFor(db, centre.region, standing, { division: request.division, day: request.begunOn, urgent: kind.urgent })
  const adjudication = adjudicate({
    policy: standing.policy, category: kind.category, at: { level: request.level, stay: stay.number }, insured: standing.insured, filing, lines: request.lines,
    criticalIllness: isCritical(standing, request.diagnoses), aid: standing.aid, used: usedFor(standing, kind, stay.deductibleFen), account: standing.account,
  })
  return { standing, adjudication, response: settledResponse(frame, request, standing.scheme, standing.policy, adjudication) }
}

function isCritical({ policy }: Standing, diagnoses: readonly string[]): boolean {
  const illnesses = policy.criticalIllness?.illnesses ?? []
  return illnesses === 'all' || illnesses.some((prefix) => diagnoses.some((code) => code.startsWith(prefix)))
}
