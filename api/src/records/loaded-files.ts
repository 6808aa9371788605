/**
 * Which files were loaded, by the SHA-256 of their text. The row is written in the transaction that stores the file, so a file
 * is loaded wholly or not at all, and never twice: two loads of one file meet on the primary key.
 */
import type { Ctx } from '../ctx.ts'
import type { Db, Trx } from '../storage/pool.ts'

export interface LoadedFile { sha256: string; name: string; resources: number }

export function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

export async function isLoaded(db: Db, sha256: string): Promise<boolean> {
  const row = await db.selectFrom('loaded_file').select('sha256').where('sha256', '=', sha256).executeTakeFirst()
  return row !== undefined
}

/** Claims a file for this transaction; waits for another that has it. @returns false when it is loaded already. */
export async function claimFile(trx: Trx, ctx: Ctx, file: LoadedFile): Promise<boolean> {
  const row = await trx.insertInto('loaded_file').values({ ...file, loaded_at: ctx.now })
    .onConflict((conflict) => conflict.column('sha256').doNothing()).returning('sha256').executeTakeFirst()
  return row !== undefined
}
