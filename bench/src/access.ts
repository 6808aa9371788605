/**
 * `npm run bench -- access`: what the decision of access costs a request. The same reads and searches are asked of the whole application by
 * callers whom it has to judge (a treating clinician, a citizen) and by a system with every right, whose condition is `true`, in turns in the same run; the ratio is the median of
 * those of the rounds, for what disturbs a round disturbs both its halves. A clinician treats two
 * thousand patients; two entries in a hundred are sensitive, some are hidden, some patients keep others out.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Resource } from '@medplum/fhirtypes'
import { anonymous, platform, type Principal } from '../../api/src/access/principal.ts'
import { issueToken } from '../../api/src/access/tokens.ts'
import { createApp } from '../../api/src/app.ts'
import { resourceEntries } from '../../api/src/catalogue/resource-types.ts'
import { readConfig } from '../../api/src/config.ts'
import { keyOf, newResourceId } from '../../api/src/fhir/id.ts'
import { loadModel } from '../../api/src/fhir/model.ts'
import { bulkLoad } from '../../api/src/records/bulk-load.ts'
import type { Store } from '../../api/src/records/store.ts'
import { makeServices } from '../../api/src/platform-services.ts'
import { migrate } from '../../api/src/storage/migrate.ts'
import { connect, openDb } from '../../api/src/storage/pool.ts'
import { startPostgres } from '../../api/src/storage/postgres-server.ts'
import { observation, patient } from './documents.ts'
import { postgresMicrosOf } from './measure.ts'

const patients = 2_000
const entriesEach = 20
const rounds = Number(process.env.BENCH_ACCESS_ROUNDS ?? 21)
const callsPerRound = 100
const limit = 1.25

interface Data { patients: string[]; observations: string[] }
/** Address of the nth request. */
type Call = (n: number) => string
/** Asks for an address; throws unless it is answered 200. */
type Ask = (path: string) => Promise<void>

export async function benchAccess(say: (line?: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pujiang-access-'))
  chmodSync(folder, 0o755)
  const server = await startPostgres({ dir: join(folder, 'postgres'), durable: false })
  const db = openDb(server.url('postgres'), { max: 2, statementTimeoutMs: 0 })
  const store: Store = { base: 'http://127.0.0.1:8080/fhir', model: loadModel(), entries: resourceEntries }
  try {
    const postmaster = Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])
    await migrate(db, 'platform')
    const data = await fill(server.url('postgres'), store)
    const config = readConfig({ DATA_DIR: folder, LOG_LEVEL: 'silent', PUBLIC_URL: 'http://bench.invalid', RATE_PERSON: '0' })
    const services = await makeServices(config, 'bench', { db })
    const app = createApp(services)
    const askAs = async (principal: Principal): Promise<Ask> => {
      const headers = { Authorization: `Bearer ${await issueToken(services.authority, principal, services.now(), 60, newResourceId(null))}` }
      return async (path) => {
        const answer = await app.request(path, { headers })
        await answer.text()
        if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}.`)
      }
    }
    const calls: [string, Call][] = [
      ['read by id', (n) => `/fhir/Observation/${data.observations[n % 5]}`],
      ['search of a patient', () => `/fhir/Observation?patient=Patient/${data.patients[0]}&_count=20&_sort=-date`],
    ]
    const across: [string, Call] = ['search over all patients, a page of 20', () => '/fhir/Observation?date=ge2000&_count=20&_sort=-date']
    const nobody: Omit<Principal, 'kind' | 'id' | 'name'> = anonymous
    const clinician: Principal = { ...nobody, kind: 'person', id: 'd', name: 'd', role: 'clinician', practitioner: 'doctor', organization: 'hospital' }
    const citizen: Principal = { ...nobody, kind: 'person', id: 'c', name: 'c', role: 'citizen', patient: data.patients[0] as string }
    for (const [who, principal, asked] of [['clinician', clinician, [...calls, across]], ['citizen', citizen, calls]] as const) {
      for (const [what, call] of asked) {
        const { judged, free, ratio } = await compare(call, await askAs(principal), await askAs(platform), postmaster)
        say(`access: ${what}, ${who}: ${printed(judged)}, without the decision ${printed(free)}, ${ratio.toFixed(2)} times (at most ${limit})${ratio > limit ? '  OVER' : ''}`)
      }
    }
  } finally {
    await db.destroy()
    server.stop('fast')
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `ms`: the least of the rounds, for on a busy machine what disturbs only ever adds. CPU time a call is of all rounds; of PostgreSQL null where there is no /proc. */
interface Cost { ms: number; nodeMicros: number; postgresMicros: number | null }

async function compare(call: Call, judged: Ask, free: Ask, postmaster: number): Promise<{ judged: Cost; free: Cost; ratio: number }> {
  const ratios: number[] = []
  const costs: { judged: Cost; free: Cost } = { judged: none(), free: none() }
  for (let round = 0; round < rounds; round++) {
    const took = { free: 0, judged: 0 }
    for (const [side, ask] of [['free', free], ['judged', judged]] as const) {
      const cost = costs[side]
      const [began, cpu, postgres] = [performance.now(), process.cpuUsage(), postgresMicrosOf(postmaster)]
      for (let n = 0; n < callsPerRound; n++) await ask(call(n))
      took[side] = (performance.now() - began) / callsPerRound
      cost.ms = Math.min(cost.ms, took[side])
      const { user, system } = process.cpuUsage(cpu)
      const after = postgresMicrosOf(postmaster)
      cost.nodeMicros += (user + system) / callsPerRound / rounds
      cost.postgresMicros = cost.postgresMicros === null || postgres === null || after === null ? null : cost.postgresMicros + (after - postgres) / callsPerRound / rounds
    }
    ratios.push(took.judged / took.free)
  }
  return { ...costs, ratio: ratios.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0 }
}

function none(): Cost {
  return { ms: Number.POSITIVE_INFINITY, nodeMicros: 0, postgresMicros: 0 }
}

function printed({ ms, nodeMicros, postgresMicros }: Cost): string {
  return `${ms.toFixed(2)} ms (Node ${nodeMicros.toFixed(0)} µs, PostgreSQL ${postgresMicros?.toFixed(0) ?? '?'})`
}

async function fill(url: string, store: Store): Promise<Data> {
  const data: Data = { patients: [], observations: [] }
  const made = function* (): Generator<Resource> {
    for (let n = 0; n < patients; n++) {
      const id = newResourceId(null)
      data.patients.push(id)
      yield { ...patient(n), id } as unknown as Resource
      for (let each = 0; each < entriesEach; each++) {
        const own = newResourceId(null)
        data.observations.push(own)
        const sensitive = each === 7 && n % 3 === 0 ? { meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' }] } } : {}
        yield { ...observation(n * entriesEach + each, { reference: `Patient/${id}` }), ...sensitive, id: own } as unknown as Resource
      }
    }
  }
  const pool = connect(url, { max: 2, statementTimeoutMs: 0 })
  await bulkLoad(pool, store, made(), new Date())
  const pids = data.patients.map(keyOf)
  await pool`insert into care_relation (shard, pid, practitioner, organization, reason, reason_id, from_at, until_at)
    select 0, pid, ${keyOf('doctor')}::uuid, ${keyOf('hospital')}::uuid, 'appointment', gen_random_uuid(), now() - interval '1 day', now() + interval '30 days' from unnest(${pids}::uuid[]) as pid`
  await pool`insert into record_bar (shard, pid, actor, consent, from_at, until_at)
    select 0, pid, ${keyOf('somebody else')}::uuid, gen_random_uuid(), now(), now() + interval '30 days' from unnest(${pids.slice(0, 100)}::uuid[]) as pid`
  await pool`analyze`
  await pool.end({ timeout: 1 })
  return data
}
