/**
 * Takes a Claim: a predetermination is answered without a trace, a claim is settled once (`settle-claim`). Invariant: one message id has one answer for
 * ever; the same message again gets it, another body under the same id is refused, and so is a message reversed before it came.
 */
import type { Claim, ClaimResponse } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { holdsDivision } from '../fhir/claim-message.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { fail } from '../fhir/outcome.ts'
import type { InsurerDb } from '../storage/pool.ts'
import { assertCatalogue } from './catalogue.ts'
import { type Centre, peerRegionOf, wayTo } from './centre.ts'
import { loadStanding } from './coverage-facts.ts'
import { askedOf, decideClaim } from './decide-claim.ts'
import { forwardClaim } from './forward.ts'
import { type ClaimRequest, readClaim } from './read-claim.ts'
import { settleClaim } from './settle-claim.ts'
import { assertDetails } from './visit-details.ts'

/** Throws OutcomeError value-invalid, amount-mismatch, region-wrong, charge-unknown, idempotency-mismatch, conflict. */
export async function submitClaim(db: InsurerDb, ctx: Ctx, centre: Centre, claim: Claim): Promise<ClaimResponse> {
  const request = readClaim(claim, dayInShanghai(ctx.now))
  assertTreatedHere(ctx, centre, request)
  const fromHere = peerRegionOf(ctx.principal) === null
  if (fromHere) await assertCatalogue(db, request)
  if (fromHere && request.use === 'predetermination') await assertDetails(db, ctx, request, false)
  const peer = fromHere ? wayTo(centre, request.region) : null
  if (peer) return forwardClaim(db, ctx, centre, peer, claim, request)
  if (request.use === 'predetermination') return (await decideClaim(db, ctx, centre, request, await loadStanding(db, centre.region, askedOf(centre, request)))).response
  return settleClaim(db, { ctx, centre, claim, request })
}

/** Institutions of this region send here; another centre sends what was treated in its own region. */
function assertTreatedHere(ctx: Ctx, centre: Centre, request: ClaimRequest): void {
  const region = peerRegionOf(ctx.principal) ?? centre.region
  if (holdsDivision(region, request.division)) return
  throw fail('region-wrong', {
    zh: `机构编码 ${request.provider} 不属于${region === centre.region ? centre.name.zh : region}，请向就医地的医保中心申报。`,
    en: `Institution ${request.provider} is not in ${region === centre.region ? centre.name.en : region}. Submit to the centre of the place of treatment.`,
  }, 'Claim.provider.identifier')
}
