/**
 * `Idempotency-Key`: the same caller with the same key and request gets the first answer again, and the work is done once.
 * The row is written before the work and completed after it, in the work's own transaction: a second request with the key waits
 * for the first and then reads its answer; when the first fails, its row goes with it and the second does the work.
 */
import { sha256Hex } from '../crypto.ts'
import type { Ctx } from '../ctx.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { parseJson, stringifyJson } from '../fhir/json.ts'
import { fail } from '../fhir/outcome.ts'
import type { Trx } from './pool.ts'

const keyLengthMax = 200

export interface Once {
  /** The header; null does the work without remembering it. */
  key: string | null
  /** What the key stands for: the operation's address and its body, as text. */
  request: string
}

/** @throws OutcomeError `idempotency-mismatch` (409) when the key was used for another request, `parameter-invalid` for a bad key. */
export async function answerOnce<T>(trx: Trx, ctx: Ctx, once: Once, work: () => Promise<T>): Promise<T> {
  if (once.key === null) return work()
  assertKey(once.key)
  const row = { shard: shardOf(keyOf(ctx.principal.id)), principal_id: ctx.principal.id, key: once.key }
  const bodyHash = sha256Hex(once.request)
  const begun = await trx.insertInto('idempotency').values({ ...row, body_hash: bodyHash, status: 0, response: '', created_at: ctx.now })
    .onConflict((conflict) => conflict.constraint('idempotency_pkey').doNothing()).executeTakeFirst()
  const at = trx.selectFrom('idempotency').select(['body_hash', 'response'])
    .where('principal_id', '=', row.principal_id).where('key', '=', row.key).where('shard', '=', row.shard)
  if (Number(begun.numInsertedOrUpdatedRows ?? 0n) === 0) {
    const first = await at.executeTakeFirstOrThrow()
    if (first.body_hash === bodyHash) return parseJson(first.response) as T
    throw fail('idempotency-mismatch', {
      zh: '同一个 Idempotency-Key 已用于内容不同的请求，请为新的请求使用新的值。',
      en: 'This Idempotency-Key was used for a different request. Use a new key for a new request.',
    }, 'http.Idempotency-Key')
  }
  const answer = await work()
  await trx.updateTable('idempotency').set({ status: 200, response: stringifyJson(answer) })
    .where('principal_id', '=', row.principal_id).where('key', '=', row.key).where('shard', '=', row.shard).execute()
  return answer
}

/** @throws OutcomeError `parameter-invalid`. */
export function assertKey(key: string): void {
  if (key.trim() !== '' && key.length <= keyLengthMax) return
  throw fail('parameter-invalid', { zh: `Idempotency-Key 应为 1 到 ${keyLengthMax} 个字符。`, en: `Idempotency-Key must have 1 to ${keyLengthMax} characters.` }, 'http.Idempotency-Key')
}
