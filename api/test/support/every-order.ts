/**
 * Two commands at once, in every order of their steps. Each runs on connections of its own, as in two processes, and stops before each named step:
 * what it reads, each kind of row it locks, the end of its transaction. What it writes nobody sees before that end, so writing is no step of its own, and
 * two that both only read do so in one order. A scheduler lets one of them go on at a time; whoever waits for a lock of the other is passed over
 * until it is free, which the database says. Orders are tried depth first: the last decision that has another alternative is made anew, until none is left.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Kysely } from 'kysely'
import postgres from 'postgres'
import { connect, type Db } from '../../src/storage/pool.ts'
import { postgresJsDialect } from '../../src/storage/dialect.ts'
import type { Tables } from '../../src/storage/tables.ts'
import { seededRandom } from './random-resources.ts'

/** `begin`: nothing was done yet. */
type Step = 'begin' | 'read' | 'lock patient' | 'lock session' | 'lock booking' | 'lock' | 'write' | 'commit'
interface Decision { choice: number; of: number }
/** Which of so many goes on at a decision, counted from the first. */
type Wished = (decision: number, of: number) => number

function stepOf(sql: string): Step {
  if (/\bfor (?:no key )?(?:update|share)\b/.test(sql)) return sql.includes('booking_patient') ? 'lock patient' : /clinic_session s|"clinic_session"/.test(sql) ? 'lock session' : sql.includes('"booking"') ? 'lock booking' : 'lock'
  return /\b(?:insert into|update|delete from)\b/.test(sql) ? 'write' : 'read'
}

class Gate {
  readonly name: string
  #at: Step = 'begin'
  #go: (() => void) | null = null
  /** The step it stops before; null while it runs. */
  before: Step | null = null
  done = false
  constructor(name: string) { this.name = name }

  get isWaiting(): boolean { return this.#go !== null }

  /** Steps of one name in a row are one step, and from the first row written to the end of the transaction it is one. */
  async enter(step: Step): Promise<void> {
    if (step === this.#at || this.done || step === 'write' || (this.#at === 'write' && step === 'read')) {
      if (step === 'write') this.#at = step
      return
    }
    this.before = step
    await new Promise<void>((resolve) => { this.#go = resolve })
    this.before = null
    this.#at = step
  }

  go(): void {
    const resolve = this.#go
    this.#go = null
    resolve?.()
  }

  begin(): void {
    this.#at = 'begin'
    this.done = false
  }
}

export interface Race<T> {
  /** Fresh rows for one order. */
  prepare(): Promise<T>
  first(db: Db, on: T): Promise<unknown>
  second(db: Db, on: T): Promise<unknown>
  /** Called after each order with what both gave, an error included. */
  check(on: T, results: [unknown, unknown], order: string): Promise<void>
}

export interface Orders {
  /** Where there are more than `max`, as many by chance, for the last decisions alone would have been made anew. @returns how many different orders were tried, and whether that were all. */
  every<T>(race: Race<T>, max: number, seed: number): Promise<{ tried: number; all: boolean }>
  end(): Promise<void>
}

export function orders(url: string): Orders {
  const gates = ['first', 'second'].map((name) => new Gate(`order-${name}`)) as [Gate, Gate]
  const dbs = gates.map((gate) => gatedDb(url, gate)) as [Db, Db]
  const watch = postgres(url, { max: 1, onnotice: () => {} })
  const blocked = async () => new Set((await watch<{ name: string }[]>`select application_name as name from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`).map((row) => row.name))

  /** Until each has stopped before a step, ended, or waits for the other. */
  async function settled(): Promise<Gate[]> {
    for (let seen = new Set<string>(); ;) {
      const running = gates.filter((each) => !each.done && !each.isWaiting)
      if (running.length === 0) return gates.filter((each) => each.isWaiting)
      const now = await blocked()
      // Twice in a row: one look may come between two statements.
      if (running.every((each) => now.has(each.name) && seen.has(each.name)) && gates.some((each) => each.isWaiting)) return gates.filter((each) => each.isWaiting)
      seen = now
      await sleep(0)
    }
  }

  async function once<T>(race: Race<T>, on: T, wished: Wished): Promise<{ taken: Decision[]; order: string; results: [unknown, unknown] }> {
    for (const gate of gates) gate.begin()
    const runs = [race.first, race.second].map(async (run, index) => {
      const gate = gates[index] as Gate
      try {
        return await run(dbs[index] as Db, on)
      } catch (error) {
        return error
      } finally {
        gate.done = true
      }
    })
    const taken: Decision[] = []
    let order = ''
    for (let ready = await settled(); ready.length > 0; ready = await settled()) {
      let choice = 0
      if (ready.length > 1 && !ready.every((each) => each.before === 'read')) {
        choice = Math.min(wished(taken.length, ready.length), ready.length - 1)
        taken.push({ choice, of: ready.length })
      }
      const next = ready[choice] as Gate
      order += next === gates[0] ? '1' : '2'
      next.go()
      await sleep(0)
    }
    return { taken, order, results: await Promise.all(runs) as [unknown, unknown] }
  }

  return {
    async every(race, max, seed) {
      const seen = new Set<string>()
      const attempt = async <T>(each: Race<T>, wished: Wished): Promise<Decision[]> => {
        const on = await each.prepare()
        const { taken, order, results } = await once(each, on, wished)
        await each.check(on, results, order)
        seen.add(order)
        return taken
      }
      let wished: number[] | null = []
      for (let tries = 0; wished !== null && tries < max; tries++) {
        const fixed: number[] = wished
        const taken = await attempt(race, (decision) => fixed[decision] ?? 0)
        while (taken.length > 0 && (taken.at(-1)?.choice ?? 0) + 1 >= (taken.at(-1)?.of ?? 0)) taken.pop()
        const last = taken.at(-1)
        wished = last ? [...taken.slice(0, -1).map((each) => each.choice), last.choice + 1] : null
      }
      if (wished === null) return { tried: seen.size, all: true }
      const random = seededRandom(seed)
      for (let tries = 0; tries < max; tries++) await attempt(race, (_, of) => Math.floor(random() * of))
      return { tried: seen.size, all: false }
    },
    async end() {
      await Promise.all([...dbs.map((db) => db.destroy()), watch.end({ timeout: 1 })])
    },
  }
}

function gatedDb(url: string, gate: Gate): Db {
  const dialect = postgresJsDialect(() => connect(url, { max: 2, name: gate.name }))
  return new Kysely<Tables>({ dialect: {
    ...dialect,
    createDriver() {
      const driver = dialect.createDriver()
      const [acquire, commit] = [driver.acquireConnection.bind(driver), driver.commitTransaction.bind(driver)]
      driver.acquireConnection = async () => {
        const connection = await acquire()
        const execute = connection.executeQuery.bind(connection)
        connection.executeQuery = async (query) => {
          await gate.enter(stepOf(query.sql))
          return execute(query)
        }
        return connection
      }
      driver.commitTransaction = async (connection) => {
        await gate.enter('commit')
        return commit(connection)
      }
      return driver
    },
  } })
}
