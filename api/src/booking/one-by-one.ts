/**
 * A sweep over what is due, batch after batch until less than a full one is left: a transaction each; what fails is put off, keeps nobody else waiting, and
 * is reported at the end of its batch. Whatever `follow` and `putOff` do, what they were given is not due any more.
 */
import type { Db, Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'

interface Sweep<T> {
  /** For the report: what could not be sent. */
  name: string
  /** At most `batch` of what is due, the longest due first. */
  due(): Promise<readonly T[]>
  batch: number
  follow(trx: Trx, each: T): Promise<number>
  putOff(trx: Trx, each: T): Promise<unknown>
}

/** A run ends then, and the next goes on: others' jobs are not kept waiting by one. */
const batchesMax = 50

/** @returns the sum of what `follow` did. @throws Error when some of them failed. */
export async function oneByOne<T>(db: Db, sweep: Sweep<T>): Promise<number> {
  let handled = 0
  for (let batches = 0; batches < batchesMax; batches++) {
    const due = await sweep.due()
    handled += await followed(db, sweep, due)
    if (due.length < sweep.batch) break
  }
  return handled
}

async function followed<T>(db: Db, steps: Sweep<T>, due: readonly T[]): Promise<number> {
  let handled = 0
  const failed: unknown[] = []
  for (const each of due) {
    try {
      handled += await inTransaction(db, (trx) => steps.follow(trx, each))
    } catch (error) {
      failed.push(error)
      await inTransaction(db, (trx) => steps.putOff(trx, each))
    }
  }
  if (failed.length > 0) throw new Error(`${failed.length} of ${due.length} ${steps.name} could not be sent and will be tried again.`, { cause: failed[0] })
  return handled
}
