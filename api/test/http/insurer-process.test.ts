import type { Claim } from '@medplum/fhirtypes'
import { expect, test } from 'vitest'
import { newSigningKey } from '../../src/crypto.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { chargeItemSystem, hospitalLevelSystem, hospitalLevelUrl, institutionSystem, medicalCategorySystem, messageIdSystem, psnSystem, termExtensions } from '../../src/fhir/claim-message.ts'
import { dayInShanghai } from '../../src/fhir/date-time.ts'
import { insertEnrolments } from '../../src/insurer/enrolment.ts'
import { httpGateway } from '../../src/settlement/gateway.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { centreProcess } from '../support/centre-process.ts'
import { testInsurerDatabase } from '../support/database.ts'

const { db, url } = await testInsurerDatabase()
const centre = await centreProcess(url)
const key = await newSigningKey()
await db.insertInto('client').values({ id: 'platform', display_name: 'Platform', jwks: { keys: [key.publicJwk] }, scopes: 'system/*.cruds', organization: null }).execute()
function claim(messageId: string): Claim {
  const person = { system: psnSystem('310000'), value: 'P1' }
  const day = dayInShanghai(new Date())
  return {
    resourceType: 'Claim', status: 'active', use: 'claim', created: day, identifier: [{ system: messageIdSystem, value: messageId }],
    extension: [{ url: hospitalLevelUrl, valueCoding: { system: hospitalLevelSystem, code: '02' } }],
    type: { coding: [{ system: medicalCategorySystem, code: '11' }] }, patient: { identifier: person }, billablePeriod: { start: day },
    provider: { identifier: { system: institutionSystem, value: 'H31010100001' } }, priority: { coding: [{ code: 'normal' }] },
    insurance: [{ sequence: 1, focal: true, coverage: { identifier: person } }],
    item: [{
      sequence: 1, productOrService: { coding: [{ system: chargeItemSystem, code: 'x' }] }, quantity: { value: 2 }, unitPrice: { value: 400, currency: 'CNY' }, net: { value: 800, currency: 'CNY' },
      extension: termExtensions({ catalogueClass: 'A', firstPayParts: 0, limitFen: null }),
    }],
    total: { value: 800, currency: 'CNY' },
  }
}

test('the centre as a process of its own: settles, is killed, comes back and still knows', async () => {
  await inTransaction(db, (trx) => insertEnrolments(trx, [{
    psnNo: 'P1', region: '310000', residentId: '999901198001010011', name: '测试', sex: 'male', birthDate: '1985-01-01', scheme: 310, personType: 11,
    from: '2020-01-01', until: null, retiredOn: null, aid: false, accountCurrentFen: 0n, accountPriorFen: 0n,
  }]))
  await centre.start()
  const gateway = httpGateway({ baseUrl: centre.address, clientId: 'platform', key, timeoutMs: 5000, now: () => new Date(), newId: () => newResourceId(null) })
  const answer = await gateway.submit(claim('H3101010000120261123073000AAAA'))
  expect(answer).toMatchObject({ kind: 'answer', response: { outcome: 'complete' } })

  await centre.kill()
  // A kept connection may still look open for a moment: then the state is unknown, which is safe as well.
  const afterKill = await gateway.submit(claim('H3101010000120261123073000BBBB'))
  expect(['not-sent', 'unknown']).toContain(afterKill.kind)
  expect((await gateway.submit(claim('H3101010000120261123073000BBBB'))).kind).toBe('not-sent')

  await centre.start()
  const found = await gateway.ask('H3101010000120261123073000AAAA')
  expect(found).toEqual({ kind: 'found', response: answer.kind === 'answer' ? answer.response : null })
  expect(await gateway.ask('H3101010000120261123073000BBBB')).toEqual({ kind: 'not-found' })
}, 60_000)
