/**
 * The whole price list as resources: services of data/service-prices.ts and a pack of each drug.
 * Invariant: a code stands once.
 */
import type { ChargeItemDefinition } from '@medplum/fhirtypes'
import { chargeItemDefinition, type ChargeKind, type PriceListItem } from '@pujiang/api/settlement/charge-item-definition.ts'
import { drugCodes, drugs } from '../data/drugs.ts'
import { imagingPrices, laboratoryPrices, treatmentPrices, visitPrices } from '../data/service-prices.ts'

export function priceList(): PriceListItem[] {
  return [
    ...parse(visitPrices, 'service'), ...parse(laboratoryPrices, 'lab'), ...parse(imagingPrices, 'imaging'), ...parse(treatmentPrices, 'service'),
    ...[...drugCodes].map(([name, code]): PriceListItem => {
      const drug = drugs[name]
      return {
        code, zh: `${drug.zh} ${drug.pack}`, en: `${drug.en}, ${packInEnglish(drug.pack)}`,
        kind: 'drug', unit: '盒', priceFen: drug.fen, catalogueClass: drug.catalogueClass, firstPayRatio: drug.firstPay, limitFen: null,
      }
    }),
  ]
}

/** `5mg×28片` → `5mg × 28`. */
function packInEnglish(pack: string): string {
  return pack.replace('（浓缩丸）', '').replace('单位', ' units').replace(/[片粒袋支丸枚吸揿]/g, '').replace('×', ' × ').trim()
}

export function priceListResources(): ChargeItemDefinition[] {
  return priceList().map(chargeItemDefinition)
}

function parse(table: string, kind: ChargeKind): PriceListItem[] {
  return table.trim().split('\n').map((line) => {
    const [code = '', zh = '', en = '', unit = '', yuan = '', catalogueClass = 'C', firstPay = '0', limit] = line.split('|')
    return {
      code, zh, en, kind, unit, priceFen: Math.round(Number(yuan) * 100), catalogueClass: catalogueClass as PriceListItem['catalogueClass'],
      firstPayRatio: Number(firstPay), limitFen: limit === undefined ? null : Math.round(Number(limit) * 100),
    }
  })
}
