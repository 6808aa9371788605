/**
 * The monthly report of notifiable diseases: people by disease and district, in which nobody can be found (suppress.ts). Only whole months
 * and one breakdown: of two tables that overlap the one would give away what the other hides. The rows are those the access decision shows to public health.
 */
import { sql } from 'kysely'
import { notifiableDiseases, notifiableOf } from '../../access/notifiable.ts'
import { signInRequired } from '../../access/may-write.ts'
import { visible } from '../../access/visible.ts'
import { recordEvents } from '../../audit/record-event.ts'
import type { Ctx } from '../../ctx.ts'
import { addMinutes, dayInShanghai, startOfDay } from '../../fhir/date-time.ts'
import { fail, forbidden } from '../../fhir/outcome.ts'
import { typeCode } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'
import type { NotifiableCase, NotifiableReport } from './shapes.ts'
import { suppress } from './suppress.ts'

const threshold = 10
const casesMax = 200
const elsewhere = { code: 'elsewhere', zh: '外地或不详', en: 'Elsewhere or unknown' }
const condition = sql.raw(String(typeCode('Condition')))
const icd10 = sql`jsonb_path_query_first(r.content::jsonb, '$.code.coding[*] ? (@.system like_regex "icd-?10" flag "i").code') #>> '{}'`
/** Not what was ruled out or entered in error. */
const holds = sql`coalesce(r.content::jsonb #>> '{verificationStatus,coding,0,code}', 'confirmed') not in ('refuted', 'entered-in-error')`

/** @throws OutcomeError `parameter-invalid`, `sign-in-required`, `forbidden`. */
export async function notifiableReport(db: Db, ctx: Ctx, asked: string | null): Promise<NotifiableReport> {
  const { month, from, until } = span(ctx, asked)
  const districts = [...await districtsOf(db), elsewhere]
  const { rows } = await sql<{ code: string | null; district: string | null; people: number }>`select c.code, c.district, count(distinct c.pid)::int as people from (
      select r.pid, ${icd10} as code, (select jsonb_path_query_first(p.content::jsonb, '$.address[*].extension[*].valueCoding.code') #>> '{}' from resource p
        where p.t = ${sql.raw(String(typeCode('Patient')))} and p.id = r.pid) as district
      from resource r where r.t = ${condition} and r.d0 >= ${from} and r.d0 < ${until} and ${visible(ctx, 'Condition', 's')} and ${holds}) c
    group by c.code, c.district`.execute(db)
  const column = new Map(districts.map((each, index) => [each.code, index]))
  const cells = notifiableDiseases.map(() => districts.map(() => 0))
  for (const { code, district, people } of rows) {
    const row = cells[notifiableDiseases.findIndex((each) => each === notifiableOf(code ?? ''))]
    const at = column.get(district ?? '') ?? districts.length - 1
    if (row) row[at] = (row[at] ?? 0) + people
  }
  const shown = suppress({ cells }, threshold)
  await recordEvents(db, ctx, [{ action: 'E', interaction: '$notifiable-report', resourceType: 'Condition', resourceId: null, pid: null, detail: month, outcome: 200 }])
  return {
    month, threshold, districts, totals: shown.columnTotals, total: shown.total,
    rows: notifiableDiseases.map(({ codes: _, ...disease }, index) => ({ ...disease, counts: shown.cells[index] ?? [], total: shown.rowTotals[index] ?? null })),
  }
}

/** The cases themselves, for those who follow them up: no name, and a row in the log of each person. Throws as above. */
export async function notifiableCases(db: Db, ctx: Ctx, asked: string | null): Promise<NotifiableCase[]> {
  const { month, from, until } = span(ctx, asked)
  const { rows } = await sql<{ id: string; pid: string; code: string | null; at: string; hospital: string | null }>`select r.content::jsonb ->> 'id' as id, r.pid, ${icd10} as code, r.d0 as at,
      (select o.content::jsonb ->> 'name' from resource o where o.t = ${sql.raw(String(typeCode('Organization')))} and o.id = r.org) as hospital
    from resource r where r.t = ${condition} and r.d0 >= ${from} and r.d0 < ${until} and ${visible(ctx, 'Condition', 's')} and ${holds} order by r.d0 desc, r.id limit ${casesMax}`.execute(db)
  const cases = rows.flatMap(({ id, pid, code, at, hospital }) => {
    const disease = notifiableOf(code ?? '')
    if (disease === null || code === null) return []
    const { codes: _, ...named } = disease
    const diagnosed = new Date(at)
    return [{ pid, id, disease: named, code, diagnosedAt: diagnosed.toISOString(), dueAt: addMinutes(diagnosed, (disease.class === 'A' ? 2 : 24) * 60).toISOString(), hospital }]
  })
  await recordEvents(db, ctx, [...new Set(cases.map((each) => each.pid))].map((pid) => ({ action: 'R', interaction: '$notifiable-cases', resourceType: 'Condition', resourceId: null, pid, detail: month, outcome: 200 })))
  return cases.map(({ pid: _, ...each }) => each)
}

function span(ctx: Ctx, asked: string | null): { month: string; from: Date; until: Date } {
  const { principal } = ctx
  if (principal.kind === 'anonymous') throw signInRequired()
  if (principal.kind !== 'person' || principal.role !== 'public-health' || principal.scopes.length > 0) throw forbidden()
  const month = asked ?? dayInShanghai(ctx.now).slice(0, 7)
  if (!/^20\d\d-(0[1-9]|1[0-2])$/.test(month)) throw fail('parameter-invalid', { zh: '请给出月份，例如 2026-11。', en: 'Give a month, such as 2026-11.' }, 'month')
  const [year, number] = month.split('-').map(Number) as [number, number]
  const next = number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, '0')}`
  return { month, from: startOfDay(`${month}-01`), until: startOfDay(`${next}-01`) }
}

/** Districts do not depend on who is ill: they are those of the city's hospitals. */
async function districtsOf(db: Db): Promise<{ code: string; zh: string; en: string }[]> {
  return db.selectFrom('clinic_provider').select(['district_code as code', 'district_zh as zh', 'district_en as en']).distinct().orderBy('district_code').execute()
}
