import type { ChargeItemDefinition } from '@medplum/fhirtypes'
import { describe, expect, test } from 'vitest'
import { consultationOf, type PriceItem, priceItem } from './price-list.ts'

test('an item of the price list is read back from its definition', () => {
  const definition = {
    resourceType: 'ChargeItemDefinition', status: 'active', url: 'https://pujiang.health/fhir/ChargeItemDefinition/charge-item-L2070', title: '血脂四项',
    _title: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/translation', extension: [{ url: 'lang', valueCode: 'en' }, { url: 'content', valueString: 'Lipid panel' }] }] },
    code: { coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/charge-item', code: 'L2070', display: '血脂四项' }] },
    extension: [{ url: 'https://pujiang.health/fhir/StructureDefinition/charge-unit', valueString: '项' }],
    useContext: [{ code: { code: 'task' }, valueCodeableConcept: { coding: [{ code: 'lab' }] } }],
    propertyGroup: [{ priceComponent: [{ type: 'base', amount: { value: 42.5, currency: 'CNY' } }] }],
  } as ChargeItemDefinition
  expect(priceItem(definition)).toEqual({ code: 'L2070', zh: '血脂四项', en: 'Lipid panel', kind: 'lab', priceFen: 4250, unit: '项' })
})

describe('the consultation that is proposed', () => {
  const service = (code: string, zh: string, priceFen: number): PriceItem => ({ code, zh, en: code, kind: 'service', priceFen, unit: '次' })
  const items = [
    service('V1040', '主任医师门诊诊察费（一级）', 2200), service('V3010', '普通门诊诊察费（三级）', 3800), service('V3030', '副主任医师门诊诊察费（三级）', 5000), service('V3040', '主任医师门诊诊察费（三级）', 6400),
    service('V3050', '专病门诊诊察费', 5000),
  ]
  test.each([
    ['主任医师', 6400, 'V3040'], ['主任医师', 2200, 'V1040'], ['副主任医师', 5000, 'V3030'], ['主治医师', 3800, 'V3010'], ['主任医师', null, 'V1040'], ['', 5000, 'V3030'],
  ])('%s at %s fen: %s', (title, fee, code) => expect(consultationOf(items, title, fee)?.code).toBe(code))
  test('without a price list there is none', () => expect(consultationOf([], '主任医师', 6400)).toBeNull())
})
