/**
 * What the settlement benchmark measures, started for it alone: a database server with the durability of production, the platform and
 * an insurance centre as processes of their own, people who are insured, and visits with charges.
 */
import type { ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres, { type Sql } from 'postgres'
import { readConfig } from '../../api/src/config.ts'
import { hospitalLevelSystem, institutionSystem, psnSystem, schemeSystem } from '../../api/src/fhir/claim-message.ts'
import { newResourceId } from '../../api/src/fhir/id.ts'
import { mintDemoToken } from '../../api/src/mint-token.ts'
import { tokenAuthority } from '../../api/src/platform-services.ts'
import { chargeItemDefinition } from '../../api/src/settlement/charge-item-definition.ts'
import { migrate } from '../../api/src/storage/migrate.ts'
import { openDb, openInsurerDb } from '../../api/src/storage/pool.ts'
import { startPostgres } from '../../api/src/storage/postgres-server.ts'
import { end, freePort, launch } from './servers.ts'

export interface City {
  url: string
  /** Process ids of the platform, the centre and the database server. */
  pids: { platform: number; centre: number; postmaster: number }
  token: string
  platform: Sql
  centre: Sql
  stop(): Promise<void>
}

/** @param connections of the bare writer to each database. */
export async function startCity(connections: number): Promise<City> {
  const folder = mkdtempSync(join(tmpdir(), 'pujiang-settle-'))
  chmodSync(folder, 0o755)
  const cluster = join(folder, 'postgres')
  const server = await startPostgres({ dir: cluster, durable: true })
  const children: ChildProcess[] = []
  const admin = postgres(server.url('postgres'), { max: 1, onnotice: () => {} })
  await admin.unsafe('create database bench')
  await admin.unsafe('create database bench_centre')
  await admin.end()
  const platform = postgres(server.url('bench'), { max: connections, onnotice: () => {} })
  const centre = postgres(server.url('bench_centre'), { max: connections, onnotice: () => {} })
  const stop = async () => {
    await end(children)
    await Promise.all([platform.end({ timeout: 1 }), centre.end({ timeout: 1 })])
    server.stop('fast')
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const centrePort = await freePort()
    const port = await freePort()
    const [url, centreUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${centrePort}`]
    const common = { DATA_DIR: folder, POOL_CONNECTIONS_MAX: '6', SEED: 'none', LOG_LEVEL: 'warn' }
    const environment = { ...common, DATABASE_URL: server.url('bench'), PORT: String(port), PUBLIC_URL: url, INSURER_URL: centreUrl }
    const db = openDb(environment.DATABASE_URL, { max: 1 })
    const insurer = openInsurerDb(server.url('bench_centre'), { max: 1 })
    await migrate(db, 'platform')
    await migrate(insurer, 'insurer')
    const client = { display_name: 'Benchmark', scopes: 'system/*.cruds', organization: null }
    const authority = await tokenAuthority(readConfig(environment), db, new Date())
    await db.insertInto('client').values({ id: 'bench', jwks: { keys: [] }, ...client }).execute()
    await insurer.insertInto('client').values({ id: 'platform', jwks: { keys: authority.keys.map((key) => key.publicJwk) }, ...client }).execute()
    await Promise.all([db.destroy(), insurer.destroy()])
    const token = await mintDemoToken(readConfig(environment), { client: 'bench', user: null, scope: null })
    const centreServer = await launch(children, 'api/src/insurer-main.ts', [], () => ({ ...common, DATABASE_URL: server.url('bench_centre'), PORT: String(centrePort), PUBLIC_URL: centreUrl, REGION: '310000' }), '/health/live', centrePort)
    const platformServer = await launch(children, 'api/src/main.ts', [], () => environment, '/health/live', port)
    const postmaster = Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0])
    return { url, token, platform, centre, stop, pids: { platform: platformServer.pid, centre: centreServer.pid, postmaster } }
  } catch (error) {
    await stop()
    throw error
  }
}

async function send({ url, token }: City, path: string, body: unknown): Promise<unknown> {
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json' }, body: JSON.stringify(body) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 300)}`)
  return JSON.parse(text)
}

const organization = newResourceId(0)
const prices = ['A', 'B', 'A', 'C'].map((catalogueClass, n) => ({
  code: `item-${n}`, zh: `项目${n}`, en: `Item ${n}`, kind: 'service' as const, unit: '次', priceFen: 20_000 + n * 1357, catalogueClass: catalogueClass as 'A' | 'B' | 'C', firstPayRatio: catalogueClass === 'B' ? 0.1 : 0, limitFen: null,
}))

/** An institution and its price list. */
export async function directory(city: City): Promise<void> {
  const put = (resource: { resourceType: string; id?: string }) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })
  await send(city, '/fhir', {
    resourceType: 'Bundle', type: 'transaction', entry: [
      put({ resourceType: 'Organization', id: organization, active: true, name: '测试医院', identifier: [{ system: institutionSystem, value: 'H31010100001' }], type: [{ coding: [{ system: hospitalLevelSystem, code: '02' }] }] } as never),
      ...prices.map((price) => put(chargeItemDefinition(price))),
    ],
  })
}

let person = 0

/** Visits with four charges, of people who are insured. @returns ids of their encounters. */
export async function visits(city: City, count: number): Promise<string[]> {
  const encounters: string[] = []
  for (let from = 0; from < count; from += 40) {
    const people = Array.from({ length: Math.min(40, count - from) }, () => ({ psnNo: `P${++person}`, patient: newResourceId(person % 4096) }))
    await city.centre`insert into insured_person ${city.centre(people.map(({ psnNo }) => ({ psn_no: psnNo, region: '310000', resident_id: `99990119800101${String(person).padStart(4, '0')}`, name: '测试', sex: 'male', birth_date: '1980-01-01', account_prior_fen: 50_000 })))}`
    await city.centre`insert into enrolment ${city.centre(people.map(({ psnNo }) => ({ psn_no: psnNo, scheme: 310, person_type: 11, from_date: '2020-01-01' })))}`
    const answer = await send(city, '/fhir', { resourceType: 'Bundle', type: 'transaction', entry: people.flatMap(entries) }) as { entry: { response: { location: string } }[] }
    encounters.push(...answer.entry.flatMap(({ response }) => /Encounter\/([^/]+)/.exec(response.location)?.[1] ?? []))
  }
  return encounters
}

function entries({ psnNo, patient }: { psnNo: string; patient: string }) {
  const encounter = `urn:uuid:${newResourceId(null)}`
  const subject = { reference: `Patient/${patient}` }
  const post = (resource: Record<string, unknown>, fullUrl = `urn:uuid:${newResourceId(null)}`) => ({ fullUrl, resource, request: { method: 'POST', url: resource.resourceType } })
  return [
    { resource: { resourceType: 'Patient', id: patient, name: [{ text: '李明' }], gender: 'male', birthDate: '1980-01-01' }, request: { method: 'PUT', url: `Patient/${patient}` } },
    post({ resourceType: 'Coverage', status: 'active', identifier: [{ system: psnSystem('310000'), value: psnNo }], type: { coding: [{ system: schemeSystem, code: '310' }] }, beneficiary: subject, payor: [{ reference: `Organization/${organization}` }], period: { start: '2020-01-01' } }),
    post({ resourceType: 'Encounter', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, subject, serviceProvider: { reference: `Organization/${organization}` }, period: { start: new Date().toISOString() } }, encounter),
    ...prices.map(({ code }) => post({ resourceType: 'ChargeItem', status: 'billable', subject, context: { reference: encounter }, code: { coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/charge-item', code }] }, quantity: { value: 1 } })),
  ]
}
