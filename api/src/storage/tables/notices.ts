/** Tables of notices; each names its owner above it. How columns are read: ../tables.ts. */
import type { Instant, InstantOrNull } from './columns.ts'

/** notices: who should know what; the reader makes the text. */
export interface NoticeTable {
  shard: number
  id: string
  recipient_kind: 'patient' | 'practitioner' | 'organization'
  recipient: string
  kind: string
  params: unknown
  appointment: string | null
  created_at: Instant
  read_at: InstantOrNull
  /** When to look whether it is to be sent; null: no more. */
  wake_at: InstantOrNull
}

/** booking: what of a notice was handed to a channel. */
export interface NoticeMessageTable {
  shard: number
  id: string
  notice: string
  pid: string
  channel: 'app' | 'sms' | 'phone'
  sent_at: Instant
  read_by: InstantOrNull
  read_at: InstantOrNull
}

/** notices: how a person wants to be told. */
export interface ContactPreferenceTable { shard: number; pid: string; channels: string[]; language: 'zh' | 'en'; set_by: string; set_at: Instant }
/** notices: the far side of the demonstration's channels. */
export interface DemoMessageTable {
  shard: number
  id: string
  pid: string
  channel: 'app' | 'sms' | 'phone'
  /** Masked. */
  address: string
  language: 'zh' | 'en'
  body: string
  appointment: string | null
  received_at: Instant
  read_at: InstantOrNull
  recalled_at: InstantOrNull
}
