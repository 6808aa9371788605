/** Sign-in of people for the portal: password and role → session cookie. Shapes: access/shapes.ts. */
import { Hono } from 'hono'
import { z } from 'zod'
import { signIn } from '../access/accounts.ts'
import { signInRequired } from '../access/may-write.ts'
import { peopleOf } from '../access/people.ts'
import type { Principal } from '../access/principal.ts'
import type { ChooseRole, Me } from '../access/shapes.ts'
import { issueToken, personTokenMinutes } from '../access/tokens.ts'
import type { Ctx } from '../ctx.ts'
import { instantInShanghai } from '../fhir/date-time.ts'
import { recordEvents } from '../audit/record-event.ts'
import { demoAccounts } from '../catalogue/demo-accounts.ts'
import type { Services } from '../services.ts'
import { type AppEnv, clearSession, setSession } from './auth.ts'
import { readJson } from './json-body.ts'

const request = z.object({
  login: z.string().min(1).max(100), password: z.string().min(1).max(200),
  role: z.string().max(40).optional(), organization: z.string().max(64).optional(),
})

export function signInRoutes(services: Services): Hono<AppEnv> {
  const { db, config, authority } = services
  return new Hono<AppEnv>()
    .get('/settings', (c) => c.json({ demo: !config.production, accounts: config.production ? [] : demoAccounts }))
    .post('/sign-in', async (c) => {
      const asked = await readJson(c, request)
      const found = await signIn(db, asked.login, asked.password, { role: asked.role ?? null, organization: asked.organization ?? null })
      if (Array.isArray(found)) return c.json({ choose: found } satisfies ChooseRole)
      const ctx: Ctx = { ...c.get('ctx'), principal: found }
      setSession(c, await issueToken(authority, found, ctx.now, personTokenMinutes, ctx.newId(null)), config.production)
      await recordEvents(db, ctx, [{ action: 'E', interaction: 'sign-in', resourceType: null, resourceId: null, pid: null, detail: null, outcome: 200 }])
      return c.json(await meOf(services, ctx))
    })
    .post('/sign-out', (c) => {
      clearSession(c, config.production)
      return c.body(null, 204)
    })
    .get('/me', async (c) => {
      if (c.get('ctx').principal.kind !== 'person') throw signInRequired()
      return c.json(await meOf(services, c.get('ctx')))
    })
}

async function meOf(services: Services, ctx: Ctx): Promise<Me> {
  const person: Principal = ctx.principal
  return {
    name: person.name,
    role: person.role ?? 'citizen',
    patient: person.patient, practitioner: person.practitioner,
    organization: person.organization, organizationName: person.organizationName,
    people: person.patient === null ? [] : await peopleOf(services.db, ctx, person.patient),
    now: instantInShanghai(ctx.now),
  }
}
