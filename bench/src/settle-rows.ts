/** The limit of a settlement: the very rows that one leaves on both sides, written by postgres.js alone in as many transactions. */
import type postgres from 'postgres'
import type { Sql, TransactionSql } from 'postgres'
import { keyOf, newResourceId } from '../../api/src/fhir/id.ts'
import type { City } from './settle-city.ts'

type Row = Record<string, unknown>
export interface TableRows { side: 'platform' | 'centre'; step: 1 | 2; table: string; rows: Row[]; length: number }

/** Every row that a settlement left, by table; the copies are written into tables of the same shape, keys and indexes. */
export async function rowsOf({ platform, centre }: City, encounter: string): Promise<TableRows[]> {
  const key = keyOf(encounter)
  const [attempt] = await platform<{ message_id: string; claim_id: string; response_id: string }[]>`select message_id, claim_id, response_id from settlement_attempt where encounter = ${key}`
  const [bill] = await platform<{ claim_id: string; claim_response_id: string; explanation_id: string; invoice_id: string }[]>`select claim_id, claim_response_id, explanation_id, invoice_id from bill where encounter = ${key}`
  if (!attempt || !bill) throw new Error('The sample was not settled.')
  const resources = Object.values(bill).map(keyOf)
  const table = async (sql: Sql, side: TableRows['side'], step: TableRows['step'], name: string, where: postgres.PendingQuery<postgres.Row[]>): Promise<TableRows> => {
    const rows = await sql<Row[]>`select * from ${sql(name)} where ${where}`
    await sql.unsafe(`create table if not exists bare_${name} (like ${name} including defaults including indexes)`)
    return { side, step, table: `bare_${name}`, rows: [...rows], length: rows.length }
  }
  return [
    await table(platform, 'platform', 1, 'settlement_attempt', platform`encounter = ${key}`),
    await table(centre, 'centre', 1, 'claim', centre`message_id = ${attempt.message_id}`),
    await table(centre, 'centre', 1, 'fund_entry', centre`message_id = ${attempt.message_id}`),
    await table(platform, 'platform', 2, 'resource', platform`id = any(${resources}::uuid[])`),
    await table(platform, 'platform', 2, 'ledger_entry', platform`encounter = ${key}`),
    await table(platform, 'platform', 2, 'settlement_event', platform`encounter = ${key}`),
    await table(platform, 'platform', 2, 'audit_event', platform`resource_id = any(${Object.values(bill)})`),
  ]
}

/** The intention, what the centre commits, what the platform adopts: three, as the product has at least. */
export function transactions(rows: readonly TableRows[]): TableRows[][] {
  return [rows.filter((each) => each.side === 'platform' && each.step === 1), rows.filter((each) => each.side === 'centre'), rows.filter((each) => each.side === 'platform' && each.step === 2)]
}

const keyColumns = new Set(['id', 'attempt', 'message_id', 'response_id', 'encounter'])

export async function writeRows({ platform, centre }: City, rows: readonly TableRows[]): Promise<void> {
  const fresh = new Map<unknown, string>()
  const renewed = (row: Row): Row => Object.fromEntries(Object.entries(row).map(([column, value]) => {
    if (!keyColumns.has(column) || typeof value !== 'string') return [column, value]
    if (!fresh.has(value)) fresh.set(value, newResourceId(0))
    return [column, fresh.get(value)]
  }))
  for (const part of transactions(rows)) {
    const sql = part[0]?.side === 'centre' ? centre : platform
    await sql.begin(async (trx: TransactionSql) => { for (const { table, rows: kept } of part) if (kept.length > 0) await trx`insert into ${trx(table)} ${trx(kept.map(renewed))}` })
  }
}
