/**
 * An insurance centre in the test's process: the real app on a database of its own, behind a real port, with faults of the
 * network that a test switches on for claims (tokens always work).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { sql } from 'kysely'
import { afterAll } from 'vitest'
import { makeClientAssertion, assertionType } from '../../src/access/client-credentials.ts'
import { loadSigningKeys, type TokenTables } from '../../src/access/signing-keys.ts'
import { newSigningKey, type SigningKey } from '../../src/crypto.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { createInsurerApp } from '../../src/http/insurer-app.ts'
import { centreOf, peerClientId } from '../../src/insurer/centre.ts'
import { type Enrolment, insertEnrolments } from '../../src/insurer/enrolment.ts'
import type { PeerCentre } from '../../src/insurer/peer.ts'
import { peerCentre } from '../../src/peer-centre.ts'
import { makeLogger } from '../../src/log.ts'
import { httpGateway, type SettlementGateway } from '../../src/settlement/gateway.ts'
import type { InsurerDb } from '../../src/storage/pool.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { testInsurerDatabase } from './database.ts'

/**
 * `none`; `late`: settles, answers after the caller gave up; `lost`: settles, the connection breaks; `dropped`: never arrives,
 * the connection breaks; `garbled`: settles, answers rubbish; `altered`: settles, answers with one amount changed.
 */
export type Fault = 'none' | 'late' | 'lost' | 'dropped' | 'garbled' | 'altered'

export interface TestCentre {
  db: InsurerDb
  databaseUrl: string
  url: string
  region: string
  key: SigningKey
  peers: Map<string, PeerCentre>
  clock: { now: Date }
  /** Of the next requests to $submit and $reverse, or to the searches too when `everything`. */
  fault: { submit: Fault; ask: Fault }
  /** Requests to $submit that reached the centre. */
  submitted: number
  gateway: SettlementGateway
  /** A gateway that reaches the centre through another address, such as a proxy. */
  gatewayThrough(url: string, timeoutMs: number): SettlementGateway
  /** A gateway to a port where nobody listens. */
  nowhere: SettlementGateway
  /** Takes everything away again, also what the ledger lets nobody take away. */
  empty(): Promise<void>
  enrol(...people: (Partial<Enrolment> & { psnNo: string })[]): Promise<void>
  token(scope?: string): Promise<string>
  request(method: string, path: string, body?: unknown, token?: string): Promise<{ status: number; json: unknown }>
}

/** How long a caller waits for an answer that is `late` on purpose; for any other a busy machine gets all the time it needs. */
const timeoutMs = 400
const patientMs = 10_000
const patience = (fault: () => Fault) => ({ get timeoutMs() { return fault() === 'late' ? timeoutMs : patientMs } })

/** Call at the top level of a test file. */
export async function testCentre(region = '310000', given: { clock?: { now: Date } } = {}): Promise<TestCentre> {
  const { db, url: databaseUrl } = await testInsurerDatabase()
  const peers = new Map<string, PeerCentre>()
  const clock = given.clock ?? { now: new Date('2026-11-23T07:30:00+08:00') }
  const key = await newSigningKey()
  const scopes = 'system/*.cruds'
  await db.insertInto('client').values([
    { id: 'platform', display_name: 'Platform', jwks: { keys: [key.publicJwk] }, scopes, organization: null },
    { id: 'other', display_name: 'Other', jwks: { keys: [key.publicJwk] }, scopes, organization: null },
    { id: 'reader', display_name: 'Reader', jwks: { keys: [key.publicJwk] }, scopes: 'system/Coverage.rs', organization: null },
  ]).execute()

  let answer: (request: Request, cut: () => void) => Response | Promise<Response> = () => new Response(null, { status: 503 })
  const { server, port } = await new Promise<{ server: ReturnType<typeof serve>; port: number }>((listens) => {
    const made = serve({ fetch: (request, { incoming }) => answer(request, () => { incoming.socket?.destroy() }), port: 0, hostname: '127.0.0.1' }, (address) => listens({ server: made, port: address.port }))
  })
  afterAll(() => { server.close(); if ('closeAllConnections' in server) server.closeAllConnections() })
  const url = `http://127.0.0.1:${port}`
  const authority = { issuer: url, audience: `${url}/fhir`, keys: await loadSigningKeys(db.$pickTables<keyof TokenTables>(), clock.now) }
  const app = createInsurerApp({ db, centre: centreOf(region, peers), authority, log: makeLogger('test', 'silent'), now: () => clock.now })
  const centre: TestCentre = {
    db, databaseUrl, url, region, key, peers, clock, fault: { submit: 'none', ask: 'none' }, submitted: 0,
    gateway: gatewayTo(url, key, clock, () => centre.fault.submit),
    gatewayThrough: (through, waitMs) => httpGateway({ baseUrl: through, tokenUrl: `${url}/oidc/token`, clientId: 'platform', key, timeoutMs: waitMs, now: () => clock.now, newId: () => newResourceId(null) }),
    nowhere: gatewayTo('http://127.0.0.1:9', key, clock, () => 'none'),
    async empty() {
      await inTransaction(db, async (trx) => {
        await sql`set local session_replication_role = replica`.execute(trx)
        await sql`truncate account_turn, fund_entry, visit, visit_batch, visit_detail, claim, accumulator, enrolment, filing, catalogue_item, forward, statement, statement_line, difference, clearing, insured_person`.execute(trx)
      })
    },
    async enrol(...people) {
      await inTransaction(db, (trx) => insertEnrolments(trx, people.map((person) => ({
        region, residentId: '999901198001010011', name: '测试', sex: 'male' as const, birthDate: '1985-01-01', scheme: 310 as const, personType: 11,
        from: '2020-01-01', until: null, retiredOn: null, aid: false, accountCurrentFen: 0n, accountPriorFen: 0n, ...person,
      }))))
    },
    async token(scope = '') {
      const [client = 'platform', asked = ''] = scope.includes('@') ? scope.split('@') : ['platform', scope]
      return tokenFor(app, url, client, key, clock.now, asked)
    },
    async request(method, path, body, token) {
      const reply = await app.request(path, {
        method, headers: { Authorization: `Bearer ${token ?? await centre.token()}`, ...(body === undefined ? {} : { 'Content-Type': 'application/fhir+json' }) },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      return { status: reply.status, json: await reply.json() }
    },
  }
  answer = async (request, cut) => {
    const { pathname } = new URL(request.url)
    const changes = /\/(\$|%24)(submit|reverse)$/.test(pathname)
    const fault = changes ? centre.fault.submit : pathname.startsWith('/fhir') ? centre.fault.ask : 'none'
    if (changes && fault !== 'dropped') centre.submitted++
    if (fault === 'dropped') { cut(); return new Response() }
    const response = await app.fetch(request)
    if (fault === 'lost') cut()
    return withFault(fault, response)
  }
  return centre
}

async function withFault(fault: Fault, response: Response): Promise<Response> {
  switch (fault) {
    case 'late': await sleep(timeoutMs * 2); return response
    case 'garbled': return new Response('{"resourceType":"ClaimRes', { headers: { 'Content-Type': 'application/fhir+json' } })
    case 'altered': {
      const text = await response.text()
      return new Response(text.replace(/("code":"cash"[^}]*\}\]\},"amount":\{"value":)([\d.]+)/, (_all, head: string, value: string) => `${head}${(Number(value) + 0.01).toFixed(2)}`), { headers: { 'Content-Type': 'application/fhir+json' } })
    }
    default: return response
  }
}

function gatewayTo(url: string, key: SigningKey, clock: { now: Date }, fault: () => Fault): SettlementGateway {
  return httpGateway(Object.assign(patience(fault), { baseUrl: url, clientId: 'platform', key, now: () => clock.now, newId: () => newResourceId(null) }))
}

async function tokenFor(app: ReturnType<typeof createInsurerApp>, url: string, client: string, key: SigningKey, now: Date, scope: string): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials', client_assertion_type: assertionType, ...(scope ? { scope } : {}),
    client_assertion: await makeClientAssertion(client, key, `${url}/oidc/token`, now, newResourceId(null)),
  })
  const reply = await app.request('/oidc/token', { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: form.toString() })
  return ((await reply.json()) as { access_token: string }).access_token
}

/** Lets two centres know each other, as `start` does: each a client of the other. */
export async function introduce(one: TestCentre, other: TestCentre): Promise<void> {
  for (const [from, to] of [[one, other], [other, one]] as const) {
    const clientId = peerClientId(from.region)
    await to.db.insertInto('client').values({ id: clientId, display_name: clientId, jwks: { keys: [from.key.publicJwk] }, scopes: 'system/*.cruds', organization: null }).execute()
    from.peers.set(to.region, peerCentre(Object.assign(patience(() => to.fault.submit), { baseUrl: to.url, clientId, key: from.key, now: () => from.clock.now, newId: () => newResourceId(null) })))
  }
}
