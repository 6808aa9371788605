/** Routes of claims at an insurance centre: submit (one, or a batch of pre-settlements), reverse, ask. */
import type { Bundle, Claim } from '@medplum/fhirtypes'
import { Hono } from 'hono'
import { estimateBatch } from '../insurer/estimate-batch.ts'
import { askAnswer, findClaim, findStatement, readClaimResponse, reimbursementPacket, searchset } from '../insurer/find-claims.ts'
import { reverseClaim } from '../insurer/reverse-claim.ts'
import { submitClaim } from '../insurer/submit-claim.ts'
import type { AppEnv } from './auth.ts'
import { assertScope, type CentreRoutes, messageIdOf, readResource, reply, resourceOr404, selfOf } from './insurer-request.ts'

export function claimRoutes({ db, centre, base, count }: CentreRoutes): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post('/Claim/$submit', async (c) => {
      assertScope(c, 'Claim', 'c')
      const answer = await submitClaim(db, c.get('ctx'), centre, await readResource<Claim>(c, 'Claim'))
      count(answer.use, answer.outcome)
      return reply(c, answer)
    })
    .post('/', async (c) => {
      assertScope(c, 'Claim', 'c')
      const batch = await readResource<Bundle>(c, 'Bundle')
      return reply(c, await estimateBatch(db, c.get('ctx'), centre, batch, (answer) => count(answer.use, answer.outcome)))
    })
    .post('/Claim/:id/$reverse', async (c) => {
      assertScope(c, 'Claim', 'u')
      const answer = await reverseClaim(db, c.get('ctx'), centre, c.req.param('id'))
      count('reversal', answer.outcome)
      return reply(c, answer)
    })
    .get('/Claim', async (c) => {
      assertScope(c, 'Claim', 's')
      const claim = await findClaim(db, c.get('ctx'), messageIdOf(c, 'identifier'))
      return reply(c, searchset(base, selfOf(c), claim ? [claim] : []))
    })
    .get('/Claim/:id', async (c) => {
      assertScope(c, 'Claim', 'r')
      return reply(c, resourceOr404(await findClaim(db, c.get('ctx'), c.req.param('id')), `Claim/${c.req.param('id')}`))
    })
    .get('/Claim/:id/$reimbursement-packet', async (c) => {
      assertScope(c, 'Claim', 'r')
      return reply(c, await reimbursementPacket(db, c.get('ctx'), c.req.param('id')))
    })
    .get('/ExplanationOfBenefit', async (c) => {
      assertScope(c, 'ExplanationOfBenefit', 's')
      const statement = await findStatement(db, c.get('ctx'), messageIdOf(c, 'claim:identifier'))
      return reply(c, searchset(base, selfOf(c), statement ? [statement] : []))
    })
    .get('/ExplanationOfBenefit/:id', async (c) => {
      assertScope(c, 'ExplanationOfBenefit', 'r')
      return reply(c, resourceOr404(await findStatement(db, c.get('ctx'), c.req.param('id')), `ExplanationOfBenefit/${c.req.param('id')}`))
    })
    .get('/ClaimResponse', async (c) => {
      assertScope(c, 'ClaimResponse', 's')
      const answer = await askAnswer(db, c.get('ctx'), centre, messageIdOf(c, 'request-identifier'))
      return reply(c, searchset(base, selfOf(c), answer ? [answer] : []))
    })
    .get('/ClaimResponse/:id', async (c) => {
      assertScope(c, 'ClaimResponse', 'r')
      return reply(c, await readClaimResponse(db, c.get('ctx'), c.req.param('id')))
    })
}
