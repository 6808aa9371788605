/**
 * Guessing is slowed down, and nobody is kept out by the guesses of others: failures count by account and network, or, on a
 * browser where the account has signed in before, by account and that browser alone. Two wider counters stop a guess spread
 * over many networks or accounts; known browsers are exempt from both. An attempt is counted before the password is looked at,
 * so that many at once count as many. Source: OWASP ASVS 5.0 § 6.3.1, MLPS 8.1.4.1 (five failures, 10 to 30 minutes).
 */
import { type Kysely, sql } from 'kysely'
import { sha256Hex } from '../crypto.ts'
import { addSeconds } from '../fhir/date-time.ts'
import { OutcomeError, issue } from '../fhir/outcome.ts'
import type { Db } from '../storage/pool.ts'
import type { Tables } from '../storage/tables.ts'

export interface Counter { key: string; failuresMax: number; blockSeconds: number; blockSecondsMax: number }
export interface Attempt { login: string; network: string; device: string | null; knownDevice: boolean }

const windowSeconds = 3600

/** What an attempt counts against, the narrowest first. */
export function countersOf({ login, network, device, knownDevice }: Attempt): Counter[] {
  const narrow = { failuresMax: 5, blockSeconds: 600, blockSecondsMax: 1800 }
  if (knownDevice && device !== null) return [{ key: keyed('device', login, sha256Hex(device)), ...narrow }]
  return [
    { key: keyed('pair', login, network), ...narrow },
    { key: keyed('account', login), failuresMax: 50, blockSeconds: 900, blockSecondsMax: 1800 },
    { key: keyed('network', network), failuresMax: 300, blockSeconds: 300, blockSecondsMax: 900 },
  ]
}

/** Counts an attempt that may fail. @throws OutcomeError `sign-in-throttled` (429) with Retry-After. */
export async function countAttempt(db: Db, now: Date, counters: readonly Counter[]): Promise<void> {
  for (const counter of counters) {
    const { failuresMax, blockSeconds, blockSecondsMax } = counter
    const since = addSeconds(now, -windowSeconds)
    // The block is set by the statement that counts: of many attempts at once no more pass than the limit.
    const { rows } = await sql<{ failures: number }>`
      insert into sign_in_failure as f (key, failures, last_at) values (${counter.key}, 1, ${now})
      on conflict (key) do update set (failures, last_at, blocked_until) = (
        select n, ${now}::timestamptz, case when n >= ${failuresMax}::int
          then ${now}::timestamptz + make_interval(secs => least(${blockSeconds}::float8 * power(2, least(n - ${failuresMax}::int, 10)), ${blockSecondsMax}::float8)) end
        from (select case when f.last_at < ${since} then 1 else f.failures + 1 end) as counted (n))
      where f.blocked_until is null or f.blocked_until <= ${now} returning failures`.execute(db)
    if (!rows[0]) throw await throttled(db, now, counter)
  }
}

/** A right sign-in forgets the failures of this account here; the counters of a whole network only lose this attempt. */
export async function forgiveAttempt(db: Kysely<Tables>, counters: readonly Counter[]): Promise<void> {
  const [narrow, ...wide] = counters
  if (narrow) await db.deleteFrom('sign_in_failure').where('key', '=', narrow.key).execute()
  if (wide.length > 0) {
    await sql`update sign_in_failure set failures = failures - 1, blocked_until = null where key = any(${wide.map((each) => each.key)}::text[]) and failures > 0`.execute(db)
  }
}

/** Remembers that the account has signed in on this browser. */
export async function rememberDevice(db: Kysely<Tables>, now: Date, account: string, device: string): Promise<void> {
  await db.insertInto('known_device').values({ account_id: account, device_hash: sha256Hex(device), last_at: now })
    .onConflict((conflict) => conflict.columns(['account_id', 'device_hash']).doUpdateSet({ last_at: now })).execute()
}

export async function isKnownDevice(db: Db, login: string, device: string | null): Promise<boolean> {
  if (device === null) return false
  return await db.selectFrom('known_device as d').innerJoin('account as a', 'a.id', 'd.account_id').select('d.account_id')
    .where((eb) => eb.or([eb('a.login', '=', login), eb('a.phone', '=', login)])).where('d.device_hash', '=', sha256Hex(device)).executeTakeFirst() !== undefined
}

async function throttled(db: Db, now: Date, counter: Counter): Promise<OutcomeError> {
  const row = await db.selectFrom('sign_in_failure').select('blocked_until').where('key', '=', counter.key).executeTakeFirst()
  const seconds = Math.max(1, Math.ceil((Date.parse(row?.blocked_until ?? now.toISOString()) - now.getTime()) / 1000))
  const minutes = Math.ceil(seconds / 60)
  return new OutcomeError([issue('sign-in-throttled', {
    zh: `尝试次数太多，请 ${minutes} 分钟后再试。`, en: `Too many attempts. Try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`,
  })], { headers: { 'Retry-After': String(seconds) } })
}

/** Hashed: the table says nothing about who tried. */
function keyed(...parts: string[]): string {
  return sha256Hex(parts.join('\n'))
}
