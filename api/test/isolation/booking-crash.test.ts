/**
 * A rush of holds, bookings, cancellations and check-ins through HTTP while the platform's process, a backend of the database and the
 * whole database server are killed (SIGKILL) at random moments. Whoever got no answer asks again with the same key, as a browser does. Afterwards
 * every answer that anybody got is there, asking again gives it once more, no place is taken twice, counters are the rows, no hold is without end.
 * `BOOKING_CRASH_SECONDS=600 npx vitest run api/test/isolation/booking-crash` goes on for that long.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Appointment, Bundle } from '@medplum/fhirtypes'
import { expect, test } from 'vitest'
import type { Principal } from '../../src/access/principal.ts'
import { issueToken } from '../../src/access/tokens.ts'
import { expireHolds } from '../../src/booking/expire-holds.ts'
import { readConfig } from '../../src/config.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { tokenAuthority } from '../../src/platform-services.ts'
import { openDb } from '../../src/storage/pool.ts'
import { clinicTemplate } from '../support/booking-data.ts'
import { brokenInvariants, openDesk } from '../support/booking-desk.ts'
import { killablePostgres } from '../support/killable-postgres.ts'
import { testProcess } from '../support/process.ts'

const seconds = Number(process.env.BOOKING_CRASH_SECONDS ?? 0)
/** A little before the clinics of that Tuesday begin, so that checking in is open and cancelling is late but allowed. */
const opening = new Date('2026-11-24T07:30:00+08:00')
const offsetMinutes = Math.round((opening.getTime() - Date.now()) / 60_000)
const now = () => new Date(Date.now() + offsetMinutes * 60_000)

const database = await killablePostgres()
const environment = { DATABASE_URL: database.url, SEED: 'none', LOG_LEVEL: 'silent', PUBLIC_URL: 'http://crash.invalid', RATE_PERSON: '0', CLOCK_OFFSET_MINUTES: String(offsetMinutes) }
const platform = await testProcess('main.ts', '/health/ready', { ...environment, POOL_CONNECTIONS_MAX: '6' })

interface Command { path: string; body: unknown; key: string; token: string }
interface Reply { status: number; json: Appointment & { issue?: { details?: { coding?: { code?: string }[] } }[] } }
/** An answer somebody got. */
interface Confirmed { command: Command; reply: Reply }

/** Null when nobody answered, or only that something is broken: nothing is known then. */
async function send({ path, body, key, token }: Command): Promise<Reply | null> {
  try {
    const answer = await fetch(`${platform.address}/fhir/${path}`, {
      method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json', 'Idempotency-Key': key }, body: JSON.stringify(body), signal: AbortSignal.timeout(10_000),
    })
    const json = await answer.json() as Reply['json']
    return answer.status >= 500 || answer.status === 429 ? null : { status: answer.status, json }
  } catch {
    return null
  }
}

/** Asks until somebody answers. */
async function insist(command: Command): Promise<Reply> {
  for (;;) {
    const reply = await send(command)
    if (reply) return reply
    await sleep(40)
  }
}

const parameters = (given: Record<string, string>) => ({ resourceType: 'Parameters', parameter: Object.entries(given).map(([name, reference]) => ({ name, valueReference: { reference } })) })

/** One person's turns: take a place or keep one, then confirm it, give it back, come, or leave it. */
async function person(principal: Principal, token: string, sessions: readonly string[], isOver: () => boolean, confirmed: Confirmed[], random: (of: number) => number): Promise<void> {
  const patient = `Patient/${principal.patient}`
  const act = async (path: string, given: Record<string, string>): Promise<Reply> => {
    const command = { path, body: parameters(given), key: newResourceId(null), token }
    const reply = await insist(command)
    if (reply.status < 300) confirmed.push({ command, reply })
    return reply
  }
  while (!isOver()) {
    const taken = await act(`Appointment/$${random(2) === 0 ? 'hold' : 'book'}`, { slot: `Slot/${sessions[random(sessions.length)]}-1`, patient })
    const id = taken.json.id
    if (taken.status >= 300) {
      await sleep(20)
      continue
    }
    if (taken.json.status === 'pending') {
      if (random(4) === 0) await act(`Appointment/${id}/$release`, {})
      else if (random(4) > 0) await act('Appointment/$book', { appointment: `Appointment/${id}` })
      continue
    }
    const next = random(6)
    if (next < 2) await Promise.all([act(`Appointment/${id}/$cancel`, {}), act(`Appointment/${id}/$check-in`, {})])
    else if (next === 2) await act(`Appointment/${id}/$cancel`, {})
  }
}

test('whatever is killed in the middle of a rush: what was confirmed is there, and no place is taken twice', async () => {
  const setup = openDb(database.url, { max: 4 })
  const desk = openDesk(setup)
  desk.clock.now = now()
  const sessions = await desk.sessions(...Array.from({ length: 6 }, (_, n) => clinicTemplate({
    weekday: 2, capacity: 8, segment_minutes: 240, department: ['03.04', '10', '07', '11', '12', '13'][n] as string, practitioner: `crash-${n}`,
  })))
  const tuesday = (await setup.selectFrom('clinic_session').select('id').where('service_date', '=', '2026-11-24').execute()).map(({ id }) => id).filter((id) => sessions.includes(id))
  await setup.insertInto('booking_parameter').values((['cancel.maxPerDay', 'limit.openFuture'] as const).map((name) => ({ scope: 'city' as const, scope_id: '310000', name, value: 20, from_at: '2020-01-01T00:00:00Z', until_at: null, set_by: 'test' }))).execute()
  const people = await desk.citizens(24)
  const authority = await tokenAuthority(readConfig(environment), setup, now())
  const tokens = await Promise.all(people.map((each) => issueToken(authority, each, now(), 24 * 60, newResourceId(null))))
  await setup.destroy()
  await platform.start()

  let seed = Date.now() % 2147483648
  const random = (of: number) => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed % of }
  const confirmed: Confirmed[] = []
  let over = false
  const rush = Promise.all(people.map((each, n) => person(each, tokens[n] as string, tuesday, () => over, confirmed, random)))
  const until = Date.now() + seconds * 1000
  const kills = { platform: 0, backend: 0, database: 0 }
  do {
    await sleep(200 + random(500))
    await platform.kill()
    kills.platform++
    await platform.start()
    await sleep(200 + random(500))
    if (await database.killBackend()) kills.backend++
    await sleep(600 + random(500))
    database.kill()
    kills.database++
    await sleep(random(100))
    await database.start()
    await sleep(200 + random(500))
  } while (Date.now() < until)
  over = true
  await rush
  expect(kills.platform).toBeGreaterThan(0)
  expect(kills.database).toBeGreaterThan(0)
  expect(confirmed.length).toBeGreaterThan(30)

  // Every answer that said yes is a version that is there, and asking again with its key says the same.
  const histories = new Map<string, Appointment[]>()
  for (const { command, reply } of confirmed) {
    const { id, status, meta } = reply.json
    let versions = histories.get(id as string)
    if (!versions) {
      const answer = await fetch(`${platform.address}/fhir/Appointment/${id}/_history?_count=100`, { headers: { Authorization: `Bearer ${command.token}` } })
      histories.set(id as string, versions = (((await answer.json()) as Bundle<Appointment>).entry ?? []).flatMap(({ resource }) => (resource ? [resource] : [])))
    }
    expect(versions.find((each) => each.meta?.versionId === meta?.versionId)?.status).toBe(status)
    const again = await insist(command)
    expect([again.status, again.json]).toEqual([reply.status, reply.json])
  }
  await platform.kill()

  const db = openDb(database.url, { max: 4 })
  try {
    const after = openDesk(db)
    expect(await brokenInvariants(db)).toEqual([])
    // No hold is without end: when its time is over it goes, and the books are right again.
    after.clock.now = new Date(now().getTime() + 3_600_000)
    while (await expireHolds(db, after.ctx(), after.store) > 0);
    expect(await db.selectFrom('booking').select('id').where('state', '=', 'held').execute()).toEqual([])
    expect(await brokenInvariants(db)).toEqual([])
    const rows = await db.selectFrom('booking').select(['session_id', 'no']).where('state', '<>', 'cancelled').execute()
    expect(new Set(rows.map((each) => `${each.session_id} ${each.no}`)).size).toBe(rows.length)
  } finally {
    await db.destroy()
  }
}, 60_000 + seconds * 2000)
