/**
 * The write rule of ChargeItem: the price list decides what a charge costs and how insurance sees it, the client only which
 * item and how many. In the same transaction the charge becomes a line of the visit's bill. Invariant: the total of a bill
 * is the sum of its lines, and neither changes while it is being settled or after.
 */
import type { ChargeItem, ChargeItemDefinition, Encounter } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { chargeItemSystem, termExtensions, catalogueClassUrl, firstPayUrl, priceLimitUrl } from '../fhir/claim-message.ts'
import { isFhirId, keyOf } from '../fhir/id.ts'
import { fenOf, yuan } from '../fhir/money.ts'
import { fail } from '../fhir/outcome.ts'
import { englishSibling } from '../fhir/translation.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Change, WriteRule } from '../records/store.ts'
import type { Trx } from '../storage/pool.ts'
import { assertBillIsOpen, lockBill } from './bill-rows.ts'
import { chargeItemDefinitionId, type ChargeTerms, chargeTerms } from './charge-item-definition.ts'
import { idIn, type Visit, visitOf } from './visit.ts'

const quantityMax = 10_000
/** Statuses under which a charge stands on the bill. */
const counting = new Set(['billable', 'billed'])

/**
 * Throws OutcomeError required, value-invalid, reference-unresolved, charge-unknown, amount-mismatch, settled-already,
 * settlement-pending.
 */
export const chargeItemRule: WriteRule = async (trx, ctx, _store, change, all) => {
  const before = change.before as ChargeItem | null
  const after = change.after as ChargeItem | null
  const charge = after ?? before
  if (!charge) return undefined
  const visit = await visitOfCharge(trx, charge, all)
  if (before && idIn(before.context?.reference, 'Encounter') !== visit.encounterId) {
    throw fail('value-invalid', { zh: '费用不能移到另一次就诊。请删除后重新录入。', en: 'A charge can not move to another visit. Delete it and enter it again.' }, 'ChargeItem.context')
  }
  const terms = after ? await termsOf(trx, after) : null
  const quantity = after ? quantityOf(after) : 0
  if (after && terms) assertPrice(after, terms, quantity)
  assertBillIsOpen(await lockBill(trx, ctx, visit))
  const counts = after !== null && counting.has(after.status)
  await writeLine(trx, ctx, visit, change.id, counts && terms ? { terms, quantity, position: all.indexOf(change) } : null)
  return after && terms ? completed(after, terms, quantity) : undefined
}

async function visitOfCharge(trx: Trx, charge: ChargeItem, all: readonly Change[]): Promise<Visit> {
  const encounterId = idIn(charge.context?.reference, 'Encounter')
  if (encounterId === null) throw fail('required', { zh: '费用须注明所属的就诊。', en: 'A charge must name the visit it belongs to.' }, 'ChargeItem.context')
  const beside = all.find((each) => each.type === 'Encounter' && each.id === encounterId)?.after as Encounter | undefined
  const encounter = beside ?? await loadResource<Encounter>(trx, 'Encounter', encounterId)
  if (!encounter) throw fail('reference-unresolved', { zh: '没有这次就诊。', en: 'There is no such visit.' }, 'ChargeItem.context')
  const visit = await visitOf(trx, encounter)
  if (idIn(charge.subject?.reference, 'Patient') !== visit.patientId) {
    throw fail('value-invalid', { zh: '费用的患者与就诊的患者不一致。', en: 'The patient of the charge is not the patient of the visit.' }, 'ChargeItem.subject')
  }
  return visit
}

async function termsOf(trx: Trx, charge: ChargeItem): Promise<ChargeTerms> {
  const code = charge.code?.coding?.find((each) => each.system === chargeItemSystem)?.code ?? ''
  const id = chargeItemDefinitionId(code)
  const definition = code !== '' && isFhirId(id) ? await loadResource<ChargeItemDefinition>(trx, 'ChargeItemDefinition', id) : null
  const terms = definition?.status === 'active' ? chargeTerms(definition) : null
  if (!terms) throw fail('charge-unknown', { zh: `收费项目“${code}”不在价目表中。`, en: `Item "${code}" is not on the price list.` }, 'ChargeItem.code')
  return terms
}

function quantityOf(charge: ChargeItem): number {
  const quantity = charge.quantity?.value ?? 1
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > quantityMax) {
    throw fail('value-invalid', { zh: `数量须为 1 至 ${quantityMax} 的整数。`, en: `The quantity must be a whole number from 1 to ${quantityMax}.` }, 'ChargeItem.quantity')
  }
  return quantity
}

/** A client may send the total it shows, and is told when it is not the one of the price list. */
function assertPrice(charge: ChargeItem, terms: ChargeTerms, quantity: number): void {
  const total = terms.unitPriceFen * BigInt(quantity)
  if (charge.factorOverride !== undefined) throw fail('value-invalid', { zh: '不能改变价目表的系数。', en: 'The price list can not be overridden by a factor.' }, 'ChargeItem.factorOverride')
  if (charge.priceOverride !== undefined && fenOf(charge.priceOverride) !== total) {
    throw fail('amount-mismatch', { zh: '金额与价目表不一致，请刷新后重试。', en: 'The amount differs from the price list. Reload and try again.' }, 'ChargeItem.priceOverride')
  }
}

const termUrls = new Set([catalogueClassUrl, firstPayUrl, priceLimitUrl])

function completed(charge: ChargeItem, terms: ChargeTerms, quantity: number): ChargeItem {
  const others = charge.extension?.filter((each) => !termUrls.has(each.url)) ?? []
  const coding = { system: chargeItemSystem, code: terms.code, display: terms.name.zh, _display: englishSibling(terms.name.en) }
  return {
    ...charge,
    extension: [...others, ...termExtensions(terms)],
    code: { coding: [coding, ...(charge.code.coding ?? []).filter((each) => each.system !== chargeItemSystem)], text: charge.code.text ?? terms.name.zh },
    quantity: { ...charge.quantity, value: quantity },
    priceOverride: yuan(terms.unitPriceFen * BigInt(quantity)),
  }
}

/** Puts, changes or takes away a line, then sets the total to the sum of the lines. */
async function writeLine(trx: Trx, ctx: Ctx, visit: Visit, id: string, line: { terms: ChargeTerms; quantity: number; position: number } | null): Promise<void> {
  const key = keyOf(id)
  if (line) {
    const { terms, quantity } = line
    const values = {
      code: terms.code, name_zh: terms.name.zh, name_en: terms.name.en, quantity, unit_price_fen: terms.unitPriceFen,
      catalogue_class: terms.catalogueClass, first_pay_ratio: terms.firstPayParts, limit_fen: terms.limitFen,
    }
    await trx.insertInto('bill_line').values({ shard: visit.shard, charge_item: key, charge_item_id: id, encounter: visit.encounterKey, entered_at: ctx.now, position: line.position, ...values })
      .onConflict((conflict) => conflict.columns(['charge_item', 'shard']).doUpdateSet(values)).execute()
  } else {
    await trx.deleteFrom('bill_line').where('shard', '=', visit.shard).where('charge_item', '=', key).execute()
  }
  await trx.updateTable('bill').set({
    total_fen: sql<bigint>`(select coalesce(sum(l.quantity * l.unit_price_fen), 0)::int8 from bill_line l where l.shard = ${visit.shard} and l.encounter = ${visit.encounterKey}::uuid)`,
    state: 'open', message_zh: null, message_en: null, updated_at: ctx.now,
  }).where('shard', '=', visit.shard).where('encounter', '=', visit.encounterKey).execute()
}
