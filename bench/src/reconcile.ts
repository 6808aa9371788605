/**
 * `npm run bench -- reconcile`: a day of a million settlements compared with a list as long, beside the same work in bare SQL on the
 * same rows: filling a table of the same shape and the same full join. Ten differences are hidden in it. Memory is the most the
 * process held beyond what it held before.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres, { type Sql, type TransactionSql } from 'postgres'
import type { DayRow } from '../../api/src/fhir/clearing-message.ts'
import { compareDay } from '../../api/src/settlement/reconcile/compare-day.ts'
import { migrate } from '../../api/src/storage/migrate.ts'
import { openDb } from '../../api/src/storage/pool.ts'
import { startPostgres } from '../../api/src/storage/postgres-server.ts'
import { inTransaction } from '../../api/src/storage/transaction.ts'

const rows = Number(process.env.BENCH_RECONCILE_ROWS ?? 1_000_000)
const differences = 10
const rounds = 3
const day = '2026-11-23'
const institution = 'H31010100001'

export async function benchReconcile(say: (line?: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pujiang-reconcile-'))
  chmodSync(folder, 0o755)
  const server = await startPostgres({ dir: join(folder, 'postgres'), durable: true })
  const db = openDb(server.url('postgres'), { max: 1, statementTimeoutMs: 0 })
  const sql = postgres(server.url('postgres'), { max: 1, onnotice: () => {} })
  try {
    await migrate(db, 'platform')
    await fill(sql)
    const ours: number[] = []
    const bare: number[] = []
    let memory = 0
    for (let round = 1; round <= rounds; round++) {
      bare.push(await timed(() => bareSql(sql)))
      const held = process.memoryUsage().rss
      const watch = setInterval(() => { memory = Math.max(memory, process.memoryUsage().rss - held) }, 50)
      let found = 0
      ours.push(await timed(async () => { found = (await inTransaction(db, (trx) => compareDay(trx, { institution, day, scheme: '' }, list))).differences.length }))
      clearInterval(watch)
      if (found !== differences) throw new Error(`${found} differences were found, not ${differences}.`)
      say(`reconcile ${round}/${rounds}: ${ours.at(-1)?.toFixed(1)} s, bare SQL ${bare.at(-1)?.toFixed(1)} s`)
    }
    const middle = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
    say(`reconcile: ${rows} settlements in ${middle(ours).toFixed(1)} s, ${(middle(ours) / middle(bare)).toFixed(2)} times bare SQL; ${Math.round(memory / 2 ** 20)} MB more memory at most`)
  } finally {
    await Promise.all([db.destroy(), sql.end({ timeout: 1 })])
    server.stop('fast')
    rmSync(folder, { recursive: true, force: true })
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

const idOf = (n: number) => `${institution}20261123073000${n.toString(36).toUpperCase().padStart(6, '0')}`

async function fill(sql: Sql): Promise<void> {
  for (let from = 0; from < rows; from += 20_000) {
    const ids = Array.from({ length: Math.min(20_000, rows - from) }, (_, n) => idOf(from + n))
    await sql`insert into settlement_event (shard, attempt, kind, message_id, settlement_id, encounter, organization_id, institution, region, scheme, medical_type, day, decided_at, recorded_at, total_fen, fund_fen, account_fen, cash_fen)
      select 0, gen_random_uuid(), 'settle', id, id, gen_random_uuid(), 'o', ${institution}, '310000', '310', '11', ${day}, now(), now(), 80717, 33727, 15000, 31990 from unnest(${ids}::text[]) as id`
  }
  await sql`analyze settlement_event`
}

/** The list of the centre, made as it is read: ten amounts differ. */
async function* list(of: string): AsyncGenerator<DayRow> {
  if (of !== day) return
  for (let n = 0; n < rows; n++) {
    const more = n % Math.floor(rows / differences) === 0 && n / Math.floor(rows / differences) < differences ? 100n : 0n
    yield {
      messageId: idOf(n), kind: 'settle', settlementId: idOf(n), scheme: '310', medicalType: '11', institution, decidedAt: '2026-11-23T00:00:00.000Z',
      totalFen: 80_717n, fundFen: 33_727n + more, accountFen: 15_000n, cashFen: 31_990n - more,
    }
  }
}

async function bareSql(sql: Sql): Promise<void> {
  await sql.begin(async (trx: TransactionSql) => {
    await trx`create temp table bare_day (message_id text, kind text, settlement_id text, scheme text, total_fen int8, fund_fen int8, account_fen int8, cash_fen int8) on commit drop`
    await trx`insert into bare_day select message_id, kind, settlement_id, scheme, total_fen, fund_fen, account_fen, cash_fen from settlement_event`
    await trx`analyze bare_day`
    const ours = trx`(select message_id, kind, total_fen, fund_fen, account_fen, cash_fen from settlement_event where institution = ${institution} and day = ${day})`
    await trx`select count(*), sum(total_fen), sum(fund_fen), sum(account_fen) from ${ours} as rows`
    await trx`select count(*), sum(total_fen), sum(fund_fen), sum(account_fen) from bare_day`
    await trx`select * from ${ours} as o full join bare_day as t using (message_id, kind)
      where (o.total_fen, o.fund_fen, o.account_fen, o.cash_fen) is distinct from (t.total_fen, t.fund_fen, t.account_fen, t.cash_fen)`
  })
}
