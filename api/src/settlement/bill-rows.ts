/** Rows of a bill and its lines: making, locking, reading. All of one patient's rows share the patient's shard. */
import { type Selectable, sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { fail, type Sentence } from '../fhir/outcome.ts'
import { plainArray } from '../storage/array-literal.ts'
import { batched, perDatabase } from '../storage/batched.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { BillLineTable, BillTable } from '../storage/tables.ts'
import type { Visit } from './visit.ts'

export type BillRow = Selectable<BillTable>
export type BillLineRow = Selectable<BillLineTable>

/** Most lines of a bill that can be settled: what a centre takes in one claim. */
export const billLinesMax = 500

/** The bill of a visit, made when it has none, locked. */
export async function lockBill(trx: Trx, ctx: Ctx, visit: Visit): Promise<BillRow> {
  await trx.insertInto('bill').values({
    shard: visit.shard, encounter: visit.encounterKey, encounter_id: visit.encounterId, pid: visit.pid, patient_id: visit.patientId,
    organization_id: visit.organizationId, organization_zh: visit.organization.zh, organization_en: visit.organization.en,
    department_zh: visit.department.zh, department_en: visit.department.en, practitioner_id: visit.practitionerId, service_date: visit.serviceDate,
    fund_fen: null, account_current_fen: null, account_prior_fen: null, cash_fen: null, message_zh: null, message_en: null,
    claim_id: null, claim_response_id: null, explanation_id: null, invoice_id: null, updated_at: ctx.now,
  }).onConflict((conflict) => conflict.columns(['encounter', 'shard']).doNothing()).execute()
  return lockedBill(trx, visit)
}

/** Of several visits the bills that are there and that no other transaction holds, locked, by encounter. */
export async function lockBills(trx: Trx, places: readonly At[]): Promise<Map<string, BillRow>> {
  const { rows } = await sql<BillRow>`select b.* from ${placesOf(places)} join bill b on b.encounter = u.encounter and b.shard = u.shard order by b.encounter for update of b skip locked`.execute(trx)
  return new Map(rows.map((row) => [row.encounter, row]))
}

/** The bill of a visit, locked. It must be there. */
export async function lockedBill(trx: Trx, at: { shard: number; encounterKey: string }): Promise<BillRow> {
  return trx.selectFrom('bill').selectAll().where('shard', '=', at.shard).where('encounter', '=', at.encounterKey).forUpdate().executeTakeFirstOrThrow()
}

interface At { shard: number; encounterKey: string }

/** Those that arrive together are one statement. */
export async function findBill(db: Db, at: At): Promise<BillRow | null> {
  return await (db.isTransaction ? billsAt(db, [at]).then(([bill]) => bill) : billJoined(db, at)) ?? null
}

/** In the order they were entered; the place in this list is the sequence of the claim's line. One more than can be settled at most. */
export async function billLines(db: Db, at: At): Promise<BillLineRow[]> {
  return db.isTransaction ? (await linesAt(db, [at]))[0] ?? [] : linesJoined(db, at)
}

const joinedMax = 64
const billJoined = perDatabase((db: Db) => batched<At, BillRow | undefined>({ max: joinedMax, run: (places) => billsAt(db, places) }))
const linesJoined = perDatabase((db: Db) => batched<At, BillLineRow[]>({ max: joinedMax, run: (places) => linesAt(db, places) }))

/** `u.encounter` and `u.shard` of several bills. */
export const placesOf = (places: readonly At[]) => sql`unnest(${plainArray(places.map(({ encounterKey }) => encounterKey))}::uuid[], ${plainArray(places.map(({ shard }) => shard))}::int[]) as u (encounter, shard)`

async function billsAt(db: Db, places: readonly At[]): Promise<(BillRow | undefined)[]> {
  const { rows } = await sql<BillRow>`select b.* from ${placesOf(places)} join bill b on b.encounter = u.encounter and b.shard = u.shard`.execute(db)
  const found = new Map(rows.map((row) => [row.encounter, row]))
  return places.map(({ encounterKey }) => found.get(encounterKey))
}

export async function linesAt(db: Db, places: readonly At[]): Promise<BillLineRow[][]> {
  const { rows } = await sql<BillLineRow>`select l.* from (select distinct encounter, shard from ${placesOf(places)}) as w
    cross join lateral (select * from bill_line l where l.encounter = w.encounter and l.shard = w.shard
      order by l.entered_at, l.position, l.charge_item limit ${billLinesMax + 1}) as l order by l.entered_at, l.position, l.charge_item`.execute(db)
  const found = Map.groupBy(rows, (row) => row.encounter)
  return places.map(({ encounterKey }) => found.get(encounterKey) ?? [])
}

export function lineFen(line: Pick<BillLineRow, 'quantity' | 'unit_price_fen'>): bigint {
  return line.unit_price_fen * BigInt(line.quantity)
}

/** Throws OutcomeError bill-empty, too-many-lines, amount-mismatch: these lines are no bill that can be settled. */
export function assertLines(lines: readonly BillLineRow[], totalFen: bigint): void {
  if (lines.length === 0 || totalFen === 0n) throw fail('bill-empty', { zh: '这次就诊没有需要结算的费用。', en: 'There is nothing to settle for this visit.' })
  if (lines.length > billLinesMax) throw fail('too-many-lines', { zh: `一张账单最多 ${billLinesMax} 行，请先合并同类项目的数量。`, en: `A bill has at most ${billLinesMax} lines: put quantities of the same item together first.` }, 'Claim.item')
  if (lines.reduce((sum, line) => sum + lineFen(line), 0n) !== totalFen) throw fail('amount-mismatch', { zh: '账单金额与明细不一致，请联系收费处。', en: 'The bill does not equal its lines. Please ask the cashier.' })
}

/** Throws OutcomeError settled-already, settlement-pending: nothing may change now. */
export function assertBillIsOpen(bill: Pick<BillRow, 'state'>): void {
  if (bill.state === 'settled') throw fail('settled-already', { zh: '这张账单已经结算。如需更改，请先撤销结算。', en: 'This bill has been settled. To change it, reverse the settlement first.' })
  if (bill.state === 'settling') throw pending()
}

export function pending() {
  return fail('settlement-pending', pendingSentence)
}

export const pendingSentence: Sentence = {
  zh: '医保中心尚未答复，正在核对。请勿重复支付，稍后刷新查看结果。',
  en: 'The insurance centre has not answered yet and we are checking. Please do not pay twice; refresh in a moment to see the result.',
}
