/**
 * Who somebody is, by what they know: ID number, name, and the number of a card they hold: of the social-security card, or the insured person's
 * number that the e-voucher (医保电子凭证) shows. The e-voucher's own code lives for minutes and is never stored. Which of them was wrong is not said.
 */
import type { Coverage, Patient } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { psnSystem } from '../fhir/claim-message.ts'
import { fail } from '../fhir/outcome.ts'
import { residentIdSystem } from '../fhir/resident-id.ts'
import type { Db } from '../storage/pool.ts'
import { resourceOf } from './content.ts'
import { search } from './search/search.ts'
import type { Store } from './store.ts'

const socialCardSystem = 'urn:x-sh:ssc'
const insuredSystems = psnSystem('')

/**
 * The one Patient of the index with this ID, name and card.
 * @param ctx the platform's own. @param claim `residentId` normalised. @throws OutcomeError `account-unproven`.
 */
export async function provedPatient({ db, store }: { db: Db; store: Store }, ctx: Ctx, claim: { residentId: string; name: string; card: string }): Promise<Patient> {
  const { matches } = await search(db, ctx, store, 'Patient', new URLSearchParams({ identifier: `${residentIdSystem}|${claim.residentId}`, _count: '2' }))
  const [patient, second] = matches.map((match) => resourceOf<Patient>(match))
  const named = patient?.name?.some((each) => plainName(each.text ?? `${each.family ?? ''}${each.given?.join('') ?? ''}`) === plainName(claim.name))
  const numbers = patient ? [...(patient.identifier ?? []).filter((each) => each.system === socialCardSystem), ...await insuredNumbers(db, ctx, store, patient.id ?? '')] : []
  const carded = numbers.some(({ value }) => value !== undefined && plainCard(value) === plainCard(claim.card))
  if (!patient || second || !named || !carded || patient.active === false) {
    throw fail('account-unproven', { zh: '身份证号、姓名和卡号与登记的不一致，请核对。', en: 'ID number, name and card number do not match the register. Please check them.' })
  }
  return patient
}

async function insuredNumbers(db: Db, ctx: Ctx, store: Store, patient: string): Promise<{ value?: string }[]> {
  const { matches } = await search(db, ctx, store, 'Coverage', new URLSearchParams({ beneficiary: `Patient/${patient}`, status: 'active' }))
  return matches.flatMap((match) => (resourceOf<Coverage>(match).identifier ?? []).filter((each) => each.system?.startsWith(insuredSystems)))
}

/** Spaces and the middle dots of long names are written in many ways. */
function plainName(name: string): string {
  return name.normalize('NFKC').replaceAll(/[\s·•・.]/g, '').toLowerCase()
}

function plainCard(card: string): string {
  return card.normalize('NFKC').replaceAll(/[\s-]/g, '').toUpperCase()
}
