/**
 * `npm run bench -- reconcile`: a day of a million settlements compared with a list as long, beside the same work in bare SQL on the
 * same rows: filling a table of the same shape and the same full join. Ten differences are hidden in it. Resident memory is the most in
 * each third of a pass: flat when it does not grow with the day.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres, { type Sql, type TransactionSql } from 'postgres'
import { dayListText } from '../../api/src/fhir/clearing-message.ts'
import { compareDay } from '../../api/src/settlement/reconcile/compare-day.ts'
import { migrate } from '../../api/src/storage/migrate.ts'
import { openDb } from '../../api/src/storage/pool.ts'
import { startPostgres } from '../../api/src/storage/postgres-server.ts'
import { inTransaction } from '../../api/src/storage/transaction.ts'
import { postgresMicrosOf } from './measure.ts'

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
    const postmaster = Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])
    const passes: Pass[] = []
    const bare: Pass[] = []
    let thirds: number[] = []
    for (let round = 1; round <= rounds; round++) {
      bare.push(await timed(postmaster, () => bareSql(sql)))
      const resident: number[] = []
      const watch = setInterval(() => { resident.push(process.memoryUsage().rss / 2 ** 20) }, 50)
      let found = 0
      passes.push(await timed(postmaster, async () => { found = (await inTransaction(db, (trx) => compareDay(trx, { institution, day, scheme: '' }, list))).differences.length }))
      clearInterval(watch)
      if (found !== differences) throw new Error(`${found} differences were found, not ${differences}.`)
      thirds = [0, 1, 2].map((third) => Math.round(Math.max(...resident.slice(Math.floor((third * resident.length) / 3), Math.floor(((third + 1) * resident.length) / 3)))))
      say(`reconcile ${round}/${rounds}: ${textOf(passes.at(-1))}; bare SQL ${textOf(bare.at(-1))}; resident in thirds of the pass ${thirds.join(', ')} MB`)
    }
    const [ours, limit] = [middle(passes), middle(bare)]
    say(`reconcile: ${rows} settlements in ${ours.seconds.toFixed(1)} s, ${(ours.seconds / limit.seconds).toFixed(2)} times bare SQL in time, ${((ours.node + ours.postgres) / limit.postgres).toFixed(2)} times its CPU`)
  } finally {
    await Promise.all([db.destroy(), sql.end({ timeout: 1 })])
    server.stop('fast')
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Pass { seconds: number; /** CPU seconds. */ node: number; postgres: number }

async function timed(postmaster: number, work: () => Promise<unknown>): Promise<Pass> {
  const [began, cpu, database] = [performance.now(), process.cpuUsage(), postgresMicrosOf(postmaster) ?? 0]
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { seconds: (performance.now() - began) / 1000, node: (user + system) / 1e6, postgres: ((postgresMicrosOf(postmaster) ?? 0) - database) / 1e6 }
}

function textOf(pass: Pass | undefined): string {
  return pass ? `${pass.seconds.toFixed(1)} s (CPU: Node ${pass.node.toFixed(1)}, PostgreSQL ${pass.postgres.toFixed(1)})` : ''
}

function middle(passes: readonly Pass[]): Pass {
  const pass = passes.toSorted((one, other) => one.seconds - other.seconds)[Math.floor(passes.length / 2)]
  if (!pass) throw new Error('Nothing was measured.')
  return pass
}

/** Made by the database itself. */
async function fill(sql: Sql): Promise<void> {
  await sql`insert into settlement_event (shard, attempt, kind, message_id, settlement_id, encounter, organization_id, institution, region, scheme, medical_type, day, decided_at, recorded_at, total_fen, fund_fen, account_fen, cash_fen)
    select 0, gen_random_uuid(), 'settle', id, id, gen_random_uuid(), 'o', ${institution}, '310000', '310', '11', ${day}, now(), now(), 80717, 33727, 15000, 31990
    from (select ${institution} || '20261123073000' || lpad(n::text, 7, '0') as id from generate_series(0, ${rows - 1}) as n) as made`
  await sql`vacuum analyze settlement_event`
}

const idOf = (n: number) => `${institution}20261123073000${String(n).padStart(7, '0')}`

/** The list of the centre as it comes over the wire, made as it is read: ten amounts differ. */
async function* listText(): AsyncGenerator<string> {
  const every = Math.floor(rows / differences)
  const columns = 'messageId\tkind\tsettlementId\tscheme\tmedicalType\tinstitution\tdecidedAt\ttotalFen\tfundFen\taccountFen\tcashFen\n'
  let piece = columns
  for (let n = 0; n < rows; n++) {
    const more = n % every === 0 && n / every < differences ? 100 : 0
    const id = idOf(n)
    piece += `${id}\tsettle\t${id}\t310\t11\t${institution}\t2026-11-23T00:00:00.000Z\t80717\t${33_727 + more}\t15000\t${31_990 - more}\n`
    if (piece.length > 65_536) {
      yield piece
      piece = ''
    }
  }
  yield `${piece}#end\t${rows}\t${80_717n * BigInt(rows)}\n`
}

const list = (of: string) => (of === day ? listText() : dayListText([]))

async function bareSql(sql: Sql): Promise<void> {
  await sql.begin(async (trx: TransactionSql) => {
    await trx`create temp table bare_day (message_id text, kind text, settlement_id text, total_fen int8, fund_fen int8, account_fen int8, cash_fen int8) on commit drop`
    await trx`insert into bare_day select message_id, kind, settlement_id, total_fen, fund_fen, account_fen, cash_fen from settlement_event`
    await trx`analyze bare_day`
    const ours = trx`(select message_id, kind, total_fen, fund_fen, account_fen, cash_fen from settlement_event where institution = ${institution} and day = ${day})`
    await trx`select count(*), sum(total_fen), sum(fund_fen), sum(account_fen) from ${ours} as rows`
    await trx`select count(*), sum(total_fen), sum(fund_fen), sum(account_fen) from bare_day`
    await trx`select * from ${ours} as o full join bare_day as t using (message_id, kind)
      where (o.total_fen, o.fund_fen, o.account_fen, o.cash_fen) is distinct from (t.total_fen, t.fund_fen, t.account_fen, t.cash_fen)`
  })
}
