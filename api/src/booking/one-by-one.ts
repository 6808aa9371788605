/** A sweep over what is due: a transaction each; what fails is put off, keeps nobody else waiting, and is reported at the end. */
import type { Db, Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'

/** @returns the sum of what `follow` did. @throws Error when some of them failed. */
export async function oneByOne<T>(db: Db, due: readonly T[], name: string, steps: { follow(trx: Trx, each: T): Promise<number>; putOff(trx: Trx, each: T): Promise<unknown> }): Promise<number> {
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
  if (failed.length > 0) throw new Error(`${failed.length} of ${due.length} ${name} could not be sent and will be tried again.`, { cause: failed[0] })
  return handled
}
