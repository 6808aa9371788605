/**
 * Who may ask for tokens, as `start` sets it up: the platform at both insurance centres, and the systems of the demo city at
 * the platform. Demo keys are made once and kept in DATA_DIR/clients, so that a system of one's own can use them.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JWK } from 'jose'
import type { Kysely } from 'kysely'
import { type NewApp, upsertApps } from './access/apps.ts'
import { loadSigningKeys, type TokenTables } from './access/signing-keys.ts'
import type { Config } from './config.ts'
import { newSigningKey, type SigningKey } from './crypto.ts'
import { type Databases, regions } from './databases.ts'
import { centreOf, peerClientId } from './insurer/centre.ts'
import { tokenAuthority } from './platform-services.ts'
import { openDb, openInsurerDb } from './storage/pool.ts'

export const demoClients = [
  { id: 'bench', name: '性能测试 Benchmark', scopes: 'system/*.cruds' },
  { id: 'hospital-demo', name: '演示医院信息系统 Demo hospital system', scopes: 'system/Patient.rs system/Appointment.rs system/Encounter.cruds system/Observation.cruds system/DiagnosticReport.cruds system/Condition.cruds' },
  { id: 'insurer-310000', name: '上海市医保中心（演示） Shanghai insurance centre', scopes: 'system/Coverage.rs system/Claim.rs system/ClaimResponse.rs system/ExplanationOfBenefit.rs' },
  { id: 'insurer-neighbour', name: '苏州市医保中心（演示） Neighbouring insurance centre', scopes: 'system/Coverage.rs' },
] as const

/** Apps of the demo city: one that is served with the portal and that people must let in like any other. */
function demoApps(publicUrl: string): NewApp[] {
  const address = `${publicUrl}/demo-app/index.html`
  return [{
    id: 'blood-pressure-diary', name_zh: '血压手账（演示）', name_en: 'Blood pressure diary (demo)', publisher: '演示应用 Demo', auth_method: 'none', jwks: null,
    redirect_uris: [address], post_logout_redirect_uris: [address], launch_uri: address, roles: ['citizen', 'clinician', 'gp'],
    scopes: 'openid fhirUser profile launch launch/patient online_access offline_access patient/Patient.r patient/Observation.rs',
  }]
}

interface KeySet { keys: JWK[]; jwks_uri?: string }

/** What one centre may do at another. */
const peerScopes = 'system/Claim.cruds system/ClaimResponse.rs system/Coverage.rs system/Task.cs system/PaymentReconciliation.cr'

export async function registerClients(config: Config, databases: Databases, now: Date): Promise<void> {
  const db = openDb(databases.platform, { max: 1 })
  try {
    const authority = await tokenAuthority(config, db, now)
    if (!config.production) {
      const tokens = db.$pickTables<keyof TokenTables>()
      for (const client of demoClients) {
        const key = await demoKey(config, client.id)
        await upsert(tokens, client.id, client.name, { keys: [key.publicJwk] }, client.scopes)
      }
      await upsertApps(db, demoApps(config.publicUrl), now)
    }
    await registerAtCentres(databases, { keys: authority.keys.map((key) => key.publicJwk), jwks_uri: `${config.publicUrl}/oidc/jwks` }, now)
  } finally {
    await db.destroy()
  }
}

/** At each centre: the platform, with the address of its keys (after a rotation the new one is found there), and the other centres. */
async function registerAtCentres(databases: Databases, platformKeys: KeySet, now: Date): Promise<void> {
  const centres = regions.map((region) => ({ region, db: openInsurerDb(databases.insurers[region], { max: 1 }) }))
  try {
    for (const { region, db } of centres) {
      const tokens = db.$pickTables<keyof TokenTables>()
      await upsert(tokens, 'platform', '浦江健康平台 Pujiang Health', platformKeys, 'system/*.cruds')
      const keys = { keys: (await loadSigningKeys(tokens, now)).map((key) => key.publicJwk) }
      for (const other of centres) {
        if (other.region !== region) await upsert(other.db.$pickTables<keyof TokenTables>(), peerClientId(region), `${centreOf(region).name.zh}医保中心`, keys, peerScopes)
      }
    }
  } finally {
    await Promise.all(centres.map(({ db }) => db.destroy()))
  }
}

async function upsert(db: Kysely<TokenTables>, id: string, name: string, jwks: KeySet, scopes: string): Promise<void> {
  const row = { id, display_name: name, jwks, scopes, organization: null }
  await db.insertInto('client').values(row).onConflict((conflict) => conflict.column('id').doUpdateSet({ jwks: row.jwks, scopes, display_name: name })).execute()
}

/** Private key of a demo client: DATA_DIR/clients/<id>.json. */
async function demoKey(config: Config, id: string): Promise<SigningKey> {
  const folder = join(config.dataDir, 'clients')
  const file = join(folder, `${id}.json`)
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as SigningKey
  const key = await newSigningKey()
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  writeFileSync(file, JSON.stringify(key), { mode: 0o600 })
  return key
}
