/** Builds the services of a platform process from its configuration; main, worker and token share it. */
import { readFileSync } from 'node:fs'
import type { JWK } from 'jose'
import { sessionWatch } from './access/session-watch.ts'
import { type SystemCaller, systemCaller, type SystemOptions } from './access/system-call.ts'
import { loadSigningKeys } from './access/signing-keys.ts'
import { type TokenAuthority, tokenVerifier } from './access/tokens.ts'
import { demoCode } from './catalogue/demo-accounts.ts'
import { operations } from './catalogue/operations.ts'
import { resourceEntries } from './catalogue/resource-types.ts'
import type { Config } from './config.ts'
import { systemNow } from './ctx.ts'
import { newSecret, type SigningKey } from './crypto.ts'
import { loadModel } from './fhir/model.ts'
import { newResourceId } from './fhir/id.ts'
import { type Logger, makeLogger } from './log.ts'
import type { Services } from './services.ts'
import { type SettlementGateway, httpGateway } from './settlement/gateway.ts'
import { type Db, openDb } from './storage/pool.ts'

export async function makeServices(config: Config, name: string, given: { db?: Db; gateway?: SettlementGateway; centreDesk?: SystemCaller; now?: () => Date; log?: Logger } = {}): Promise<Services> {
  if (!given.db && config.databaseUrl === null) throw new Error('DATABASE_URL is not set; start gives it to its processes.')
  const db = given.db ?? openDb(config.databaseUrl ?? '', { max: config.poolConnectionsMax, name })
  const now = given.now ?? (() => new Date(systemNow().getTime() + config.clockOffsetMs))
  const authority = await tokenAuthority(config, db, now())
  const signer = authority.keys[0]
  if (!signer) throw new Error('There is no signing key.')
  const centre: SystemOptions = {
    baseUrl: config.insurerUrl, clientId: 'platform', key: signer, timeoutMs: config.insurerTimeoutMs, now, newId: () => newResourceId(null),
  }
  const gateway = given.gateway ?? httpGateway(centre)
  return {
    config, db, now, authority, gateway, centreDesk: given.centreDesk ?? systemCaller(centre),
    store: { base: `${config.publicUrl}/fhir`, model: loadModel(), entries: resourceEntries },
    operations: operations({ gateway }),
    verifyToken: tokenVerifier(authority),
    sessions: sessionWatch(db),
    factors: { secretsKey: await secretsKey(config, db), demoCode: config.production ? null : demoCode },
    log: given.log ?? makeLogger(name, config.logLevel),
  }
}

export async function tokenAuthority(config: Config, db: Db, now: Date): Promise<TokenAuthority> {
  return { issuer: config.publicUrl, audience: `${config.publicUrl}/fhir`, keys: await signingKeys(config, db, now) }
}

/** The keys as they are now, the signing one first. */
export async function signingKeys(config: Config, db: Db, now: Date): Promise<SigningKey[]> {
  return config.signingKeyFile === null
    ? loadSigningKeys(db.$pickTables<'client' | 'signing_key' | 'used_assertion'>(), now)
    : keysFromFile(config.signingKeyFile)
}

/** One private JWK, or a JWK Set whose first key signs and whose others only verify. */
function keysFromFile(path: string): SigningKey[] {
  const read = JSON.parse(readFileSync(path, 'utf8')) as JWK | { keys: JWK[] }
  const keys = 'keys' in read && Array.isArray(read.keys) ? read.keys as JWK[] : [read as JWK]
  return keys.map((privateJwk) => {
    const { kty, crv, d, kid } = privateJwk
    if (kty !== 'EC' || crv !== 'P-256' || !d || Buffer.from(d, 'base64url').length !== 32 || !kid) {
      throw new Error(`SIGNING_KEY_FILE ${path} must hold private JWKs with kty EC, crv P-256 and a kid.`)
    }
    const { d: _, ...publicJwk } = privateJwk
    return { kid, alg: 'ES256', privateJwk, publicJwk: { ...publicJwk, alg: 'ES256', use: 'sig' } }
  })
}

/** From its file; for demonstration one that is made once and kept in the database. */
async function secretsKey(config: Config, db: Db): Promise<Uint8Array> {
  if (config.secretsKeyFile !== null) return secretFromText(readFileSync(config.secretsKeyFile, 'utf8'), config.secretsKeyFile)
  const name = 'secrets-key'
  await db.insertInto('platform_fact').values({ name, value: newSecret() }).onConflict((conflict) => conflict.doNothing()).execute()
  const { value } = await db.selectFrom('platform_fact').select('value').where('name', '=', name).executeTakeFirstOrThrow()
  return secretFromText(String(value), name)
}

/** 32 bytes in base64url. A key of few different bytes was typed, not made. */
export function secretFromText(text: string, from: string): Uint8Array {
  const bytes = Buffer.from(text.trim(), 'base64url')
  if (bytes.length !== 32 || new Set(bytes).size < 16) throw new Error(`${from} must hold 32 random bytes in base64url, such as: openssl rand -base64 32 | tr '+/' '-_' | tr -d '='`)
  return bytes
}
