/** Types of columns that many tables have: read as an ISO string in UTC, written as Date or ISO string. */
import type { ColumnType } from 'kysely'

export type Instant = ColumnType<string, Date | string, Date | string>
export type InstantOrNull = ColumnType<string | null, Date | string | null, Date | string | null>
