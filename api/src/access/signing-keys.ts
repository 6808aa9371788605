/**
 * Keys this server signs its tokens with. A key is published before it signs and stays published until the last token it
 * signed has expired, so that a rotation refuses no valid token. Invariant: the first key of a loaded list signs; the others
 * only verify. A new key signs once it is older than `publishMinutes`, longer than anybody caches our JWKS.
 */
import type { JWK } from 'jose'
import type { Kysely } from 'kysely'
import { newSigningKey, type SigningKey } from '../crypto.ts'
import type { Tables } from '../storage/tables.ts'

/** The tables that platform and insurance centre share; both run this code. */
export type TokenTables = Pick<Tables, 'client' | 'signing_key' | 'used_assertion'>
export type TokenDb = Kysely<TokenTables>

/** How long a key is published before it signs; JWKS answers may be cached for 5 minutes. */
export const publishMinutes = 15
/** How long a replaced key still verifies; the longest token lives 8 hours. */
const verifyHours = 24

interface Dated { kid: string; created_at: string }

/** The key that signs first, then the others, newest first. */
export function orderKeys<T extends Dated>(rows: readonly T[], now: Date): T[] {
  const newest = [...rows].sort((a, b) => b.created_at.localeCompare(a.created_at) || a.kid.localeCompare(b.kid))
  const signs = newest.find((row) => ageMinutes(row, now) >= publishMinutes) ?? newest.at(-1)
  return signs ? [signs, ...newest.filter((row) => row !== signs)] : []
}

/** What is due: a new key when the newest is older than `keyDays`, and the keys whose last token has expired. */
export function rotationDue(rows: readonly Dated[], keyDays: number, now: Date): { make: boolean; forget: string[] } {
  const [signs, ...others] = orderKeys(rows, now)
  const newest = [...rows].sort((a, b) => b.created_at.localeCompare(a.created_at))[0]
  const replaced = signs ? others.filter((row) => row.created_at < signs.created_at) : []
  const signingMinutes = signs ? ageMinutes(signs, now) - publishMinutes : 0
  return {
    make: !newest || ageMinutes(newest, now) >= keyDays * 1440,
    forget: signingMinutes >= verifyHours * 60 ? replaced.map((row) => row.kid) : [],
  }
}

/** All keys, the signing one first. Makes the first one when there is none; a race between two processes leaves two, both valid. */
export async function loadSigningKeys(db: TokenDb, now: Date): Promise<SigningKey[]> {
  const read = () => db.selectFrom('signing_key').selectAll().execute()
  let rows = await read()
  if (rows.length === 0) {
    await insertKey(db, now)
    rows = await read()
  }
  return orderKeys(rows, now).map((row) => ({ kid: row.kid, alg: row.alg, privateJwk: row.private_jwk as JWK, publicJwk: row.public_jwk as JWK }))
}

/** The job: makes the next key in time and forgets the ones nobody needs. @returns how many keys came or went. */
export async function rotateSigningKeys(db: TokenDb, now: Date, keyDays: number): Promise<number> {
  const due = rotationDue(await db.selectFrom('signing_key').select(['kid', 'created_at']).execute(), keyDays, now)
  if (due.make) await insertKey(db, now)
  if (due.forget.length > 0) await db.deleteFrom('signing_key').where('kid', 'in', due.forget).execute()
  return (due.make ? 1 : 0) + due.forget.length
}

async function insertKey(db: TokenDb, now: Date): Promise<void> {
  const key = await newSigningKey()
  await db.insertInto('signing_key').values({ kid: key.kid, alg: key.alg, private_jwk: key.privateJwk, public_jwk: key.publicJwk, created_at: now }).execute()
}

function ageMinutes(row: Dated, now: Date): number {
  return (now.getTime() - Date.parse(row.created_at)) / 60_000
}
