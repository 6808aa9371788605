/**
 * Makes the demo city or lets it grow. Order: directory and clinics, then citizens in chunks; the fact row is written before and
 * after each step, so a killed run leaves at most one step behind, which the next run removes and makes again. Same seed and
 * start date, same city, whether it was made at once or grew.
 */
import type { Resource } from '@medplum/fhirtypes'
import { loadModel, type FhirModel } from '@pujiang/api/fhir/model.ts'
import { generateSessions } from '@pujiang/api/booking/generate-sessions.ts'
import { bulkLoad } from '@pujiang/api/records/bulk-load.ts'
import { noteEmptyStore } from '@pujiang/api/records/reindex.ts'
import { connect, type Db, openDb } from '@pujiang/api/storage/pool.ts'
import { inTransaction } from '@pujiang/api/storage/transaction.ts'
import { sql } from 'kysely'
import type { Sql } from 'postgres'
import { dayOf, dayText, shanghaiDay } from './calendar.ts'
import { type City, directoryResources, planCity } from './directory/city.ts'
import type { Made } from './fhir-elements.ts'
import { type Life, lifeOf } from './history/life.ts'
import { createDemoAccounts } from './load/accounts.ts'
import { bookingsOf, insertBookings, loadClinics } from './load/bookings.ts'
import { enrolAtCentres, loadCatalogues } from './load/centres.ts'
import { type CityFact, generatorVersion, readCityFact, writeCityFact } from './load/city-fact.ts'
import { openClinics } from './load/directory.ts'
import { insertReferrals } from './load/referrals.ts'
import { contractRelation, grantsOf, insertRelations } from './load/relations.ts'
import { insertResources, removeResources } from './load/resources.ts'
import { people, type Person } from './people/households.ts'
import type { Region } from './people/insurance.ts'

/** The two demo households; a smaller city has nobody for the accounts. */
export const citizensMin = 5
const citizensPerChunk = 1000

export interface SeedOptions {
  databaseUrl: string
  insurerUrls: Readonly<Record<Region, string>>
  /** How many citizens the city is to have. */
  citizens: number
  /** Stops at this many citizens, if that is less; the rest stays noted as wanted. */
  first?: number
  /** Days of clinics from the start date on. */
  days: number
  seed: number
  /** An empty database's city starts on this day. */
  now: Date
  /** False: no demo accounts (production). */
  accounts: boolean
  onProgress: (done: number, total: number) => void
}

export interface SeedResult { fact: CityFact; citizensAdded: number; resources: Map<string, number>; sessions: number; bookings: number }

interface Run { options: SeedOptions; db: Db; pool: Sql; model: FhirModel; city: City; fact: CityFact; result: SeedResult }

/** @throws Error when the database holds a city of another seed or generator. */
export async function seedCity(options: SeedOptions): Promise<SeedResult> {
  if (options.citizens < citizensMin) throw new Error(`A city has at least ${citizensMin} citizens.`)
  const pool = connect(options.databaseUrl, { max: 3, name: 'pujiang-seed', statementTimeoutMs: 0 })
  const db = openDb(options.databaseUrl, { max: 2, name: 'pujiang-seed', statementTimeoutMs: 0 })
  const lock = await pool.reserve()
  try {
    // One generator at a time; the lock ends with its connection.
    await lock`select pg_advisory_lock(hashtext('pujiang-city'))`
    const fact = await readCityFact(db) ?? newFact(options)
    checkSame(fact, options)
    const result: SeedResult = { fact, citizensAdded: 0, resources: new Map(), sessions: 0, bookings: 0 }
    const city = planCity(fact.seed, dayOf(fact.startDate))
    const run: Run = { options, db, pool, model: loadModel(), city, fact, result }
    await clearLeftovers(run)
    await note(run, { wanted: Math.max(fact.citizens, options.citizens) })
    if (fact.days === 0) await loadDirectory(run)
    else await moreDays(run)
    await loadCitizens(run)
    if (result.citizensAdded > 0) await sql`analyze`.execute(db)
    return { ...result, fact: run.fact }
  } finally {
    lock.release()
    await db.destroy()
    await pool.end({ timeout: 5 })
  }
}

function newFact(options: SeedOptions): CityFact {
  return { version: generatorVersion, seed: options.seed, startDate: dayText(shanghaiDay(options.now)), days: 0, citizens: 0, wanted: options.citizens, loading: null }
}

function checkSame(fact: CityFact, options: SeedOptions): void {
  if (fact.version !== generatorVersion) throw new Error(`This database holds a city of generator ${fact.version}; this is generator ${generatorVersion}. Run npm run reset to start anew.`)
  if (fact.seed !== options.seed) throw new Error(`This database holds the city of seed ${fact.seed}. Use --seed ${fact.seed} to let it grow, or npm run reset to start anew.`)
}

/** What a killed run left behind: resources of one step. Rows of other tables come in one transaction with the fact. */
async function clearLeftovers(run: Run): Promise<void> {
  const { loading } = run.fact
  if (loading === null) return
  if (loading === 'directory') await removeResources(run.db, directoryResources(run.city))
  else await removeResources(run.db, resourcesOf(livesBetween(run.city, loading.from, loading.to)))
  await note(run, { loading: null })
}

async function note(run: Run, change: Partial<CityFact>, db: Db = run.db): Promise<void> {
  run.fact = { ...run.fact, ...change }
  await writeCityFact(db, run.fact)
}

async function loadDirectory(run: Run): Promise<void> {
  const { options, city } = run
  await noteEmptyStore(run.db, options.now, run.model)
  await note(run, { loading: 'directory' })
  await load(run, directoryResources(city))
  await loadCatalogues(options.insurerUrls)
  run.result.sessions = await inTransaction(run.db, async (trx) => {
    const sessions = await openClinics(trx, city, options.days)
    await note(run, { days: options.days, loading: null }, trx)
    return sessions
  })
}

/** A longer horizon is only more sessions of the same weekly patterns. */
async function moreDays(run: Run): Promise<void> {
  if (run.options.days <= run.fact.days) return
  run.result.sessions = await generateSessions(run.db, dayText(run.city.today), run.options.days)
  await note(run, { days: run.options.days })
}

async function load(run: Run, made: Iterable<Made>): Promise<void> {
  const totals = await bulkLoad(run.pool, { model: run.model }, made as Iterable<unknown> as Iterable<Resource>, run.options.now)
  for (const [type, count] of totals) run.result.resources.set(type, (run.result.resources.get(type) ?? 0) + count)
}

async function loadCitizens(run: Run): Promise<void> {
  const { options, city } = run
  const everyone = people(city.seed, city.today)
  const end = Math.min(options.citizens, options.first ?? options.citizens)
  const first: Person[] = []
  let chunk: Person[] = []
  const begun = run.fact.citizens
  for (const person of everyone) {
    if (person.index >= end) break
    if (person.household.index < 2) first.push(person)
    if (person.index < begun) continue
    chunk.push(person)
    if (chunk.length === citizensPerChunk || person.index === end - 1) {
      await loadChunk(run, chunk, begun === 0 && run.fact.citizens === 0 ? first : null)
      chunk = []
    }
  }
}

/** @param holders the people of the demo accounts, with the first chunk; null afterwards. */
async function loadChunk(run: Run, chunk: readonly Person[], holders: readonly Person[] | null): Promise<void> {
  const { options, city } = run
  const from = (chunk[0] as Person).index
  const to = from + chunk.length
  await note(run, { loading: { from, to } })
  const lives: Life[] = []
  const total = Math.min(options.citizens, options.first ?? options.citizens) - (run.fact.citizens - run.result.citizensAdded)
  await load(run, resourcesOf(chunk.values().map((person) => lifeOf(city, person)), (life) => {
    lives.push({ ...life, resources: [] })
    if (lives.length % 25 === 0 && lives.length < chunk.length) options.onProgress(run.result.citizensAdded + lives.length, total)
  }))
  await enrolAtCentres(options.insurerUrls, lives, city.today)
  const clinics = await loadClinics(run.db, city, run.fact.days)
  const booked = bookingsOf(city, clinics, lives, options.now)
  await inTransaction(run.db, async (trx) => {
    await insertResources(trx, run.model, booked.appointments, options.now)
    await insertBookings(trx, booked)
    const contracts = lives.map(contractRelation).filter((each) => each !== null)
    await insertRelations(trx, lives.flatMap((life) => grantsOf(life.person, city.today)), [...contracts, ...booked.relations])
    if (holders) await insertReferrals(trx, run.model, city, lives, options.now)
    if (holders && options.accounts) await createDemoAccounts(trx, city, holders, options.now)
    await note(run, { citizens: to, loading: null }, trx)
  })
  run.result.citizensAdded += chunk.length
  run.result.bookings += booked.bookings.length
  run.result.resources.set('Appointment', (run.result.resources.get('Appointment') ?? 0) + booked.appointments.length)
  options.onProgress(run.result.citizensAdded, total)
}

function* livesBetween(city: City, from: number, to: number): Generator<Life> {
  for (const person of people(city.seed, city.today)) {
    if (person.index >= to) return
    if (person.index >= from) yield lifeOf(city, person)
  }
}

function* resourcesOf(lives: Iterable<Life>, onLife: (life: Life) => void = () => {}): Generator<Made> {
  for (const life of lives) {
    onLife(life)
    // Visits first: what belongs to a visit takes its hospital and department from it.
    yield* life.resources.filter((each) => each.resourceType === 'Encounter')
    yield* life.resources.filter((each) => each.resourceType !== 'Encounter')
  }
}
