/**
 * Kysely on postgres.js. Statements outside a transaction go straight to the pool, prepared and pipelined; only a
 * transaction reserves a connection. (The published dialect reserves one per query and never prepares: three times the
 * database CPU per select. Figures and reason: docs/decisions/0003-kysely-dialect.md.)
 * A transaction whose connection is lost ends there: the driver would send its next statement on a new connection, outside any
 * transaction, and would take a lost connection that is given back for an open one.
 */
import {
  type CompiledQuery, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler,
  type DatabaseConnection, type Dialect, type Driver, type QueryResult, type TransactionSettings,
} from 'kysely'
import type { ReservedSql, Sql } from 'postgres'

export function postgresJsDialect(sql: Sql): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PostgresJsDriver(sql),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}

/** What postgres.js shows of a connection to the statement that is put on it (option `onexecute`, as its own `begin` uses it). */
interface DriverConnection { onclose: ((error: Error) => void) | null }

class PostgresJsConnection implements DatabaseConnection {
  reserved: ReservedSql | null = null
  /** The reserved connection itself, once `begin` is on its way. */
  held: DriverConnection | null = null
  /** Why the reserved connection is no more; null while it is. */
  lost: Error | null = null
  readonly pool: Sql
  constructor(pool: Sql) { this.pool = pool }

  /** Where statements go. Throws when the transaction's connection is lost. */
  target(): Sql | ReservedSql {
    if (this.lost) throw this.lost
    return this.reserved ?? this.pool
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const target = this.target()
    const rows = await target.unsafe(query.sql, query.parameters as never[], { prepare: true })
    return { rows: rows as unknown as R[], numAffectedRows: BigInt(rows.count ?? 0) }
  }

  async *streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    const target = this.target()
    for await (const rows of target.unsafe(query.sql, query.parameters as never[]).cursor(chunkSize)) {
      yield { rows: rows as unknown as R[] }
    }
  }
}

class PostgresJsDriver implements Driver {
  readonly #sql: Sql
  constructor(sql: Sql) { this.#sql = sql }
  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> { return new PostgresJsConnection(this.#sql) }

  async beginTransaction(connection: PostgresJsConnection, settings: TransactionSettings): Promise<void> {
    connection.reserved = await this.#sql.reserve()
    connection.lost = null
    const onexecute = (held: DriverConnection) => {
      connection.held = held
      held.onclose = (error) => { connection.lost = error }
      return true
    }
    const level = settings.isolationLevel ? ` isolation level ${settings.isolationLevel}` : ''
    const access = settings.accessMode ? ` ${settings.accessMode}` : ''
    // Not awaited: it travels with the first statement, which fails if this one did.
    connection.reserved.unsafe(`begin${level}${access}`, [], { onexecute } as object).catch(() => {})
  }
  async commitTransaction(connection: PostgresJsConnection): Promise<void> { await connection.target().unsafe('commit') }
  async rollbackTransaction(connection: PostgresJsConnection): Promise<void> { if (!connection.lost) await connection.reserved?.unsafe('rollback') }
  async savepoint(connection: PostgresJsConnection, name: string): Promise<void> { await connection.reserved?.unsafe(`savepoint "${name}"`) }
  async rollbackToSavepoint(connection: PostgresJsConnection, name: string): Promise<void> { await connection.reserved?.unsafe(`rollback to savepoint "${name}"`) }
  async releaseSavepoint(connection: PostgresJsConnection, name: string): Promise<void> { await connection.reserved?.unsafe(`release savepoint "${name}"`) }

  async releaseConnection(connection: PostgresJsConnection): Promise<void> {
    if (connection.held) connection.held.onclose = null
    if (!connection.lost) connection.reserved?.release()
    connection.reserved = null
    connection.held = null
  }
  async destroy(): Promise<void> { await this.#sql.end({ timeout: 5 }) }
}
