/**
 * `Idempotency-Key`: the same caller with the same key and request gets the first answer again, and the work is done once.
 * The row is written before the work and completed after it, in the work's own transaction: a second request with the key waits
 * for the first and then reads its answer; when the first fails, its row goes with it and the second does the work.
 */
import { sql } from 'kysely'
import { sha256Hex } from '../crypto.ts'
import type { Ctx } from '../ctx.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { parseStored, stringifyJson } from '../fhir/json.ts'
import { fail, OutcomeError } from '../fhir/outcome.ts'
import { plainArray, textArray } from './array-literal.ts'
import type { Trx } from './pool.ts'

const keyLengthMax = 200

/** A caller's request, where one transaction answers many. */
export interface Asked { ctx: Ctx; once: Once }

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
  const row = rowOf({ ctx, once })
  const begun = await trx.insertInto('idempotency').values({ ...row, body_hash: sha256Hex(once.request), status: 0, response: '', created_at: ctx.now })
    .onConflict((conflict) => conflict.constraint('idempotency_pkey').doNothing()).executeTakeFirst()
  const at = trx.selectFrom('idempotency').select(['body_hash', 'response'])
    .where('principal_id', '=', row.principal_id).where('key', '=', row.key).where('shard', '=', row.shard)
  if (Number(begun.numInsertedOrUpdatedRows ?? 0n) === 0) return firstAnswer(await at.executeTakeFirstOrThrow(), once)
  const answer = await work()
  await trx.updateTable('idempotency').set({ status: 200, response: stringifyJson(answer) })
    .where('principal_id', '=', row.principal_id).where('key', '=', row.key).where('shard', '=', row.shard).execute()
  return answer
}

/** For each request the answer it got before, or the refusal of a key used otherwise; null where the work is still to be done. */
export async function answersBefore<T>(trx: Trx, asked: readonly Asked[]): Promise<({ answer: T } | { refused: OutcomeError } | null)[]> {
  const keyed = asked.filter(({ once }) => once.key !== null && isKey(once.key)).map(rowOf)
  const { rows } = keyed.length === 0 ? { rows: [] } : await sql<{ principal_id: string; key: string; body_hash: string; response: string }>`
    select i.principal_id, i.key, i.body_hash, i.response from unnest(${keyed.map((each) => each.shard)}::int[],
      ${keyed.map((each) => each.principal_id)}::text[], ${keyed.map((each) => each.key)}::text[]) as w (shard, principal_id, key)
    join idempotency i on i.shard = w.shard and i.principal_id = w.principal_id and i.key = w.key`.execute(trx)
  return asked.map(({ ctx, once }) => {
    if (once.key === null) return null
    try {
      assertKey(once.key)
      const row = rows.find((each) => each.principal_id === ctx.principal.id && each.key === once.key)
      return row ? { answer: firstAnswer<T>(row, once) } : null
    } catch (error) {
      if (error instanceof OutcomeError) return { refused: error }
      throw error
    }
  })
}

/** Keeps answers given in this transaction. @throws the violated `idempotency_pkey` when somebody answered with the key meanwhile. */
export async function rememberAnswers(trx: Trx, given: readonly (Asked & { answer: unknown })[]): Promise<void> {
  const keyed = given.filter(({ once }) => once.key !== null)
  if (keyed.length === 0) return
  const rows = keyed.map(rowOf)
  await sql`insert into idempotency (shard, principal_id, key, body_hash, status, response, created_at)
    select w.*, now() from unnest(${plainArray(rows.map((each) => each.shard))}::int[], ${textArray(rows.map((each) => each.principal_id))}::text[], ${textArray(rows.map((each) => each.key))}::text[],
      ${textArray(keyed.map(({ once }) => sha256Hex(once.request)))}::text[], ${plainArray(keyed.map(() => 200))}::int[], ${textArray(keyed.map(({ answer }) => stringifyJson(answer)))}::text[]) as w`.execute(trx)
}

function rowOf({ ctx, once }: Asked): { shard: number; principal_id: string; key: string } {
  return { shard: shardOf(keyOf(ctx.principal.id)), principal_id: ctx.principal.id, key: once.key ?? '' }
}

function firstAnswer<T>(row: { body_hash: string; response: string }, once: Once): T {
  if (row.body_hash === sha256Hex(once.request)) return parseStored(row.response) as T
  throw fail('idempotency-mismatch', {
    zh: '同一个 Idempotency-Key 已用于内容不同的请求，请为新的请求使用新的值。',
    en: 'This Idempotency-Key was used for a different request. Use a new key for a new request.',
  }, 'http.Idempotency-Key')
}

function isKey(key: string): boolean {
  return key.trim() !== '' && key.length <= keyLengthMax
}

/** @throws OutcomeError `parameter-invalid`. */
export function assertKey(key: string): void {
  if (isKey(key)) return
  throw fail('parameter-invalid', { zh: `Idempotency-Key 应为 1 到 ${keyLengthMax} 个字符。`, en: `Idempotency-Key must have 1 to ${keyLengthMax} characters.` }, 'http.Idempotency-Key')
}
