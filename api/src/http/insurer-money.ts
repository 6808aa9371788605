/** Routes of money at an insurance centre: the list of a day. */
import { Readable } from 'node:stream'
import { type Context, Hono } from 'hono'
import { dayListText, dayListType } from '../fhir/clearing-message.ts'
import { isDate } from '../fhir/date-time.ts'
import { fail } from '../fhir/outcome.ts'
import { dayList } from '../insurer/day-list.ts'
import type { AppEnv } from './auth.ts'
import { assertScope, type CentreRoutes } from './insurer-request.ts'

export function moneyRoutes({ db }: CentreRoutes): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/PaymentReconciliation/$day-list', async (c) => {
      assertScope(c, 'PaymentReconciliation', 'r')
      const text = dayListText(dayList(db, c.get('ctx'), dayListQuery(c)))
      return c.body(Readable.toWeb(Readable.from(text)) as ReadableStream, 200, { 'Content-Type': dayListType, 'Cache-Control': 'no-store' })
    })
}

/** @throws OutcomeError `parameter-invalid`. */
function dayListQuery(c: Context): { day: string; institution: string } {
  const [day = '', institution = ''] = [c.req.query('date'), c.req.query('institution')]
  if (!isDate(day) || day.length !== 10) throw fail('parameter-invalid', { zh: '参数 date 须为 YYYY-MM-DD。', en: 'Parameter date must be YYYY-MM-DD.' }, 'date')
  if (institution === '') throw fail('parameter-invalid', { zh: '缺少参数 institution（机构编码）。', en: 'Parameter institution, the code of the institution, is missing.' }, 'institution')
  return { day, institution }
}
