/**
 * Many pre-settlements in one message: a FHIR batch whose entries are `POST Claim/$submit`. Each entry is answered as it would be
 * alone, in its place. Only pre-settlements: they have no effect, so that a lost answer leaves nothing in doubt, while a settlement
 * goes by itself.
 */
import type { Bundle, BundleEntry, Claim, ClaimResponse, OperationOutcome } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { fail, operationOutcome, OutcomeError } from '../fhir/outcome.ts'
import type { InsurerDb } from '../storage/pool.ts'
import type { Centre } from './centre.ts'
import { submitClaim } from './submit-claim.ts'

export const batchEntriesMax = 100

/** @param answered called for each answer. Throws OutcomeError value-invalid when it is no batch. */
export async function estimateBatch(db: InsurerDb, ctx: Ctx, centre: Centre, bundle: Bundle, answered: (answer: ClaimResponse) => void): Promise<Bundle> {
  const entries = bundle.entry ?? []
  if (bundle.type !== 'batch') throw fail('value-invalid', { zh: '只受理类型为 batch 的 Bundle。', en: 'Only a Bundle of type batch is taken.' }, 'Bundle.type')
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > batchEntriesMax) {
    throw fail('value-invalid', { zh: `一批须为 1 至 ${batchEntriesMax} 项。`, en: `A batch has 1 to ${batchEntriesMax} entries.` }, 'Bundle.entry')
  }
  const answerTo = async (entry: BundleEntry): Promise<BundleEntry> => {
    try {
      const answer = await submitClaim(db, ctx, centre, claimIn(entry))
      answered(answer)
      return { resource: answer, response: { status: '200' } }
    } catch (error) {
      if (!(error instanceof OutcomeError)) throw error
      return { response: { status: String(error.status), outcome: operationOutcome(error.issues, ctx.language) as unknown as OperationOutcome } }
    }
  }
  return { resourceType: 'Bundle', type: 'batch-response', entry: await Promise.all(entries.map(answerTo)) }
}

function claimIn(entry: BundleEntry | null): Claim {
  const { request, resource } = entry ?? {}
  if (request?.method !== 'POST' || !/^Claim\/(\$|%24)submit$/.test(request.url ?? '') || resource?.resourceType !== 'Claim') {
    throw fail('value-invalid', { zh: '每一项须为 POST Claim/$submit，内容为 Claim。', en: 'Each entry must be POST Claim/$submit with a Claim.' }, 'Bundle.entry.request')
  }
  if (resource.use !== 'predetermination') {
    throw fail('value-invalid', { zh: '一批中只能有预结算（use 为 predetermination）；结算须单独提交。', en: 'A batch holds pre-settlements only (use=predetermination); a settlement is submitted by itself.' }, 'Claim.use')
  }
  return resource
}
