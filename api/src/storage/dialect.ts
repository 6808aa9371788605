/**
 * Kysely on postgres.js. Statements outside a transaction go straight to the pool, prepared and pipelined; only a
 * transaction reserves a connection. (The published dialect reserves one per query and never prepares: three times the
 * database CPU per select. Figures and reason: docs/decisions/0003-kysely-dialect.md.)
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

class PostgresJsConnection implements DatabaseConnection {
  reserved: ReservedSql | null = null
  readonly pool: Sql
  constructor(pool: Sql) { this.pool = pool }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const target = this.reserved ?? this.pool
    const rows = await target.unsafe(query.sql, query.parameters as never[], { prepare: true })
    return { rows: rows as unknown as R[], numAffectedRows: BigInt(rows.count ?? 0) }
  }

  async *streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    const target = this.reserved ?? this.pool
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
    const level = settings.isolationLevel ? ` isolation level ${settings.isolationLevel}` : ''
    const access = settings.accessMode ? ` ${settings.accessMode}` : ''
    // Not awaited: it travels with the first statement, which fails if this one did.
    connection.reserved.unsafe(`begin${level}${access}`).catch(() => {})
  }
  async commitTransaction(connection: PostgresJsConnection): Promise<void> { await connection.reserved?.unsafe('commit') }
  async rollbackTransaction(connection: PostgresJsConnection): Promise<void> { await connection.reserved?.unsafe('rollback') }
  async savepoint(connection: PostgresJsConnection, name: string): Promise<void> { await connection.reserved?.unsafe(`savepoint "${name}"`) }
  async rollbackToSavepoint(connection: PostgresJsConnection, name: string): Promise<void> { await connection.reserved?.unsafe(`rollback to savepoint "${name}"`) }
  async releaseSavepoint(connection: PostgresJsConnection, name: string): Promise<void> { await connection.reserved?.unsafe(`release savepoint "${name}"`) }

  async releaseConnection(connection: PostgresJsConnection): Promise<void> {
    connection.reserved?.release()
    connection.reserved = null
  }
  async destroy(): Promise<void> { await this.#sql.end({ timeout: 5 }) }
}
