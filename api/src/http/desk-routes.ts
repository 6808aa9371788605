/**
 * `/api/booking/*` for those who run the desk: the numbers and their history, the roster, the working calendar.
 * Shapes: booking/shapes.ts.
 */
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { readCalendar, setCalendarDay } from '../booking/calendar.ts'
import { parameterEffects } from '../booking/parameter-effects.ts'
import { readRoster } from '../booking/roster.ts'
import { parameterSheet, type ScopeKey, setParameter } from '../booking/set-parameter.ts'
import { dayInShanghai, isDate } from '../fhir/date-time.ts'
import { fail } from '../fhir/outcome.ts'
import type { Services } from '../services.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { AppEnv } from './auth.ts'
import { readJson } from './json-body.ts'

const scope = z.enum(['city', 'hospital', 'department', 'clinic'])
const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text))
export const parameterBody = z.strictObject({
  scope, id: z.string().min(1).max(140), name: z.string().min(1).max(60), value: z.number().nullable(),
  from: instant.nullish().transform((each) => each ?? null), until: instant.nullish().transform((each) => each ?? null),
})
export const calendarBody = z.strictObject({
  asWeekday: z.number().int().min(1).max(7).nullable(), name: z.strictObject({ zh: z.string().min(1).max(40), en: z.string().min(1).max(80) }), city: z.boolean().default(false),
})
const noStore = { 'Cache-Control': 'no-store' }

export function deskRoutes({ db }: Pick<Services, 'db'>): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/booking/parameters', async (c) => c.json(await parameterSheet(db, c.get('ctx'), scopeKey(c)), 200, noStore))
    .post('/booking/parameters', async (c) => {
      const wish = await readJson(c, parameterBody)
      await inTransaction(db, (trx) => setParameter(trx, c.get('ctx'), wish))
      return c.json(await parameterSheet(db, c.get('ctx'), wish), 201, noStore)
    })
    .get('/booking/parameters/effects', async (c) => {
      const { name = '', from } = c.req.query()
      if (from !== undefined && !(isDate(from) && from.length === 10)) throw fail('parameter-invalid', { zh: '请给出日期，例如 2026-11-24。', en: 'Give a day, such as 2026-11-24.' }, 'from')
      return c.json(await parameterEffects(db, c.get('ctx'), scopeKey(c), { name, from: from ?? null }), 200, noStore)
    })
    .get('/booking/roster', async (c) => {
      const from = c.req.query('from') ?? dayInShanghai(c.get('ctx').now)
      const days = c.req.query('days') ?? '7'
      if (!isDate(from) || from.length !== 10) throw fail('parameter-invalid', { zh: '请给出日期，例如 2026-11-24。', en: 'Give a day, such as 2026-11-24.' }, 'from')
      if (!/^([1-9]|1[0-4])$/.test(days)) throw fail('parameter-invalid', { zh: '应为 1 到 14 天。', en: 'Give 1 to 14 days.' }, 'days')
      return c.json(await readRoster(db, c.get('ctx'), from, Number(days)), 200, noStore)
    })
    .get('/booking/calendar', async (c) => c.json(await readCalendar(db, c.get('ctx'), c.get('ctx').principal.organization), 200, noStore))
    .put('/booking/calendar/:day', async (c) => {
      const wish = await readJson(c, calendarBody)
      await inTransaction(db, (trx) => setCalendarDay(trx, c.get('ctx'), { ...wish, day: c.req.param('day') }))
      return c.json(await readCalendar(db, c.get('ctx'), c.get('ctx').principal.organization), 200, noStore)
    })
}

function scopeKey(c: Context): ScopeKey {
  const asked = scope.safeParse(c.req.query('scope'))
  const id = c.req.query('id')
  if (asked.success && id) return { scope: asked.data, id }
  throw fail('parameter-invalid', { zh: '请给出 scope（city、hospital、department 或 clinic）和 id。', en: 'Give scope (city, hospital, department or clinic) and id.' }, asked.success ? 'id' : 'scope')
}
