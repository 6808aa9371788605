/**
 * `npm run bench -- find`: `Appointment/$find` over 14 days at 64 connections, with 10,000, 100,000 and 1,000,000 open places; at the most, 40
 * hospitals of 1,500 doctors with a half-day each and some with two. The questions are those of the portal, in turn. The limit beside it is a
 * bare Hono handler that sends the same answers, ready as text. Goal: p99 below 50 ms. `npm run bench -- release`: how long it takes
 * to make the half-days of 100,000 places, and from the instant of their release until somebody has seen every one of them free; goal: 10 s.
 */
import postgres from 'postgres'
import { thisTransaction } from '../../api/src/booking/booking-rows.ts'
import { addDays } from '../../api/src/fhir/date-time.ts'
import { type Db, openDb } from '../../api/src/storage/pool.ts'
import { capacity, dayAhead, grow, hospitalId, openClinics, pattern, plainNumbers, sizes, today } from './booking-city.ts'
import { cpuOf, measure, median, type Planned, warmUp, type Window } from './measure.ts'
import { residentMegabytes } from './memory.ts'
import { micros, rate, table, writePart } from './report.ts'
import { type Servers, startServers } from './servers.ts'

const rounds = 3
const windowSeconds = 5
const connections = 64
const goalMs = 50
type Say = (line?: string) => void

interface FindOutcome { places: number; sessions: number; firstAnswerMs: number; residentMegabytes: number | null; platform: Window; bare: Window }

export async function benchFind(say: Say): Promise<void> {
  await withCity(say, 'find', async ({ servers, db }) => {
    const outcomes: FindOutcome[] = []
    for (const places of sizes) {
      await grow(db, places)
      const sessions = Number((await db.selectFrom('clinic_session').select(({ fn }) => fn.countAll<bigint>().as('n')).executeTakeFirstOrThrow()).n)
      const began = performance.now()
      const texts = await Promise.all(questions().map((path) => ask(servers, path)))
      const firstAnswerMs = performance.now() - began
      await fetch(`${servers.bare.url}/answers`, { method: 'POST', body: JSON.stringify(texts) })
      const platform: Window[] = []
      const bare: Window[] = []
      for (let round = 1; round <= rounds; round++) {
        for (const [side, windows] of [['bare', bare], ['platform', platform]] as const) {
          const requests: Planned[] = questions().map((path, n) => ({ method: 'GET', path: side === 'bare' ? `/answer/${n}` : path }))
          const order = { url: servers[side].url, requests, headers: { Authorization: `Bearer ${servers.token}` }, connections, seconds: windowSeconds }
          if (round === 1) await warmUp({ ...order, seconds: 3 })
          windows.push(await measure(order, { server: servers[side].pid, postmaster: servers.postmaster }))
        }
        say(`find, ${places.toLocaleString('en')} places, ${round}/${rounds}: ${rate(platform.at(-1)?.perSecond ?? 0)} a second, p99 ${platform.at(-1)?.p99} ms`)
      }
      outcomes.push({ places, sessions, firstAnswerMs, residentMegabytes: residentMegabytes(servers.platform.pid), platform: median(platform), bare: median(bare) })
    }
    say()
    for (const line of table(['open places', 'side', 'half-days', 'first answers ms', 'memory MB', 'per second', 'p50 ms', 'p99 ms', 'Node µs', 'PostgreSQL µs', 'goal'], outcomes.flatMap(findRows))) say(line)
    return { settings: { rounds, windowSeconds, connections, goalMs }, outcomes }
  })
}

function findRows(each: FindOutcome): string[][] {
  const columns = (window: Window) => [rate(window.perSecond), String(window.p50), String(window.p99), micros(window.nodeMicros), micros(window.postgresMicros)]
  return [
    [each.places.toLocaleString('en'), 'limit', '', '', '', ...columns(each.bare), ''],
    ['', 'platform', each.sessions.toLocaleString('en'), each.firstAnswerMs.toFixed(0), each.residentMegabytes?.toFixed(0) ?? '', ...columns(each.platform), each.platform.p99 < goalMs ? 'kept' : '**missed**'],
  ]
}

interface ReleaseOutcome { places: number; generateSeconds: number; copySeconds: number; seenSeconds: number; nodeMicros: number | null; postgresMicros: number | null }

export async function benchRelease(say: Say): Promise<void> {
  await withCity(say, 'release', async ({ servers, db }) => {
    const outcomes: ReleaseOutcome[] = []
    for (const [index, places] of sizes.entries()) {
      const { day, weekday } = dayAhead(3 + index)
      const sessions = places / capacity
      const began = performance.now()
      // The day's sessions, as the worker makes them; their patterns were there before.
      await openClinics(db, Array.from({ length: sessions }, (_, n) => pattern(n, { hospital: n % 40, doctor: n, weekday, half: 'am', capacity, days: { from: day, until: day } })))
      const generateSeconds = (performance.now() - began) / 1000
      const copySeconds = await copied(servers, day)
      // Before its instant nothing of the day is offered, and the platform has it in its memory.
      const at = Date.now() + 3000 + sessions / 10
      await db.updateTable('clinic_session').set({ release_at: new Date(at).toISOString(), changed: thisTransaction }).where('service_date', '=', day).execute()
      const before = await freeOn(servers, day)
      if (before !== 0) throw new Error(`${before} places were offered before their release.`)
      await new Promise((due) => setTimeout(due, at - Date.now()))
      const cpu = cpuOf({ server: servers.platform.pid, postmaster: servers.postmaster })
      const free = await freeOn(servers, day)
      const seenSeconds = (Date.now() - at) / 1000
      const after = cpuOf({ server: servers.platform.pid, postmaster: servers.postmaster })
      if (free !== places) throw new Error(`${free} of ${places} places were seen after their release.`)
      const micro = (kind: 'server' | 'postgres') => (cpu && after ? after[kind] - cpu[kind] : null)
      outcomes.push({ places, generateSeconds, copySeconds, seenSeconds, nodeMicros: micro('server'), postgresMicros: micro('postgres') })
      say(`release, ${places.toLocaleString('en')} places: half-days made in ${generateSeconds.toFixed(1)} s (the rows copied by one statement: ${copySeconds.toFixed(1)} s), all seen free ${seenSeconds.toFixed(1)} s after the instant`)
    }
    say()
    const ms = (value: number | null) => (value === null ? '' : (value / 1000).toFixed(0))
    for (const line of table(['places', 'half-days', 'made s', 'rows alone s', 'seen after s', 'Node ms', 'PostgreSQL ms', 'goal of 100,000'], outcomes.map((each) => [
      each.places.toLocaleString('en'), (each.places / capacity).toLocaleString('en'), each.generateSeconds.toFixed(1), each.copySeconds.toFixed(1), each.seenSeconds.toFixed(1),
      ms(each.nodeMicros), ms(each.postgresMicros), each.places !== 100_000 ? '' : each.generateSeconds + each.seenSeconds < 10 ? 'kept' : '**missed**',
    ]))) say(line)
    return { settings: { capacity }, outcomes }
  })
}

/** Every place that a citizen is offered on a day, page by page. */
async function freeOn(servers: Servers, day: string): Promise<number> {
  let free = 0
  let page = ''
  do {
    const { parameter = [] } = JSON.parse(await ask(servers, `/fhir/Appointment/$find?start=${day}&end=${day}&_count=200${page}`)) as { parameter?: { name: string; valueString?: string; part?: { name: string; valueInteger?: number }[] }[] }
    for (const { part = [] } of parameter) free += part.find(({ name }) => name === 'free')?.valueInteger ?? 0
    const next = parameter.find(({ name }) => name === 'next')?.valueString
    page = next === undefined ? '' : `&_page=${encodeURIComponent(next)}`
  } while (page !== '')
  return free
}

async function ask(servers: Servers, path: string): Promise<string> {
  const answer = await fetch(`${servers.platform.url}${path}`, { headers: { Authorization: `Bearer ${servers.token}` } })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 300)}`)
  return text
}

/** What people ask: the first page of everything, a department, a day, a hospital, a doctor by name and by initials, nearby, a complaint, what is cheap. */
function questions(): string[] {
  const day = (days: number) => addDays(today(), days)
  const queries = [
    '', 'specialty=03.04', 'specialty=10&service-type=expert', `specialty=08&start=${day(3)}&end=${day(3)}`, `start=${day(5)}&end=${day(7)}`, `organization=${hospitalId(7)}`,
    `organization=${hospitalId(21)}&specialty=07`, 'doctor=陈志远', 'doctor=wanglihua', 'doctor=zjg', 'near=31.2|121.4|8&specialty=12', 'complaint=咳嗽', 'fee-max=20', `specialty=14&insured=true&start=${day(2)}`,
    'district=310115&specialty=03.01', 'practitioner=019300d1-0000-7000-8000-000000000200',
  ]
  return queries.map((query) => `/fhir/Appointment/$find?${query.replaceAll('|', '%7C').replace(/[^\x20-\x7e]+/g, encodeURIComponent)}`)
}

/** The very rows of a day once more, by one statement: what making them costs at least. */
async function copied(servers: Servers, day: string): Promise<number> {
  const sql = postgres(servers.databaseUrl, { max: 1, onnotice: () => {} })
  await sql.unsafe('drop table if exists bare_session; create table bare_session (like clinic_session including defaults including indexes)')
  const began = performance.now()
  await sql`insert into bare_session select * from clinic_session where service_date = ${day}`
  const seconds = (performance.now() - began) / 1000
  await sql.end()
  return seconds
}

async function withCity(say: Say, name: string, run: (city: { servers: Servers; db: Db }) => Promise<object>): Promise<void> {
  say(`${name}: starting a database, the platform and the bare server …`)
  const servers = await startServers({ bare: 'bench/src/bare-book.ts' })
  const db = openDb(servers.databaseUrl, { max: 2, statementTimeoutMs: 0 })
  try {
    await plainNumbers(db)
    const found = await run({ servers, db })
    say(`\nWritten to ${writePart(name, found, servers.postgresVersion)}\n`)
  } finally {
    await db.destroy()
    await servers.stop()
  }
}
