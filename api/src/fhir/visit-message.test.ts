/** What is written is read back, and fits the profiles that a stranger's system is held to. */
import type { Bundle, ChargeItem, Encounter, Resource } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { validateResource } from '../records/validate.ts'
import { loadModel } from './model.ts'
import { batchMessage, readDetail, readVisitMessage, visitMessage } from './visit-message.ts'

const model = loadModel()
const faults = (resource: Resource, profile: string) => validateResource(model, { ...resource, meta: { profile: [`https://pujiang.health/fhir/StructureDefinition/${profile}`] } } as Resource).map((each) => `${each.code} ${each.expression}`)

const capital = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789']
const digits = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: length, maxLength: length })
const capitals = (length: number) => fc.string({ unit: fc.constantFrom(...capital), minLength: length, maxLength: length })
const messageId = fc.tuple(capitals(12), digits(14), capitals(4)).map((parts) => parts.join(''))
const person = fc.record({ region: fc.constantFrom('310000', '320500'), psnNo: digits(20) })

test('a registration', () => {
  const facts = fc.record({ messageId, institution: capitals(12), medicalType: fc.constantFrom('11', '13', '14', '21', '9925'), begunOn: fc.date({ min: new Date('2020-01-01'), max: new Date('2029-12-31'), noInvalidDate: true }).map((day) => day.toISOString().slice(0, 10)) })
  fc.assert(fc.property(facts, person, (some, who) => {
    const visit = { ...some, ...who }
    const message: Encounter = visitMessage(visit)
    expect(readVisitMessage(message)).toEqual(visit)
    expect(faults(message, 'pujiang-visit-registration')).toEqual([])
  }), { numRuns: 200 })
})

test('a batch of details', () => {
  const terms = fc.record({ catalogueClass: fc.constantFrom<'A' | 'B' | 'C'>('A', 'B', 'C'), firstPayParts: fc.integer({ min: 0, max: 10_000 }), limitFen: fc.option(fc.bigInt({ min: 0n, max: 10_000_000n })) })
  const detail = fc.record({ code: digits(9), name: fc.constantFrom('生化检验', '普通门诊诊察费'), quantity: fc.integer({ min: 1, max: 100_000 }), amountFen: fc.bigInt({ min: 0n, max: 999_999_999_99n }) })
  fc.assert(fc.property(messageId, fc.uuid(), person, fc.array(fc.tuple(detail, terms), { minLength: 1, maxLength: 100 }), (id, visit, who, drawn) => {
    const details = drawn.map(([each, its], index) => ({ detail: `2026-000417-${index + 1}`, ...each, ...its }))
    const message: Bundle<ChargeItem> = batchMessage(id, visit, who, details)
    expect(message.entry?.map(({ resource }) => readDetail(resource as ChargeItem))).toEqual(details.map(({ name: _name, ...each }) => each))
    expect(faults(message, 'pujiang-detail-batch')).toEqual([])
    for (const { resource } of message.entry ?? []) expect(faults(resource as ChargeItem, 'pujiang-visit-detail')).toEqual([])
  }), { numRuns: 60 })
})
