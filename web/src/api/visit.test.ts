import type { BundleEntry, ChargeItem, Condition, Encounter, MedicationRequest, ServiceRequest } from '@medplum/fhirtypes'
import { describe, expect, test } from 'vitest'
import { type DraftItem, totalFen, visitBundle, type VisitDraft, type VisitFacts } from './visit.ts'

const item = (code: string, kind: DraftItem['kind'], priceFen: number, quantity = 1, dose = ''): DraftItem => ({ code, zh: `项目${code}`, en: `Item ${code}`, kind, priceFen, unit: '次', quantity, dose })
const draft: VisitDraft = {
  diagnoses: [{ code: 'I10', zh: '原发性高血压', en: 'Essential hypertension' }, { code: 'E78.5', zh: '高脂血症', en: 'Hyperlipidaemia' }],
  note: '  头晕三天。  ', startedAt: '2026-11-24T01:00:00.000Z',
  items: [item('V3040', 'service', 6400), item('L2070', 'lab', 4200), item('D1', 'drug', 3260, 2, '每日1次，每次1片')],
}
const facts: VisitFacts = {
  appointment: 'a1', patient: { reference: 'Patient/p1', display: '张明' }, practitioner: { reference: 'Practitioner/d1', display: '王建国' },
  organization: { reference: 'Organization/h1', display: '第一人民医院' }, department: { coding: [{ code: '03.04' }] }, now: '2026-11-24T01:20:00.000Z',
}

describe('a finished visit', () => {
  let count = 0
  const bundle = visitBundle(draft, facts, () => `00000000-0000-4000-8000-${String(count += 1).padStart(12, '0')}`)
  const entries = bundle.entry ?? []
  const of = <T>(type: string) => entries.filter((each) => each.resource?.resourceType === type).map((each) => each.resource as T)
  const encounterUrl = entries[0]?.fullUrl

  test('is one transaction that creates everything', () => {
    expect(bundle.type).toBe('transaction')
    expect(entries.map((each) => each.resource?.resourceType)).toEqual([
      'Encounter', 'Condition', 'Condition', 'ServiceRequest', 'MedicationRequest', 'ChargeItem', 'ChargeItem', 'ChargeItem',
    ])
    for (const each of entries) expect(each.request).toEqual({ method: 'POST', url: each.resource?.resourceType })
  })

  test('links all entries by urn:uuid, each its own', () => {
    expect(new Set(entries.map((each: BundleEntry) => each.fullUrl)).size).toBe(entries.length)
    expect(entries.every((each) => /^urn:uuid:[0-9a-f-]{36}$/.test(each.fullUrl ?? ''))).toBe(true)
    const linked = [...of<Condition>('Condition'), ...of<ServiceRequest>('ServiceRequest'), ...of<MedicationRequest>('MedicationRequest')]
    for (const each of linked) expect(each.encounter?.reference).toBe(encounterUrl)
    for (const each of of<ChargeItem>('ChargeItem')) expect(each.context?.reference).toBe(encounterUrl)
  })

  test('the encounter names the appointment, the hospital and the diagnoses in order', () => {
    const [encounter] = of<Encounter>('Encounter')
    expect(encounter).toMatchObject({
      status: 'finished', appointment: [{ reference: 'Appointment/a1' }], serviceProvider: { reference: 'Organization/h1' }, subject: { reference: 'Patient/p1' },
      period: { start: draft.startedAt, end: facts.now },
    })
    expect(encounter?.diagnosis?.map((each) => each.condition?.reference)).toEqual([entries[1]?.fullUrl, entries[2]?.fullUrl])
  })

  test('the note stands with the main diagnosis, trimmed', () => {
    expect(of<Condition>('Condition').map((each) => each.note?.[0]?.text)).toEqual(['头晕三天。', undefined])
  })

  test('charges carry quantity and code, never a price', () => {
    const charges = of<ChargeItem>('ChargeItem')
    expect(charges.map((each) => [each.code?.coding?.[0]?.code, each.quantity?.value])).toEqual([['V3040', 1], ['L2070', 1], ['D1', 2]])
    for (const each of charges) expect(each.priceOverride).toBeUndefined()
  })

  test('a prescription says the dose and how many packs', () => {
    expect(of<MedicationRequest>('MedicationRequest')[0]).toMatchObject({ dosageInstruction: [{ text: '每日1次，每次1片' }], dispenseRequest: { quantity: { value: 2 } } })
  })
})

test('the total is price times quantity', () => expect(totalFen(draft.items)).toBe(6400 + 4200 + 6520))
