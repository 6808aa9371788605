/** What a running platform consists of; made once in `main`, `worker` or a test and handed to `createApp`. */
import type { FactorRules } from './access/second-factor.ts'
import type { SessionWatch } from './access/session-watch.ts'
import type { SystemCaller } from './access/system-call.ts'
import type { TokenAuthority, TokenVerifier } from './access/tokens.ts'
import type { Config } from './config.ts'
import type { Logger } from './log.ts'
import type { Operation, Store } from './records/store.ts'
import type { SettlementGateway } from './settlement/gateway.ts'
import type { Db } from './storage/pool.ts'

export interface Services {
  config: Config
  db: Db
  store: Store
  operations: readonly Operation[]
  authority: TokenAuthority
  verifyToken: TokenVerifier
  sessions: SessionWatch
  factors: FactorRules
  gateway: SettlementGateway
  /** The officer's desk of the region's insurance centre. */
  centreDesk: SystemCaller
  log: Logger
  /** The clock of this process, moved by CLOCK_OFFSET_MINUTES. */
  now(): Date
}
