/** Keys this server signs its tokens with: the newest signs, all are published, so that a rotation invalidates nothing. */
import type { JWK } from 'jose'
import type { Kysely } from 'kysely'
import { newSigningKey, type SigningKey } from '../crypto.ts'
import type { Tables } from '../storage/tables.ts'

/** The tables that platform and insurance centre share; both run this code. */
export type TokenTables = Pick<Tables, 'client' | 'signing_key' | 'used_assertion'>
export type TokenDb = Kysely<TokenTables>

/** All keys, newest first. Makes the first one when there is none; a race between two processes leaves two, both valid. */
export async function loadSigningKeys(db: TokenDb, now: Date): Promise<SigningKey[]> {
  const read = () => db.selectFrom('signing_key').selectAll().orderBy('created_at', 'desc').orderBy('kid').execute()
  let rows = await read()
  if (rows.length === 0) {
    const key = await newSigningKey()
    await db.insertInto('signing_key').values({
      kid: key.kid, alg: key.alg, private_jwk: key.privateJwk, public_jwk: key.publicJwk, created_at: now,
    }).execute()
    rows = await read()
  }
  return rows.map((row) => ({ kid: row.kid, alg: row.alg, privateJwk: row.private_jwk as JWK, publicJwk: row.public_jwk as JWK }))
}
