/**
 * Opens a database. The type parsers are set here, once: `date` stays `YYYY-MM-DD`, `timestamptz` is an ISO string in
 * UTC, `int8` a bigint, `numeric` a string. (The driver's defaults shift dates by the server's zone and lose digits.)
 */
import { Kysely, type Transaction } from 'kysely'
import postgres, { type Sql } from 'postgres'
import { postgresJsDialect } from './dialect.ts'
import { onePlanSettings, type PoolUse } from './one-plan.ts'
import type { InsurerTables, Tables } from './tables.ts'

export type Db = Kysely<Tables>
export type Trx = Transaction<Tables>
/** The database of an insurance centre; another process, another database. */
export type InsurerDb = Kysely<InsurerTables>
export type InsurerTrx = Transaction<InsurerTables>

export interface PoolOptions {
  /** Connections of this process; 4 to 8 measured best on two cores. */
  max?: number
  /** Shown in pg_stat_activity. */
  name?: string
  /** Longest run of one statement in milliseconds; 0 is no limit. */
  statementTimeoutMs?: number
}

/** `2026-11-23 08:00:00.123+00` → `2026-11-23T08:00:00.123Z`. */
function instantFromText(text: string): string {
  const [day = '', rest = ''] = text.split(' ')
  const [clock = ''] = rest.split('+')
  const [seconds = '', fraction = ''] = clock.split('.')
  return `${day}T${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}Z`
}

export function connect(url: string, options: PoolOptions = {}, use: PoolUse = 'any plan'): Sql {
  return postgres(url, {
    max: options.max ?? 6,
    onnotice: () => {},
    connection: {
      application_name: options.name ?? 'pujiang',
      TimeZone: 'UTC',
      statement_timeout: options.statementTimeoutMs ?? 30_000,
      ...(use === 'one plan' ? onePlanSettings : {}),
    },
    types: {
      bigint: { to: 20, from: [20], serialize: (value: unknown) => String(value), parse: (text: string) => BigInt(text) },
      date: { to: 1082, from: [1082], serialize: (value: unknown) => value, parse: (text: string) => text },
      timestamptz: {
        to: 1184, from: [1184, 1114],
        serialize: (value: unknown) => (value instanceof Date ? value.toISOString() : value),
        parse: instantFromText,
      },
    },
  } as postgres.Options<Record<string, postgres.PostgresType>>) as unknown as Sql
}

export function openDb(url: string, options: PoolOptions = {}): Db {
  return new Kysely<Tables>({ dialect: postgresJsDialect((use) => connect(url, options, use)) })
}

export function openInsurerDb(url: string, options: PoolOptions = {}): InsurerDb {
  return new Kysely<InsurerTables>({ dialect: postgresJsDialect((use) => connect(url, options, use)) })
}
