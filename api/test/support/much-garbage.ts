/** A process that reads and writes much and keeps nothing, for young-garbage.test.ts, which reads what its collector prints. Argument: the address of a database. */
import { sql } from 'kysely'
import { openDb } from '../../src/storage/pool.ts'
import { inTransaction } from '../../src/storage/transaction.ts'

const db = openDb(process.argv[2] ?? '', { max: 8 })

async function one(n: number): Promise<void> {
  const read = sql<{ text: string }>`select repeat('x', 2000) as text, g from generate_series(1, 10) g where g > ${0}::int`
  const { rows } = await (n % 4 === 0 ? inTransaction(db, (trx) => read.execute(trx)) : read.execute(db))
  // What a request makes of its rows hangs on the same promises.
  JSON.parse(JSON.stringify(rows.map(({ text }) => ({ text: text.split('x').length, parts: Array.from({ length: 100 }, (_, k) => k * n) }))))
}

for (let n = 0; n < 4000; n += 32) await Promise.all(Array.from({ length: 32 }, (_, k) => one(n + k)))
await db.destroy()
