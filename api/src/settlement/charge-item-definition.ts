/**
 * The price list: one ChargeItemDefinition an item, whose id is made of its code, so that a price is found without a
 * search. Invariant: what a charge costs, and its insurance class, come from here alone.
 * Source of the terms: national catalogue classes 甲 A, 乙 B, 丙 C with first-pay ratio and price limit.
 */
import type { ChargeItemDefinition, Extension } from '@medplum/fhirtypes'
import type { Named } from '../booking/shapes.ts'
import { chargeItemSystem, type LineTerms, readTerms, termExtensions } from '../fhir/claim-message.ts'
import { fenOf, yuan } from '../fhir/money.ts'
import { bothLanguagesOf, englishSibling } from '../fhir/translation.ts'

const chargeKindSystem = 'https://pujiang.health/fhir/CodeSystem/charge-kind'
export const definitionUrl = 'https://pujiang.health/fhir/ChargeItemDefinition'
const unitUrl = 'https://pujiang.health/fhir/StructureDefinition/charge-unit'

export type ChargeKind = 'service' | 'drug' | 'lab' | 'imaging'

/** An item of the price list as people enter it. */
export interface PriceListItem {
  /** Letters, digits, `-` and `.` only, at most 50: it becomes part of the resource's id. */
  code: string
  zh: string
  en: string
  kind: ChargeKind
  /** What one is: 次, 盒, 项 … */
  unit: string
  priceFen: number
  catalogueClass: 'A' | 'B' | 'C'
  /** 0..1; only class B uses it. */
  firstPayRatio: number
  /** Price limit of one unit; null when there is none. */
  limitFen: number | null
}

/** What a charge needs to know of its definition. */
export interface ChargeTerms extends LineTerms {
  code: string
  name: Named
  unitPriceFen: bigint
}

export function chargeItemDefinitionId(code: string): string {
  return `charge-item-${code}`
}

/** The resource of a price-list item. Pure. */
export function chargeItemDefinition(item: PriceListItem): ChargeItemDefinition {
  const id = chargeItemDefinitionId(item.code)
  const english = englishSibling(item.en)
  const definition: ChargeItemDefinition & { _title: { extension: Extension[] } } = {
    resourceType: 'ChargeItemDefinition',
    id,
    url: `${definitionUrl}/${id}`,
    title: item.zh,
    _title: english,
    status: 'active',
    extension: [
      ...termExtensions({ catalogueClass: item.catalogueClass, firstPayParts: Math.round(item.firstPayRatio * 10_000), limitFen: item.limitFen === null ? null : BigInt(item.limitFen) }),
      { url: unitUrl, valueString: item.unit },
    ],
    code: {
      coding: [{ system: chargeItemSystem, code: item.code, display: item.zh, _display: english } as { code: string }],
      text: item.zh,
    },
    useContext: [{
      code: { system: 'http://terminology.hl7.org/CodeSystem/usage-context-type', code: 'task' },
      valueCodeableConcept: { coding: [{ system: chargeKindSystem, code: item.kind }] },
    }],
    propertyGroup: [{ priceComponent: [{ type: 'base', amount: yuan(BigInt(item.priceFen)) }] }],
  }
  return definition
}

/** Reads a definition back; null when it carries no price or class, which makes it useless for a charge. */
export function chargeTerms(definition: ChargeItemDefinition): ChargeTerms | null {
  const coding = definition.code?.coding?.find((each) => each.system === chargeItemSystem)
  const price = fenOf(definition.propertyGroup?.[0]?.priceComponent?.find((each) => each.type === 'base')?.amount)
  const terms = readTerms(definition.extension)
  if (!coding?.code || price === null || price < 0n || terms === null) return null
  const zh = definition.title ?? coding.display ?? coding.code
  return { code: coding.code, name: bothLanguagesOf(definition, 'title') ?? { zh, en: zh }, unitPriceFen: price, ...terms }
}
