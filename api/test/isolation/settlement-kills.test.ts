import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { platform as platformPrincipal } from '../../src/access/principal.ts'
import { makeCtx } from '../../src/ctx.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { insertEnrolments } from '../../src/insurer/enrolment.ts'
import { httpGateway } from '../../src/settlement/gateway.ts'
import { resolveAttempts } from '../../src/settlement/resolve-attempts.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { centreProcess } from '../support/centre-process.ts'
import { testInsurerDatabase } from '../support/database.ts'
import { system, testPlatform } from '../support/platform.ts'
import { testProcess } from '../support/process.ts'
import { insuredVisits, testHospital } from '../support/visit.ts'

/** Kills of each process; SETTLEMENT_KILLS=50 takes minutes. */
const kills = Number(process.env.SETTLEMENT_KILLS ?? 1)
const visitsPerKill = 15
const priorFen = 50_000n

const books = await testInsurerDatabase()
const centre = await centreProcess(books.url)
const environment: Record<string, string> = { INSURER_URL: centre.address, INSURER_TIMEOUT_MS: '2000' }
const server = await testProcess('main.ts', '/health/ready', environment)
const platform = await testPlatform({ publicUrl: server.address, now: new Date() })
environment.DATABASE_URL = platform.url
const key = platform.services.authority.keys[0]
if (!key) throw new Error('There is no signing key.')
await books.db.insertInto('client').values({ id: 'platform', display_name: 'Platform', jwks: { keys: [key.publicJwk] }, scopes: 'system/*.cruds', organization: null }).execute()
const gateway = httpGateway({ baseUrl: centre.address, clientId: 'platform', key, timeoutMs: 5000, now: () => new Date(), newId: () => newResourceId(null) })

test('either process is killed at any moment: every bill is settled once, the books are equal, money is conserved', async () => {
  const hospital = await testHospital(platform)
  const people = Array.from({ length: kills * 2 * visitsPerKill }, (_, n) => `K${n}`)
  const visits = await insuredVisits(platform, hospital, people, (all) => inTransaction(books.db, (trx) => insertEnrolments(trx, all.map((psnNo) => ({
    psnNo, region: '310000', residentId: '999901198001010011', name: '测试', sex: 'male' as const, birthDate: '1985-01-01', scheme: 310 as const, personType: 11,
    from: '2020-01-01', until: null, retiredOn: null, aid: false, accountCurrentFen: 0n, accountPriorFen: priorFen,
  })))))
  const token = await platform.token(system)
  const settle = (encounter: string) => fetch(`${server.address}/fhir/Claim/$submit`, {
    method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json' },
    body: JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'encounter', valueReference: { reference: `Encounter/${encounter}` } }, { name: 'use', valueCode: 'claim' }] }),
  }).then((reply) => reply.status, () => 0)

  await Promise.all([centre.start(), server.start()])
  const queue = [...visits]
  const answers: Record<string, number> = {}
  for (let kill = 0; kill < kills * 2; kill++) {
    const victim = kill % 2 === 0 ? server : centre
    const batch = queue.splice(0, visitsPerKill)
    const cashiers = Array.from({ length: 4 }, async () => {
      for (let visit = batch.shift(); visit; visit = batch.shift()) {
        const status = await settle(visit.encounter)
        answers[status] = (answers[status] ?? 0) + 1
      }
    })
    // In the midst of the batch, at another moment each time.
    const before = Object.values(answers).reduce((sum, each) => sum + each, 0)
    for (let waits = 0; waits < 1000 && Object.values(answers).reduce((sum, each) => sum + each, 0) < before + 3; waits++) await sleep(5)
    await sleep((kill * 13) % 30)
    await victim.kill()
    await Promise.all(cashiers)
    await victim.start()
  }

  // The job of the worker, at the hours to come.
  const undecided = async () => Number((await platform.db.selectFrom('settlement_attempt').select((eb) => eb.fn.countAll<bigint>().as('n')).where('state', 'in', ['prepared', 'sent', 'unknown']).executeTakeFirstOrThrow()).n)
  const left = await undecided()
  for (let round = 1; await undecided() > 0; round++) {
    expect(round).toBeLessThan(30)
    const ctx = makeCtx(platformPrincipal, { now: new Date(Date.now() + round * 61_000) })
    await resolveAttempts({ db: platform.db, store: platform.services.store, gateway }, ctx)
  }
  for (const { encounter_id } of await platform.db.selectFrom('bill').select('encounter_id').where('state', '<>', 'settled').execute()) await settle(encounter_id)
  process.stdout.write(`kill -9, ${kills} times each: ${visits.length} settlements, answers ${JSON.stringify(answers)} (0: no answer), ${left} attempts left undecided and resolved\n`)

  expect((await platform.db.selectFrom('bill').select('state').distinct().execute()).map(({ state }) => state)).toEqual(['settled'])
  const fens = sql<bigint>`sum(amount_fen)::int8`
  const ours = await platform.db.selectFrom('ledger_entry').select(['message_id', fens.as('fen')]).where('debit_account', '<>', 'cash').groupBy('message_id').orderBy('message_id').execute()
  const theirs = await books.db.selectFrom('fund_entry').select(['message_id', fens.as('fen')]).groupBy('message_id').orderBy('message_id').execute()
  expect(ours).toEqual(theirs)
  const charged = await sql<{ psn_no: string; n: number; whole: bigint }>`select p.psn_no, count(c.message_id)::int as n, (p.account_prior_fen + coalesce(sum(c.account_prior_fen), 0))::int8 as whole
    from insured_person p left join claim c on c.psn_no = p.psn_no and c.state = 'settled' group by p.psn_no`.execute(books.db)
  expect(charged.rows.filter(({ n, whole }) => n !== 1 || whole !== priorFen)).toEqual([])
}, 300_000)
