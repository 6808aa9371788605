/** Routes of money at an insurance centre: the list of a day, reconciliation, clearing. */
import { Readable } from 'node:stream'
import type { Parameters } from '@medplum/fhirtypes'
import { type Context, Hono } from 'hono'
import { clearingNumberSystem, type DayRow, dayListText, dayListType, readDayList } from '../fhir/clearing-message.ts'
import { isDate } from '../fhir/date-time.ts'
import { fail } from '../fhir/outcome.ts'
import { applyClearing, confirmRegionMonth, findClearing } from '../insurer/clearing.ts'
import { dayList } from '../insurer/day-list.ts'
import { searchset } from '../insurer/find-claims.ts'
import { compareDay, type DayAsked, readSums, reconcileDay } from '../insurer/reconcile.ts'
import type { AppEnv } from './auth.ts'
import { assertScope, type CentreRoutes, identifierOf, parameterOf, readResource, reply, selfOf } from './insurer-request.ts'

export function moneyRoutes({ db, centre, base }: CentreRoutes): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/PaymentReconciliation/$day-list', async (c) => {
      assertScope(c, 'PaymentReconciliation', 'r')
      const text = dayListText(dayList(db, c.get('ctx'), dayAsked(c)))
      return c.body(Readable.toWeb(Readable.from(text)) as ReadableStream, 200, { 'Content-Type': dayListType, 'Cache-Control': 'no-store' })
    })
    .post('/PaymentReconciliation/$reconcile', async (c) => {
      assertScope(c, 'PaymentReconciliation', 'c')
      const parameters = await readResource<Parameters>(c, 'Parameters')
      const asked = { day: parameterOf(parameters, 'date')?.valueDate ?? '', institution: parameterOf(parameters, 'institution')?.valueString ?? '' }
      assertInstitution(asked.institution)
      return reply(c, await reconcileDay(db, c.get('ctx'), asked, readSums(parameters)))
    })
    .post('/PaymentReconciliation/$compare', async (c) => {
      assertScope(c, 'PaymentReconciliation', 'c')
      if (!/^text\/tab-separated-values\b/i.test(c.req.header('Content-Type') ?? '')) {
        throw fail('media-type-unsupported', { zh: '请以 text/tab-separated-values 提交清单。', en: 'Send the list as text/tab-separated-values.' })
      }
      return reply(c, await compareDay(db, c.get('ctx'), dayAsked(c), linesOf(c.req.raw.body)))
    })
    .post('/PaymentReconciliation/$apply', async (c) => {
      assertScope(c, 'PaymentReconciliation', 'c')
      return reply(c, await applyClearing(db, c.get('ctx'), await readResource<Parameters>(c, 'Parameters')))
    })
    .post('/PaymentReconciliation/$confirm', async (c) => {
      assertScope(c, 'PaymentReconciliation', 'c')
      return reply(c, await confirmRegionMonth(db, c.get('ctx'), centre, await readResource<Parameters>(c, 'Parameters')))
    })
    .get('/PaymentReconciliation', async (c) => {
      assertScope(c, 'PaymentReconciliation', 's')
      const { system, value } = identifierOf(c.req.queries(), ['identifier'])
      if (system !== clearingNumberSystem) throw fail('parameter-invalid', { zh: `identifier 的系统须为 ${clearingNumberSystem}。`, en: `The system of identifier must be ${clearingNumberSystem}.` })
      return reply(c, searchset(base, selfOf(c), [await findClearing(db, c.get('ctx'), value)]))
    })
}

/** @throws OutcomeError `parameter-invalid`. */
function dayAsked(c: Context): DayAsked {
  const [day = '', institution = ''] = [c.req.query('date'), c.req.query('institution')]
  if (!isDate(day) || day.length !== 10) throw fail('parameter-invalid', { zh: '参数 date 须为 YYYY-MM-DD。', en: 'Parameter date must be YYYY-MM-DD.' }, 'date')
  assertInstitution(institution)
  return { day, institution }
}

/** `*`: all institutions of the sender. @throws OutcomeError `parameter-invalid`. */
function assertInstitution(institution: string): void {
  if (institution === '') throw fail('parameter-invalid', { zh: '缺少参数 institution（机构编码）。', en: 'Parameter institution, the code of the institution, is missing.' }, 'institution')
}

/** Lines of a list as it comes in. @throws OutcomeError `value-invalid` for a list that is broken. */
async function* linesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<DayRow> {
  const lines = readDayList(textPieces(body))
  for (;;) {
    const next = await lines.next().catch((error: Error) => { throw fail('value-invalid', { zh: `清单不完整或无法读取：${error.message}`, en: `The list is broken: ${error.message}` }) })
    if (next.done) return
    yield next.value
  }
}

async function* textPieces(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  if (!body) return
  const decoder = new TextDecoder()
  for await (const piece of body) yield decoder.decode(piece, { stream: true })
}
