/**
 * `/api/departments` and `/api/availability`: what is open, counted, for everyone, also without signing in. Shapes:
 * booking/shapes.ts. Answers may be two seconds old: during a rush everybody reads one count instead of making it again.
 */
import { type Context, Hono } from 'hono'
import { findHospitals, listDepartments } from '../booking/availability.ts'
import { findDepartment } from '../booking/departments.ts'
import { monotonicMs } from '../ctx.ts'
import { addDays, isDate } from '../fhir/date-time.ts'
import { fail } from '../fhir/outcome.ts'
import type { Services } from '../services.ts'
import type { AppEnv } from './auth.ts'

const freshMs = 2000
const entriesMax = 500
const daysMax = 90

export function bookingRoutes({ db }: Pick<Services, 'db'>): Hono<AppEnv> {
  const remember = memory(freshMs, entriesMax)
  return new Hono<AppEnv>()
    .get('/departments', async (c) => {
      readQuery(c, [])
      c.header('Cache-Control', 'public, max-age=2')
      return c.json(await remember('departments', () => listDepartments(db, c.get('ctx').now)))
    })
    .get('/availability', async (c) => {
      const { department, district, from, to } = readQuery(c, ['department', 'district', 'from', 'to'])
      if (!department || !findDepartment(department)) throw invalid('department', '请给出科室代码，例如 03.04。', 'Give the code of a department, such as 03.04.')
      if (district && !/^\d{6}$/.test(district)) throw invalid('district', '请给出六位行政区划代码，例如 310101。', 'Give a six-digit district code, such as 310101.')
      assertDays(from, to)
      const question = { department, district: district ?? null, from: from ?? null, to: to ?? null }
      c.header('Cache-Control', 'public, max-age=2')
      return c.json(await remember(JSON.stringify(question), () => findHospitals(db, c.get('ctx').now, question)))
    })
}

function readQuery<K extends string>(c: Context, known: readonly K[]): Partial<Record<K, string>> {
  const given = c.req.query()
  for (const name of Object.keys(given)) {
    if (!(known as readonly string[]).includes(name)) {
      throw fail('parameter-unknown', { zh: `不支持参数 ${name}。`, en: `The parameter ${name} is not supported.` }, name)
    }
  }
  return given as Partial<Record<K, string>>
}

function assertDays(from: string | undefined, to: string | undefined): void {
  for (const [name, value] of [['from', from], ['to', to]] as const) {
    if (value !== undefined && !(/^2\d{3}-/.test(value) && value.length === 10 && isDate(value))) throw invalid(name, '请给出日期，例如 2026-11-24。', 'Give a day, such as 2026-11-24.')
  }
  if (from && to && (to < from || to > addDays(from, daysMax))) throw invalid('to', `结束日期应在开始日期之后 ${daysMax} 天以内。`, `The last day must lie within ${daysMax} days after the first.`)
}

function invalid(name: string, zh: string, en: string) {
  return fail('parameter-invalid', { zh, en }, name)
}

/** Keeps answers for a moment; callers that come while one is being made wait for it. A failed one is not kept. */
function memory(milliseconds: number, max: number): <T>(key: string, make: () => Promise<T>) => Promise<T> {
  const kept = new Map<string, { until: number; answer: Promise<unknown> }>()
  return <T>(key: string, make: () => Promise<T>): Promise<T> => {
    const found = kept.get(key)
    if (found && found.until > monotonicMs()) return found.answer as Promise<T>
    if (kept.size >= max) kept.clear()
    const entry = { until: monotonicMs() + milliseconds, answer: make() }
    entry.answer.catch(() => { if (kept.get(key) === entry) kept.delete(key) })
    kept.set(key, entry)
    return entry.answer
  }
}
