/** Claims the centre is asked about, and the same bill split in memory. */
import {
  chargeItemSystem, hospitalLevelSystem, hospitalLevelUrl, institutionSystem, medicalCategorySystem, messageIdSystem, psnSystem, termExtensions,
} from '../../api/src/fhir/claim-message.ts'
import { yuan } from '../../api/src/fhir/money.ts'
import { adjudicate, type Facts } from '../../api/src/insurer/adjudicate.ts'
import { policyOn } from '../../api/src/insurer/policies.ts'

/** E02 of docs/settlement.md: consultation, laboratory, two drugs. */
const lines = [
  { fen: 3800n, catalogueClass: 'A', firstPayParts: 0 }, { fen: 26_000n, catalogueClass: 'B', firstPayParts: 1000 },
  { fen: 41_237n, catalogueClass: 'B', firstPayParts: 2000 }, { fen: 9680n, catalogueClass: 'A', firstPayParts: 0 },
] as const

/** @param n number of the message; people take turns. */
export function claimBody(n: number, use: 'claim' | 'predetermination', day: string, people: number): string {
  const person = { system: psnSystem('310000'), value: `P${n % people}` }
  return JSON.stringify({
    resourceType: 'Claim', status: 'active', use, created: day,
    identifier: [{ system: messageIdSystem, value: `H31010100001${String(20_261_120_000_000 + Math.floor(n / 10_000))}${String(n % 10_000).padStart(4, '0')}` }],
    extension: [{ url: hospitalLevelUrl, valueCoding: { system: hospitalLevelSystem, code: '02' } }],
    type: { coding: [{ system: medicalCategorySystem, code: '11' }] }, patient: { identifier: person }, billablePeriod: { start: day },
    provider: { identifier: { system: institutionSystem, value: 'H31010100001' } }, priority: { coding: [{ code: 'normal' }] },
    insurance: [{ sequence: 1, focal: true, coverage: { identifier: person } }],
    item: lines.map((line, index) => ({
      sequence: index + 1, productOrService: { coding: [{ system: chargeItemSystem, code: `t${index}` }] }, quantity: { value: 1 }, unitPrice: yuan(line.fen), net: yuan(line.fen),
      extension: termExtensions({ catalogueClass: line.catalogueClass, firstPayParts: line.firstPayParts, limitFen: null }),
    })),
    total: yuan(lines.reduce((sum, line) => sum + line.fen, 0n)),
  })
}

/** The pure sum with its trace, over and over. */
export function inMemory(seconds: number): { perSecond: number; micros: number } {
  const policy = policyOn('310000', 310, '2026-11-20')
  if (!policy) throw new Error('There is no policy.')
  const facts: Facts = {
    policy, category: 'outpatient', at: { level: 3, stay: 1 }, filing: null, criticalIllness: false, aid: false,
    insured: { personType: 11, age: 40, birthDate: '1985-01-01', retiredOn: null, workingSince: null, gpContract: false },
    lines: lines.map((line, index) => ({ sequence: index + 1, quantity: 1, amountFen: line.fen, catalogueClass: line.catalogueClass, firstPayParts: line.firstPayParts, limitFen: null })),
    used: { deductibleFen: 28_311n, aboveDeductibleFen: 0n, categoryAboveFen: 0n, aboveCapFen: 0n, selfFen: 0n, aidFen: 0n }, account: { currentFen: 0n, priorFen: 15_000n },
  }
  let done = 0
  const run = (untilNs: bigint) => { while (process.hrtime.bigint() < untilNs) for (let n = 0; n < 200; n++) { adjudicate(facts); done++ } }
  run(process.hrtime.bigint() + 1_000_000_000n)
  done = 0
  const [start, cpu] = [process.hrtime.bigint(), process.cpuUsage()]
  run(start + BigInt(seconds) * 1_000_000_000n)
  const used = process.cpuUsage(cpu)
  return { perSecond: (done * 1e9) / Number(process.hrtime.bigint() - start), micros: (used.user + used.system) / done }
}
