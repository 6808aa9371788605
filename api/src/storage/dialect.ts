/**
 * Kysely on postgres.js. Statements outside a transaction go straight to the pool, prepared and pipelined; only a
 * transaction reserves a connection. (The published dialect reserves one per query and never prepares: three times the
 * database CPU per select. Figures and reason: docs/decisions/0003-kysely-dialect.md.)
 * A transaction whose connection is lost ends there: the driver would send its next statement on a new connection, outside any
 * transaction, and would take a lost connection that is given back for an open one. A pool that has lost a connection is replaced
 * as a whole, what is under way on it may end: postgres.js 3.4.9 keeps connections in states in which they never answer again.
 * Every error that says that the database is away leaves here as `DatabaseAway`, and what may change something is counted as it is sent (changes-sent.ts).
 *
 * Statements of one plan have a pool of their own (one-plan.ts).
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type CompiledQuery, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler,
  type DatabaseConnection, type Dialect, type Driver, type QueryResult, type Transaction, type TransactionSettings,
} from 'kysely'
import type { ReservedSql, Row, RowList, Sql } from 'postgres'
import { monotonicMs } from '../ctx.ts'
import { answerOf } from './answer-of.ts'
import { commitIsSent, mayChange, sendChange } from './changes-sent.ts'
import { hasOnePlan, type PoolUse } from './one-plan.ts'
import { DatabaseAway, errorOfDriver } from './sqlstate.ts'
import { Waiting } from './waiting.ts'

/** Long enough for transactions under way on a pool that is replaced; what has not ended then never will. */
const drainSeconds = 20
/** What is under way on it outside transactions: the driver forgets some of it, and whoever shares work (`batched`) waits for it with everybody behind them. */
const answerSeconds = 3
const replaceEveryMs = 250

export function postgresJsDialect(open: (use: PoolUse) => Sql): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PostgresJsDriver(open),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}

/** What postgres.js shows of a connection to the statement that is put on it (option `onexecute`, as its own `begin` uses it). */
interface DriverConnection { onclose: ((error: Error) => void) | null }

/** 57P0x: the server closes the connection; the others are the driver's and the system's words for one that is closed or can't be had. */
const fatal = /^(?:57P\d\d|CONNECT\w*|E[A-Z]+)$/

/** Nothing may be sent on the connection any more, not even a rollback. */
function isFatal(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && fatal.test(error.code)
}

class PostgresJsConnection implements DatabaseConnection {
  reserved: ReservedSql | null = null
  /** The reserved connection itself, once `begin` is on its way. */
  held: DriverConnection | null = null
  /** Why the reserved connection is no more; null while it is. */
  lost: Error | null = null
  readonly #pools: Pools
  readonly #waiting = new Waiting<(error: Error) => void>()
  /** The pool that its statements, or all of its transaction, go to. */
  pool: Sql
  readonly #planned: Pools
  constructor(pools: Pools, planned: Pools) {
    this.#pools = pools
    this.#planned = planned
    this.pool = pools.current
  }

  /** Where statements go. Throws when the transaction's connection is lost. */
  target(): Sql | ReservedSql {
    if (this.lost) throw errorOfDriver(this.lost)
    return this.reserved ?? this.pool
  }

  /** Nothing more comes from the connection: whoever waits for it is told. */
  lose(error: Error): void {
    if (this.reserved) this.lost ??= error
    for (const reject of this.#waiting.all()) reject(error)
    // What a server that is gone has planned is gone too, and nobody may notice: a statement that is forgotten does not fail.
    if (this.#pools.replace(this.pool)) this.#planned.replace(this.#planned.current)
  }

  async send(text: string, parameters: readonly unknown[] = [], options: object = {}): Promise<RowList<Row[]>> {
    const statement = answerOf(this.target().unsafe(text, parameters as never[], options))
    try {
      return await (this.reserved ? this.#orLost(statement) : this.#pools.orReplaced(this.pool, statement))
    } catch (error) {
      if (isFatal(error)) this.lose(error)
      throw errorOfDriver(error)
    }
  }

  /** The driver forgets statements that wait behind another when their connection closes. */
  #orLost<T>(statement: PromiseLike<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>()
    const place = this.#waiting.add(reject)
    return Promise.race([statement, promise]).finally(() => { this.#waiting.delete(place) })
  }

  async #sendPlanned(text: string, parameters: readonly unknown[]): Promise<RowList<Row[]>> {
    const pool = this.#planned.current
    try {
      return await this.#planned.orReplaced(pool, answerOf(pool.unsafe(text, parameters as never[], { prepare: true })))
    } catch (error) {
      if (isFatal(error)) this.#planned.replace(pool)
      throw errorOfDriver(error)
    }
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const rows = await (this.reserved === null && mayChange(query.sql) ? sendChange(() => this.#run(query)) : this.#run(query))
    return { rows: rows as unknown as R[], numAffectedRows: BigInt(rows.count ?? 0) }
  }

  #run(query: CompiledQuery): Promise<RowList<Row[]>> {
    const planned = this.reserved === null && hasOnePlan(query.sql)
    return planned ? this.#sendPlanned(query.sql, query.parameters) : this.send(query.sql, query.parameters, { prepare: true })
  }

  /**
   * `copy … from stdin`: the text goes out as it comes in, in the transaction that holds the connection. The driver never says that the
   * server refused the end of it (postgres.js 3.4.9); the statement behind it fails then, for the transaction is aborted.
   */
  async copyIn(statement: string, pieces: AsyncIterable<string>): Promise<void> {
    const sink = await this.target().unsafe(statement).writable()
    let refused: Error | null = null
    sink.on('error', (error: Error) => { refused ??= error })
    try {
      for await (const piece of pieces) await new Promise<void>((done, failed) => { sink.write(piece, (error) => { if (error) failed(error); else done() }) })
    } catch (error) {
      sink.destroy(error as Error)
      if (isFatal(error)) this.lose(error)
      // The pieces may fail with the system's words too, and not because of the database.
      throw refused === null ? error : errorOfDriver(refused)
    }
    sink.end()
    // Only once the driver has sent the end does it take another statement.
    await nextTurn()
    await this.send('select 1')
  }

  async *streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    const target = this.target()
    try {
      for await (const rows of target.unsafe(query.sql, query.parameters as never[]).cursor(chunkSize)) yield { rows: rows as unknown as R[] }
    } catch (error) {
      throw errorOfDriver(error)
    }
  }
}

/** The pool in use, and how another takes its place. */
class Pools {
  readonly #left = new Set<Sql>()
  readonly #open: () => Sql
  /** Who waits for an answer outside a transaction, by pool. */
  readonly #asked = new WeakMap<Sql, Waiting<(error: Error) => void>>()
  /** Who waits for a connection. A promise that they shared would keep what each was given, as long as the pool lasts. */
  readonly #reserving = new Waiting<() => void>()
  #replacedAt = Number.NEGATIVE_INFINITY
  #isDue = false
  current: Sql
  constructor(open: () => Sql) {
    this.#open = open
    this.current = open()
  }

  /** At once, or soon when that was just done: while the database is away every statement fails. @returns false when it was replaced, or is to be. */
  replace(failed: Sql): boolean {
    if (failed !== this.current || this.#isDue) return false
    const waitMs = this.#replacedAt + replaceEveryMs - monotonicMs()
    if (waitMs <= 0) {
      this.#swap()
      return true
    }
    this.#isDue = true
    setTimeout(() => {
      this.#isDue = false
      this.#swap()
    }, waitMs).unref()
    return true
  }

  /** The answer, unless the pool is replaced and it does not come soon: then nobody knows what became of the statement, as of any whose connection is lost. */
  orReplaced<T>(pool: Sql, statement: PromiseLike<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>()
    let asked = this.#asked.get(pool)
    if (!asked) this.#asked.set(pool, asked = new Waiting())
    const place = asked.add(reject)
    return Promise.race([statement, promise]).finally(() => { asked.delete(place) })
  }

  #swap(): void {
    const failed = this.current
    this.#replacedAt = monotonicMs()
    this.current = this.#open()
    for (const goAlong of this.#reserving.all()) goAlong()
    this.#left.add(failed)
    setTimeout(() => { for (const reject of this.#asked.get(failed)?.all() ?? []) reject(unanswered()) }, answerSeconds * 1000).unref()
    setTimeout(() => { void this.#end(failed) }, drainSeconds * 1000).unref()
  }

  /** A connection for a transaction. Who waits for one goes along to the new pool: the driver forgets them when a connection closes. */
  async reserve(): Promise<{ pool: Sql; reserved: ReservedSql }> {
    for (;;) {
      const pool = this.current
      const asked = pool.reserve()
      const replaced = Promise.withResolvers<null>()
      const goAlong = () => { replaced.resolve(null) }
      const place = this.#reserving.add(goAlong)
      const reserved = await Promise.race([asked, replaced.promise]).catch((error: Error) => {
        this.replace(pool)
        throw errorOfDriver(error)
      }).finally(() => { this.#reserving.delete(place) })
      if (reserved !== null) return { pool, reserved }
      asked.then((late) => { late.release() }, () => {})
    }
  }

  async end(): Promise<void> {
    await Promise.all([this.current.end({ timeout: 5 }), ...[...this.#left].map((pool) => this.#end(pool))])
  }

  async #end(pool: Sql): Promise<void> {
    if (this.#left.delete(pool)) await pool.end({ timeout: 1 })
  }
}

function unanswered(): Error {
  return new DatabaseAway('CONNECTION_CLOSED', 'The connection to the database was lost before it answered.')
}

class PostgresJsDriver implements Driver {
  readonly #pools: Pools
  readonly #planned: Pools
  constructor(open: (use: PoolUse) => Sql) {
    this.#pools = new Pools(() => open('any plan'))
    this.#planned = new Pools(() => open('one plan'))
  }
  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> { return new PostgresJsConnection(this.#pools, this.#planned) }

  async beginTransaction(connection: PostgresJsConnection, settings: TransactionSettings): Promise<void> {
    Object.assign(connection, await this.#pools.reserve())
    connection.lost = null
    const onexecute = (held: DriverConnection) => {
      connection.held = held
      const lose = (error: Error) => { connection.lose(error) }
      held.onclose = lose
      return true
    }
    const level = settings.isolationLevel ? ` isolation level ${settings.isolationLevel}` : ''
    const access = settings.accessMode ? ` ${settings.accessMode}` : ''
    // Not awaited: it travels with the first statement, which fails if this one did.
    connection.send(`begin${level}${access}`, [], { onexecute }).catch(() => {})
  }
  async commitTransaction(connection: PostgresJsConnection): Promise<void> {
    // Throws where the connection is lost already: then no commit is sent.
    connection.target()
    commitIsSent()
    await connection.send('commit')
  }
  async rollbackTransaction(connection: PostgresJsConnection): Promise<void> { if (!connection.lost) await connection.send('rollback') }
  async savepoint(connection: PostgresJsConnection, name: string): Promise<void> { await connection.send(`savepoint "${name}"`) }
  async rollbackToSavepoint(connection: PostgresJsConnection, name: string): Promise<void> { await connection.send(`rollback to savepoint "${name}"`) }
  async releaseSavepoint(connection: PostgresJsConnection, name: string): Promise<void> { await connection.send(`release savepoint "${name}"`) }

  async releaseConnection(connection: PostgresJsConnection): Promise<void> {
    if (connection.held && !connection.lost) connection.held.onclose = null
    if (!connection.lost) connection.reserved?.release()
    connection.reserved = null
    connection.held = null
  }
  async destroy(): Promise<void> { await Promise.all([this.#pools.end(), this.#planned.end()]) }
}

/** Streams text into a table by COPY. @param statement `copy … from stdin`; nothing of a caller may stand in it. */
export async function copyInto<T>(trx: Transaction<T>, statement: string, pieces: AsyncIterable<string>): Promise<void> {
  await trx.getExecutor().provideConnection(async (connection) => {
    if (!(connection instanceof PostgresJsConnection)) throw new Error('The transaction is on another driver.')
    await connection.copyIn(statement, pieces)
  })
}
