import type { Bundle, ClaimResponse, ExplanationOfBenefit } from '@medplum/fhirtypes'
import { expect, test } from 'vitest'
import { messageIdSystem, splitOf } from '../../src/fhir/claim-message.ts'
import { loadModel } from '../../src/fhir/model.ts'
import { validateResource } from '../../src/records/validate.ts'
import { testCentre } from '../support/centre.ts'
import { testClaim } from '../support/claim.ts'

const centre = await testCentre()
const get = (path: string, token?: string) => centre.request('GET', `/fhir/${path}`, undefined, token)

test('the interim bill and the last bill of a stay, each with its statement; the deductible of the stay once', async () => {
  await centre.enrol({ psnNo: 'S1', scheme: 390, personType: 1404, birthDate: '1950-01-01' })
  const bills = [testClaim({ psnNo: 'S1', type: '21', day: '2026-11-10', until: '2026-11-15' }, '2000.00A 300.00B10'), testClaim({ psnNo: 'S1', type: '21', day: '2026-11-10', until: '2026-11-22' }, '1500.00A 45.00C')]
  const statements: ExplanationOfBenefit[] = []
  for (const bill of bills) {
    const response = (await centre.request('POST', '/fhir/Claim/$submit', bill)).json as ClaimResponse
    const id = bill.identifier?.[0]?.value ?? ''
    const { status, json } = await get(`ExplanationOfBenefit/${id}`)
    expect(status).toBe(200)
    const statement = json as ExplanationOfBenefit
    expect(validateResource(loadModel(), statement)).toEqual([])
    expect([statement.status, statement.total, statement.item?.length]).toEqual(['active', response.total, bill.item?.length])
    expect(statement.item?.[0]?.adjudication).toEqual(response.item?.[0]?.adjudication)
    expect(((await get(`ExplanationOfBenefit?claim:identifier=${encodeURIComponent(`${messageIdSystem}|${id}`)}`)).json as Bundle).entry?.[0]?.resource).toEqual(statement)
    statements.push(statement)
  }
  // 300 yuan a stay in a tertiary hospital: all of it with the interim bill, none with the last.
  expect(statements.map((each) => splitOf(each.total as never)?.deductible)).toEqual([30_000n, 0n])
  const [first] = bills
  await centre.request('POST', `/fhir/Claim/${first?.identifier?.[0]?.value}/$reverse`)
  expect(((await get(`ExplanationOfBenefit/${first?.identifier?.[0]?.value}`)).json as ExplanationOfBenefit).status).toBe('cancelled')
})

test('no statement of what was refused, of others or of nothing', async () => {
  const refused = testClaim({ psnNo: 'nobody' }, '10.00A')
  await centre.request('POST', '/fhir/Claim/$submit', refused)
  expect((await get(`ExplanationOfBenefit/${refused.identifier?.[0]?.value}`)).status).toBe(404)
  await centre.enrol({ psnNo: 'S2' })
  const claim = testClaim({ psnNo: 'S2' }, '10.00A')
  await centre.request('POST', '/fhir/Claim/$submit', claim)
  expect((await get(`ExplanationOfBenefit/${claim.identifier?.[0]?.value}`, await centre.token('other@'))).status).toBe(404)
  expect((await get('ExplanationOfBenefit?patient=1')).status).toBe(400)
})
