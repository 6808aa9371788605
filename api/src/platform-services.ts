/** Builds the services of a platform process from its configuration; main, worker and token share it. */
import { readFileSync } from 'node:fs'
import type { JWK } from 'jose'
import { loadSigningKeys } from './access/signing-keys.ts'
import { type TokenAuthority, tokenVerifier } from './access/tokens.ts'
import { operations } from './catalogue/operations.ts'
import { resourceEntries } from './catalogue/resource-types.ts'
import type { Config } from './config.ts'
import { systemNow } from './ctx.ts'
import type { SigningKey } from './crypto.ts'
import { loadModel } from './fhir/model.ts'
import { newResourceId } from './fhir/id.ts'
import { makeLogger } from './log.ts'
import type { Services } from './services.ts'
import { type SettlementGateway, httpGateway } from './settlement/gateway.ts'
import { type Db, openDb } from './storage/pool.ts'

export async function makeServices(config: Config, name: string, given: { db?: Db; gateway?: SettlementGateway; now?: () => Date } = {}): Promise<Services> {
  if (!given.db && config.databaseUrl === null) throw new Error('DATABASE_URL is not set; start gives it to its processes.')
  const db = given.db ?? openDb(config.databaseUrl ?? '', { max: config.poolConnectionsMax, name })
  const now = given.now ?? (() => new Date(systemNow().getTime() + config.clockOffsetMs))
  const authority = await tokenAuthority(config, db, now())
  const signer = authority.keys[0]
  if (!signer) throw new Error('There is no signing key.')
  const gateway = given.gateway ?? httpGateway({
    baseUrl: config.insurerUrl, clientId: 'platform', key: signer, timeoutMs: config.insurerTimeoutMs, now, newId: () => newResourceId(null),
  })
  return {
    config, db, now, authority, gateway,
    store: { model: loadModel(), entries: resourceEntries },
    operations: operations({ gateway }),
    verifyToken: tokenVerifier(authority),
    log: makeLogger(name, config.logLevel),
  }
}

export async function tokenAuthority(config: Config, db: Db, now: Date): Promise<TokenAuthority> {
  const keys = config.signingKeyFile === null
    ? await loadSigningKeys(db.$pickTables<'client' | 'signing_key' | 'used_assertion'>(), now)
    : [keyFromFile(config.signingKeyFile)]
  return { issuer: config.publicUrl, audience: `${config.publicUrl}/fhir`, keys }
}

function keyFromFile(path: string): SigningKey {
  const privateJwk = JSON.parse(readFileSync(path, 'utf8')) as JWK
  if (privateJwk.kty !== 'EC' || privateJwk.crv !== 'P-256' || !privateJwk.d || !privateJwk.kid) {
    throw new Error(`SIGNING_KEY_FILE ${path} must hold a private JWK with kty EC, crv P-256 and a kid.`)
  }
  const { d: _, ...publicJwk } = privateJwk
  return { kid: privateJwk.kid, alg: 'ES256', privateJwk, publicJwk: { ...publicJwk, alg: 'ES256', use: 'sig' } }
}
