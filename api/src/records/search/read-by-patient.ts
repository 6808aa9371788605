/**
 * Reads a page of several patients one after the other, each in the order of the clinical date: a stretch of their index for each, of which those behind the page are not
 * touched. So it is where patients are found by a chain and no order is asked for. All pages keep to that order, by however many patients the chain finds then.
 * Patients themselves who are found by what refers to them (`_has`) come in the order of their keys, and no more of them are read than the page shows.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { plainArray } from '../../storage/array-literal.ts'
import { after, type Order, orderOf, reversed, type SortKey } from './page.ts'
import { type Reading, readRows, type Row } from './read-page.ts'

const byPatient: SortKey = { code: 'patient', descending: false, expression: sql`r.pid`, sqlType: 'uuid', missingFirst: false, idDescending: false, walk: null }

/** @param patients whose rows all are, or rows with the keys of the patients who are; null when that is not known, and the rows are sorted. */
export async function readByPatient(reading: Reading, date: SortKey, patients: readonly string[] | RawBuilder<unknown> | null): Promise<Row[]> {
  const { position, limit, conditions } = reading
  const backwards = position?.backwards === true
  const [all, ofOne] = [orderOf([byPatient, date]), orderOf([date])].map((each) => towards(each, backwards)) as [Order, Order]
  const last = position?.group ?? null
  if (patients === null) return readRows({ ...reading, order: all, position: position && { ...position, values: [last, ...position.values] } })
  if (!Array.isArray(patients)) return readFound(reading, patients as RawBuilder<unknown>)
  const walked = { ...reading, walked: true, position: null } as const
  const ofThem = (keys: readonly string[]) => sql<SqlBool>`r.pid = any(${plainArray(keys)}::uuid[])`
  if (position === null || last === null) return readRows({ ...walked, order: all, conditions: [ofThem(patients), ...conditions] })
  const begun = patients.includes(last) ? await readRows({ ...walked, order: ofOne, conditions: [sql<SqlBool>`r.pid = ${last}::uuid`, ...conditions, after(ofOne, position)] }) : []
  const beyond = patients.filter((each) => (backwards ? each < last : each > last))
  return begun.length >= limit || beyond.length === 0 ? begun : [...begun, ...await readRows({ ...walked, order: all, limit: limit - begun.length, conditions: [ofThem(beyond), ...conditions] })]
}

async function readFound({ db, position, conditions, columns, limit }: Reading, found: RawBuilder<unknown>): Promise<Row[]> {
  const backwards = position?.backwards === true
  const direction = sql.raw(backwards ? 'desc' : 'asc')
  const behind = position === null ? sql`` : sql`where f.pid ${sql.raw(backwards ? '<' : '>')} ${position.group}::uuid`
  // Row by row, for the offset keeps the planner from reading all of both and sorting.
  const { rows } = await sql<Row>`select ${columns} from (select distinct f.pid from (${found}) f ${behind} order by f.pid ${direction}) w
    cross join lateral (select * from resource r where r.id = w.pid and ${sql.join(conditions, sql` and `)} offset 0) r order by w.pid ${direction} limit ${limit}`.execute(db)
  return rows
}

/** Rows without an order of their own, so equal dates lie as the patients' index has them. */
function towards(order: Order, backwards: boolean): Order {
  const forwards = { ...order, idDescending: false }
  return backwards ? reversed(forwards) : forwards
}
