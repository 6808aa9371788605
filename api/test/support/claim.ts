/** Claims as an institution sends them, from the notation of the worked examples. */
import type { Claim } from '@medplum/fhirtypes'
import {
  chargeItemSystem, hospitalLevelSystem, hospitalLevelUrl, institutionSystem, medicalCategorySystem, messageIdSystem, psnSystem, termExtensions,
} from '../../src/fhir/claim-message.ts'
import { yuan } from '../../src/fhir/money.ts'

export interface ClaimWish {
  messageId?: string
  psnNo?: string
  use?: Claim['use']
  /** Where the person is insured. */
  region?: string
  /** Code 01 to 12. */
  level?: string
  provider?: string
  day?: string
  until?: string
  /** med_type. */
  type?: string
  /** ICD-10. */
  diagnosis?: string
}

export const e01 = '38.00A 20.00A 186.40B10 57.35A 45.00C'
export const e02 = '38.00A 260.00B10 412.37B20 96.80A'

let serial = 0

export function messageId(provider = 'H31010100001'): string {
  return `${provider}20261123073000${String(++serial).padStart(4, '0')}`
}

/** @param items `38.00A`, `186.40B10`, `16800.00B20/15000.00` (price limit); the item codes are t0, t1 … */
export function testClaim(wish: ClaimWish, items: string): Claim {
  const person = { system: psnSystem(wish.region ?? '310000'), value: wish.psnNo ?? 'P1' }
  const provider = wish.provider ?? 'H31010100001'
  const lines = items.split(' ').map((item, index) => {
    const [, amount = '0', catalogueClass = 'A', percent = '0', limit] = /^([\d.]+)([ABC])(\d*)(?:\/([\d.]+))?$/.exec(item) ?? []
    const fen = BigInt(Math.round(Number(amount) * 100))
    return {
      fen,
      item: {
        sequence: index + 1, productOrService: { coding: [{ system: chargeItemSystem, code: `t${index}` }] }, quantity: { value: 1 },
        unitPrice: yuan(fen), net: yuan(fen),
        extension: termExtensions({ catalogueClass: catalogueClass as 'A', firstPayParts: Number(percent || 0) * 100, limitFen: limit === undefined ? null : BigInt(Math.round(Number(limit) * 100)) }),
      },
    }
  })
  return {
    resourceType: 'Claim', status: 'active', use: wish.use ?? 'claim', created: '2026-11-23T07:30:00+08:00',
    identifier: [{ system: messageIdSystem, value: wish.messageId ?? messageId(provider) }],
    extension: [{ url: hospitalLevelUrl, valueCoding: { system: hospitalLevelSystem, code: wish.level ?? '02' } }],
    type: { coding: [{ system: medicalCategorySystem, code: wish.type ?? '11' }] },
    patient: { identifier: person },
    billablePeriod: { start: wish.day ?? '2026-11-23', ...(wish.until === undefined ? {} : { end: wish.until }) },
    ...(wish.diagnosis === undefined ? {} : { diagnosis: [{ sequence: 1, diagnosisCodeableConcept: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: wish.diagnosis }] } }] }),
    provider: { identifier: { system: institutionSystem, value: provider } },
    priority: { coding: [{ code: 'normal' }] },
    insurance: [{ sequence: 1, focal: true, coverage: { identifier: person } }],
    item: lines.map((line) => line.item),
    total: yuan(lines.reduce((sum, line) => sum + line.fen, 0n)),
  }
}
