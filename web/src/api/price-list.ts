/** The hospital's price list as the visit page uses it: items found by name, with kind and price. The server sets prices. */
import type { ChargeItemDefinition } from '@medplum/fhirtypes'
import { text } from '../i18n/fhir-text.ts'
import { fenOf } from '../i18n/format.ts'
import { search, searchAll } from './fhir.ts'

export type ItemKind = 'service' | 'drug' | 'lab' | 'imaging'

export interface PriceItem {
  code: string
  zh: string
  en: string
  kind: ItemKind
  priceFen: number
  /** What one is: 次, 盒, 项; empty when unknown. */
  unit: string
}

const chargeItemSystem = 'https://pujiang.health/fhir/CodeSystem/charge-item'
const kinds: readonly string[] = ['service', 'drug', 'lab', 'imaging'] satisfies ItemKind[]

/** Null when the definition names no code of ours. Pure. */
export function priceItem(definition: ChargeItemDefinition): PriceItem | null {
  const coding = definition.code?.coding?.find((each) => each.system === chargeItemSystem)
  if (!coding?.code) return null
  const named = definition.useContext?.flatMap((each) => each.valueCodeableConcept?.coding ?? []).find((each) => kinds.includes(each.code ?? ''))?.code
  const price = definition.propertyGroup?.[0]?.priceComponent?.find((each) => each.type === 'base')?.amount?.value
  const zh = definition.title ?? coding.display ?? coding.code
  return {
    code: coding.code, zh, en: text(definition, 'title', 'en') || zh, kind: (named ?? 'service') as ItemKind, priceFen: fenOf(price),
    unit: definition.extension?.find((each) => each.url.endsWith('/charge-unit'))?.valueString ?? '',
  }
}

/** Items whose name holds the words, of the kinds asked for. */
export async function findItems(words: string, wanted: readonly ItemKind[], signal?: AbortSignal): Promise<PriceItem[]> {
  const page = await search<ChargeItemDefinition>('ChargeItemDefinition', { 'title:contains': words, status: 'active', _count: 60 }, signal)
  return page.matches.flatMap((each) => priceItem(each) ?? []).filter((each) => wanted.includes(each.kind)).slice(0, 12)
}

/** The whole list, for searches by English name, which the server's index of titles does not hold. */
export async function allItems(signal?: AbortSignal): Promise<PriceItem[]> {
  const page = await searchAll<ChargeItemDefinition>('ChargeItemDefinition', { status: 'active', _count: 200 }, 10, signal)
  return page.matches.flatMap((each) => priceItem(each) ?? [])
}

/** What a consultation with this doctor costs: the item of the title at the price of the clinic, else of the price, else the first. Pure. */
export function consultationOf(items: readonly PriceItem[], titleZh: string, feeFen: number | null): PriceItem | null {
  const services = items.filter((each) => each.kind === 'service')
  const titled = titleZh ? services.filter((each) => each.zh.startsWith(titleZh)) : []
  const priced = services.filter((each) => each.priceFen === feeFen)
  return titled.find((each) => each.priceFen === feeFen) ?? priced[0] ?? titled[0] ?? services[0] ?? null
}
