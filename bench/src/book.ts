/**
 * `npm run bench -- book`: a rush of people over HTTP, each with a token of their own: 2,000 for the 100 places of one session, 500 for 500
 * places of one session, and 5,000 for the 5,000 places of 500 sessions. Beside each its limit: the same rows written by one statement of
 * bare postgres.js in a bare Hono handler. Rounds alternate, the median counts. How it grows: the 500 sessions again, on the platform alone, with 10,000, 100,000
 * and 1,000,000 open places beside them.
 */
import { type Db, openDb } from '../../api/src/storage/pool.ts'
import { citizens, dayAhead, grow, openClinics, pattern, type Person, plainNumbers, sizes } from './booking-city.ts'
import { micros, rate, table, writePart } from './report.ts'
import { rush, type Rush } from './rush.ts'
import { type Server, type Servers, startServers } from './servers.ts'

const rounds = 3
const connections = 256
const shapes = [
  { name: 'hot', what: '2,000 people, 100 places of one session', sessions: 1, capacity: 100, people: 2000 },
  { name: 'hot, all get one', what: '500 people, 500 places of one session', sessions: 1, capacity: 500, people: 500 },
  { name: 'spread', what: '5,000 people, 500 sessions of 10 places', sessions: 500, capacity: 10, people: 5000 },
] as const
type Shape = (typeof shapes)[number]
interface Outcome { name: string; what: string; platform: Rush; bare: Rush; ratio: number; cpuRatio: number | null }

export async function benchBook(say: (line?: string) => void): Promise<void> {
  say('book: starting a database, the platform and the bare server …')
  const servers = await startServers({ bare: 'bench/src/bare-book.ts', platform: { RATE_PERSON: '0' } })
  const db = openDb(servers.databaseUrl, { max: 2, statementTimeoutMs: 0 })
  try {
    await plainNumbers(db)
    const people = await citizens(servers, db, 5000)
    await warm(servers, people)
    // Every round has sessions of its own, on a day and in a department of its own.
    const clinics = new Map<string, string[]>()
    const open = async (shape: Shape, round: number) => {
      const index = round * shapes.length + shapes.indexOf(shape)
      const { weekday, day } = dayAhead(2 + index)
      const found = await openClinics(db, Array.from({ length: shape.sessions }, (_, n) => pattern(n, {
        hospital: n % 40, doctor: index * 1000 + n, weekday, half: 'am', capacity: shape.capacity, segmentMinutes: 240, days: { from: day, until: day },
      })))
      clinics.set(`${shape.name} ${round}`, found)
    }
    for (let round = 0; round <= rounds; round++) for (const shape of shapes) await open(shape, round)
    const sample = await bookOne(servers, people.at(-1) as Person, clinics.get('spread 0')?.[499] as string)
    say(`A booking leaves ${await (await fetch(`${servers.bare.url}/sample`, { method: 'POST', body: JSON.stringify({ appointment: sample }) })).text()}`)
    await db.executeQuery({ sql: 'vacuum analyze', parameters: [], query: { kind: 'RawNode' } } as never)
    const outcomes: Outcome[] = []
    for (const shape of shapes) {
      const found: Record<'bare' | 'platform', Rush[]> = { bare: [], platform: [] }
      // Round 0 warms up.
      for (let round = 0; round <= rounds; round++) {
        for (const side of ['bare', 'platform'] as const) {
          const result = await rush(orderOf(servers[side], side, shape, people, clinics.get(`${shape.name} ${round}`) ?? [], round), { server: servers[side].pid, postmaster: servers.postmaster })
          if (round === 0) continue
          assertServed(shape, side, result)
          found[side].push(result)
          say(`${shape.name} ${round}/${rounds} ${side.padEnd(8)} ${rate(result.answersPerSecond)} answers a second, ${rate(result.donePerSecond)} bookings a second`)
        }
      }
      const [platform, bare] = [middle(found.platform), middle(found.bare)]
      outcomes.push({ name: shape.name, what: shape.what, platform, bare, ratio: platform.answersPerSecond / bare.answersPerSecond, cpuRatio: cpuRatio(platform, bare) })
    }
    const grown = await benchGrown(say, servers, db)
    say()
    for (const line of table(heads, outcomes.flatMap(rowsOf))) say(line)
    say()
    for (const line of table(['5,000 people, 500 sessions; open places beside them', ...heads.slice(2, 10)], grown.map(({ places, platform }) => [places.toLocaleString('en'), ...columnsOf(platform)]))) say(line)
    say(`\nWritten to ${writePart('book', { settings: { rounds, connections, durable: true }, outcomes, grown }, servers.postgresVersion)}\n`)
  } finally {
    await db.destroy()
    await servers.stop()
  }
}

/** Other people than before, who have no places yet. Their sessions are in the afternoon, a day for each round. */
async function benchGrown(say: (line?: string) => void, servers: Servers, db: Db): Promise<{ places: number; platform: Rush }[]> {
  const shape = shapes[2]
  const people = await citizens(servers, db, shape.people)
  await warm(servers, people)
  const grown: { places: number; platform: Rush }[] = []
  for (const [index, places] of sizes.entries()) {
    await grow(db, places)
    const found: Rush[] = []
    for (let round = 1; round <= rounds; round++) {
      const { weekday, day } = dayAhead(1 + index * rounds + round)
      const sessions = await openClinics(db, Array.from({ length: shape.sessions }, (_, n) => pattern(n, {
        hospital: n % 40, doctor: 100_000 + (index * rounds + round) * 1000 + n, weekday, half: 'pm', capacity: shape.capacity, segmentMinutes: 240, days: { from: day, until: day },
      })))
      if (round === 1) await db.executeQuery({ sql: 'vacuum analyze', parameters: [], query: { kind: 'RawNode' } } as never)
      const result = await rush(orderOf(servers.platform, 'platform', shape, people, sessions, 100 + index * rounds + round), { server: servers.platform.pid, postmaster: servers.postmaster })
      assertServed(shape, 'platform', result)
      found.push(result)
      say(`${places.toLocaleString('en')} open places ${round}/${rounds}: ${rate(result.donePerSecond)} bookings a second`)
    }
    grown.push({ places, platform: middle(found) })
  }
  return grown
}

/** Nobody is lost and no place is given twice, or the figures say nothing. */
function assertServed(shape: Shape, side: string, result: Rush): void {
  const places = Math.min(shape.people, shape.sessions * shape.capacity)
  if (result.done !== places || result.done + (result.statuses['409'] ?? 0) !== shape.people) {
    throw new Error(`${shape.name}, ${side}: ${JSON.stringify(result.statuses)}, ${places} places.`)
  }
}

function bodyOf(session: string, place: number, patient: string): string {
  return JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'slot', valueReference: { reference: `Slot/${session}-${place}` } }, { name: 'patient', valueReference: { reference: `Patient/${patient}` } }] })
}

function orderOf(server: Server, side: 'bare' | 'platform', shape: Shape, people: readonly Person[], sessions: readonly string[], round: number) {
  const path = side === 'bare' ? '/book' : '/fhir/Appointment/$book'
  return {
    url: server.url, connections,
    requests: people.slice(0, shape.people).map(({ patient, token }, n) => ({
      method: 'POST' as const, path, token, body: bodyOf(sessions[n % sessions.length] as string, 1 + (n % shape.capacity), patient), key: `${shape.name}-${round}-${n}`,
    })),
  }
}

/** Each was looking at clinics before: the platform knows their token. */
async function warm(servers: Servers, people: readonly Person[]): Promise<void> {
  const requests = people.map(({ token }) => ({ method: 'GET' as const, path: '/fhir/Appointment/$find?_count=1', token, body: null, key: null }))
  await rush({ url: servers.platform.url, connections: 64, requests }, { server: servers.platform.pid, postmaster: servers.postmaster })
}

async function bookOne(servers: Servers, { patient, token }: Person, session: string): Promise<string> {
  const answer = await fetch(`${servers.platform.url}/fhir/Appointment/$book`, {
    method: 'POST', body: bodyOf(session, 1, patient), headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json', 'Idempotency-Key': 'sample' },
  })
  const json = await answer.json() as { id: string }
  if (!answer.ok) throw new Error(`The sample was not booked: ${JSON.stringify(json)}`)
  return json.id
}

function middle(rounded: readonly Rush[]): Rush {
  return [...rounded].sort((a, b) => a.answersPerSecond - b.answersPerSecond)[Math.floor(rounded.length / 2)] as Rush
}

function cpuRatio(platform: Rush, bare: Rush): number | null {
  const of = ({ nodeMicros, postgresMicros }: Rush) => (nodeMicros === null || postgresMicros === null ? null : nodeMicros + postgresMicros)
  const [own, limit] = [of(platform), of(bare)]
  return own === null || limit === null ? null : limit / own
}

const heads = ['rush', 'side', 'answers a second', 'bookings a second', 'booked p50 ms', 'booked p99 ms', 'all p99 ms', 'last place ms', 'Node µs', 'PostgreSQL µs', 'of the limit', 'by CPU time']

function columnsOf(each: Rush): string[] {
  return [rate(each.answersPerSecond), rate(each.donePerSecond), each.p50.toFixed(0), each.p99.toFixed(0), each.p99All.toFixed(0), each.lastDoneMs.toFixed(0), micros(each.nodeMicros), micros(each.postgresMicros)]
}

function rowsOf({ what, platform, bare, ratio, cpuRatio: byCpu }: Outcome): string[][] {
  return [[what, 'limit', ...columnsOf(bare), '', ''], ['', 'platform', ...columnsOf(platform), `${(ratio * 100).toFixed(0)} %`, byCpu === null ? '' : `${(byCpu * 100).toFixed(0)} %`]]
}
