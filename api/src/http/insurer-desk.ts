/**
 * /api/insurer: the officer's desk. The portal talks to the platform only, so this hands the officer's requests on to the centre of
 * the region, for the role `insurer` and nobody else, with the officer's id sent along. Addresses are a fixed list. Every request leaves an
 * audit row here; one for a single claim that was settled from here names its patient, who finds it in the access log.
 */
import { type Context, Hono } from 'hono'
import { fail, forbidden, OutcomeError } from '../fhir/outcome.ts'
import { recordEvents } from '../audit/record-event.ts'
import type { Ctx } from '../ctx.ts'
import type { Services } from '../services.ts'
import type { Db } from '../storage/pool.ts'
import type { AppEnv } from './auth.ts'

const addresses = [
  /^\/(claims|differences|clearings|filings|policies|what-if|what-if\/file|clearings\/region)$/, /^\/policies\/[0-9a-z-]{1,40}$/, /^\/claims\/[A-Z0-9]{1,40}$/, /^\/clearings\/[0-9a-zA-Z-]{1,64}\/(approve|pay)$/,
  /^\/differences\/[0-9a-zA-Z-]{1,64}\/[A-Z0-9]{1,40}\/(settle|reverse)$/,
]
const bodyBytesMax = 131_072

export function insurerDeskRoutes({ db, centreDesk }: Pick<Services, 'db' | 'centreDesk'>): Hono<AppEnv> {
  const handOn = async (c: Context<AppEnv>, method: 'GET' | 'POST') => {
    const { principal } = c.get('ctx')
    if (principal.kind === 'anonymous') throw fail('sign-in-required', { zh: '请先登录。', en: 'Please sign in.' })
    if (principal.kind !== 'person' || principal.role !== 'insurer') throw forbidden()
    const { pathname, search } = new URL(c.req.url)
    const address = pathname.replace(/^\/api\/insurer/, '')
    if (!addresses.some((each) => each.test(address))) throw fail('not-found', { zh: '没有这个地址。', en: 'There is no such address.' })
    const text = method === 'POST' ? await c.req.text() : ''
    if (text.length > bodyBytesMax) throw fail('body-too-large', { zh: '提交的内容太大。', en: 'The request body is too large.' })
    const { status, json } = await centreDesk(method, `/office${address}${search}`, text === '' ? undefined : parsed(text), {
      'X-Officer': principal.id, 'Accept-Language': c.req.header('Accept-Language') ?? 'zh',
    }).catch((cause: unknown) => {
      const { issues } = fail('insurer-unreachable', { zh: '暂时连不上医保中心，请稍后再试。', en: 'The insurance centre can not be reached at the moment. Please try again later.' })
      throw new OutcomeError(issues, { headers: { 'Retry-After': '30' }, cause })
    })
    await recordLook(db, c.get('ctx'), method, address, status)
    return c.body(JSON.stringify(json), status as 200, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json', 'Cache-Control': 'no-store' })
  }
  return new Hono<AppEnv>()
    .get('/insurer/*', (c) => handOn(c, 'GET'))
    .post('/insurer/*', (c) => handOn(c, 'POST'))
}

async function recordLook(db: Db, ctx: Ctx, method: 'GET' | 'POST', address: string, status: number): Promise<void> {
  const messageId = /^\/claims\/([A-Z0-9]+)$/.exec(address)?.[1] ?? null
  const owner = messageId === null ? undefined : await db.selectFrom('settlement_attempt as a').innerJoin('bill as b', (join) => join.onRef('b.encounter', '=', 'a.encounter').onRef('b.shard', '=', 'a.shard'))
    .select('b.pid').where('a.message_id', '=', messageId).limit(1).executeTakeFirst()
  await recordEvents(db, ctx, [{
    action: method === 'GET' ? 'R' : 'U', interaction: 'insurer-desk', resourceType: messageId === null ? 'InsurancePlan' : 'Claim', resourceId: messageId, pid: owner?.pid ?? null, detail: address, outcome: status,
  }])
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw fail('json-broken', { zh: '提交的内容不是正确的 JSON。', en: 'The body is not valid JSON.' })
  }
}
