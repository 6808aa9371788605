/** Routes of the officer's desk at an insurance centre, for the platform of the region, which has asked who the officer is. */
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { isDate } from '../fhir/date-time.ts'
import { approveClearing, clearRegion, payClearing } from '../insurer/clearing.ts'
import { askWhatIf, listClaims, listClearings, listDifferences, listFilings, listPolicies, policyFile, readOfficeClaim, resolveDifference, tryPolicy } from '../insurer/office.ts'
import { readPolicyFile } from '../insurer/policy-file.ts'
import type { AppEnv } from './auth.ts'
import { assertScope, type CentreRoutes } from './insurer-request.ts'
import { readJson } from './json-body.ts'

/** Who decides, as the platform names them; kept beside the decision. */
const officerHeader = 'X-Officer'

const day = z.string().refine((text) => text.length === 10 && isDate(text))
const question = z.object({
  policy: z.string().max(40), from: day, until: day, ratioPoints: z.number().min(-100).max(100).nullable(), deductibleYuan: z.number().min(0).max(1_000_000).nullable(),
  capYuan: z.number().min(0).max(100_000_000).nullable(),
})
const deduction = z.object({ deductedFen: z.number().int().min(0), reason: z.string().max(500).nullable() })
const regionMonth = z.object({ month: z.string().regex(/^\d{4}-\d{2}$/), region: z.string().regex(/^\d{6}$/) })
const fileQuestion = z.object({ policy: z.unknown(), from: day, until: day })
const remark = z.object({ note: z.string().max(500) })

export function officeRoutes({ db, centre }: CentreRoutes): Hono<AppEnv> {
  const json = (c: Context, value: unknown) => c.json(value as object, 200, { 'Cache-Control': 'no-store' })
  return new Hono<AppEnv>()
    .use(async (c, next) => {
      assertScope(c, 'InsurancePlan', c.req.method === 'GET' ? 'r' : 'u')
      await next()
    })
    .get('/claims', async (c) => json(c, await listClaims(db, { day: c.req.query('day') || null, messageId: c.req.query('message') || null })))
    .get('/claims/:id', async (c) => json(c, await readOfficeClaim(db, c.req.param('id'))))
    .get('/differences', async (c) => json(c, await listDifferences(db)))
    .post('/differences/:statement/:message/:kind', async (c) => {
      const { note } = await readJson(c, remark)
      await resolveDifference(db, c.get('ctx'), { statement: c.req.param('statement'), messageId: c.req.param('message'), kind: c.req.param('kind') }, note, c.req.header(officerHeader) ?? '')
      return json(c, {})
    })
    .get('/clearings', async (c) => json(c, await listClearings(db)))
    .post('/clearings/region', async (c) => {
      await clearRegion(db, c.get('ctx'), centre, await readJson(c, regionMonth))
      return json(c, {})
    })
    .post('/clearings/:id/approve', async (c) => {
      const { deductedFen, reason } = await readJson(c, deduction)
      await approveClearing(db, c.get('ctx'), c.req.param('id'), { fen: BigInt(deductedFen), reason }, c.req.header(officerHeader) ?? null)
      return json(c, {})
    })
    .post('/clearings/:id/pay', async (c) => {
      await payClearing(db, c.get('ctx'), c.req.param('id'), c.req.header(officerHeader) ?? null)
      return json(c, {})
    })
    .get('/filings', async (c) => json(c, await listFilings(db)))
    .get('/policies', (c) => json(c, listPolicies(centre.region)))
    .get('/policies/:id', (c) => json(c, policyFile(centre.region, c.req.param('id'))))
    .post('/what-if/file', async (c) => {
      const { policy, from, until } = await readJson(c, fileQuestion)
      return json(c, await tryPolicy(db, centre.region, { policy: readPolicyFile(policy), from, until }))
    })
    .post('/what-if', async (c) => json(c, await askWhatIf(db, centre.region, await readJson(c, question))))
}
